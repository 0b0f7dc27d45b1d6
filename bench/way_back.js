// @ts-check
/** What `way_back.py` runs in node: times in milliseconds, as JSON. `node way_back.js PROGRAM.json` */
import { readFileSync } from "node:fs";
import { Backward, backward, planOf } from "../book/lenet_book/widgets/stage/backward/gradients.js";
import { randomNumbers, readDigits, shuffled, startAgain } from "../book/lenet_book/widgets/stage/backward/learning.js";
import { Adam } from "../book/lenet_book/widgets/stage/backward/optimizers.js";
import { Trainer } from "../book/lenet_book/widgets/stage/backward/training.js";
import { Engine } from "../book/lenet_book/widgets/stage/engine.js";

const { steps, arrays: plain, digits, batchSize, rate, enough, seed } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const arrays = Object.fromEntries(Object.entries(plain).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
const [training, test] = [digits.training, digits.test].map((packed) => readDigits(packed, 28, 0.1307, 0.3081));

const engine = new Engine(steps, arrays);
const plan = planOf(steps, arrays);
const walk = new Backward(engine, plan);
const once = (/** @type {() => void} */ act) => {
  const start = performance.now();
  act();
  return performance.now() - start;
};
const times = { forward: [], backward: [], "backward, as the stage asks for it": [], "training step": [] };
training.pictures.slice(0, 300).forEach((picture, i) => {
  times.forward.push(once(() => engine.run(picture)));
  walk.begin(training.labels[i]);
  times.backward.push(once(() => {
    for (let step = plan.scores; step > 0; step--) walk.back(step);
  }));
  times["backward, as the stage asks for it"].push(once(() => backward(engine, training.labels[i])));
});

const random = randomNumbers(seed);
startAgain(steps, arrays, random);
const trainer = new Trainer(steps, arrays, batchSize);
const optimizer = new Adam(arrays, rate);
const start = performance.now();
let numRight = 0;
while (numRight <= enough) {
  const order = shuffled(training.labels.length, random);
  while (order.length) {
    const batch = order.splice(0, batchSize);
    times["training step"].push(once(() => trainer.step(batch.map((i) => training.pictures[i]), batch.map((i) => training.labels[i]), optimizer)));
  }
  ({ numRight } = trainer.score(test.pictures, test.labels));
}
console.log(JSON.stringify({ times, numRight, numTest: test.labels.length, seconds: (performance.now() - start) / 1000 }));
