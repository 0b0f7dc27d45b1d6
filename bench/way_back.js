// @ts-check
/** What `way_back.py` runs in a page: times in milliseconds. */
import { Backward } from "../book/lenet_book/widgets/stage/backward/gradients.js";
import { randomNumbers, readDigits, shuffled, startAgain } from "../book/lenet_book/widgets/stage/backward/learning.js";
import { Adam, Trainer, scoreOf } from "../book/lenet_book/widgets/stage/backward/training.js";
import { Engine } from "../book/lenet_book/widgets/stage/engine.js";

/** @param {() => void} act */
function timeOf(act) {
  const start = performance.now();
  act();
  return performance.now() - start;
}

/** The ways of single pictures. @param {Instruction[]} steps @param {Record<string, Tensor>} arrays @param {Example[]} examples */
function timeWays(steps, arrays, examples) {
  const engine = new Engine(steps, arrays);
  const walk = new Backward([engine]);
  /** @type {Record<string, number[]>} */
  const times = { forward: [], backward: [] };
  for (const { picture, label } of examples) {
    times.forward.push(timeOf(() => engine.run(picture)));
    times.backward.push(timeOf(() => walk.run([label])));
  }
  return times;
}

/** @param {any} question  as `way_back.py` writes it */
export function measure({ steps, arrays: plain, digits, batchSize, rate, enough, seed }) {
  const arrays = Object.fromEntries(Object.entries(plain).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
  const [training, test] = [digits.training, digits.test].map((packed) => readDigits(packed, 28, 0.1307, 0.3081));
  const times = { ...timeWays(steps, arrays, training), "training step": /** @type {number[]} */ ([]) };

  const random = randomNumbers(seed);
  startAgain(steps, arrays, random);
  const trainer = new Trainer(steps, arrays, batchSize);
  const optimizer = new Adam(arrays, rate);
  const start = performance.now();
  let numRight = 0;
  while (numRight <= enough) {
    const left = shuffled(training, random);
    while (left.length) times["training step"].push(timeOf(() => trainer.step(left.splice(0, batchSize), optimizer)));
    ({ numRight } = scoreOf(trainer.engines[0], test));
  }
  return { times, numRight, numTest: test.length, seconds: (performance.now() - start) / 1000 };
}

/** Walk back on the stage and return, again and again: what each press of a button costs until it is painted, without the wait for a frame. @param {number} numRounds */
export async function measurePresses(numRounds) {
  const buttons = [...document.querySelectorAll(".lenet-transport button")];
  const [next, before] = [buttons.find((node) => node.classList.contains("lenet-main")), buttons.find((node) => node.textContent?.includes("Back"))];
  const times = [];
  for (let press = 0; press < 24 * numRounds; press++) {
    const button = /** @type {HTMLElement} */ (press % 24 < 12 ? next : before);
    const script = timeOf(() => button.click());
    times.push(script + (await timeToPaint()));
  }
  return times;
}

/** @returns {Promise<number>} */
function timeToPaint() {
  return new Promise((tell) => requestAnimationFrame(() => {
    const start = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => tell(performance.now() - start);
    port2.postMessage(null);
  }));
}
