// @ts-check
/** Training from nothing, beside the page, on the digits that come with it. */
import { Adam, Trainer, scoreOf, trainedNames } from "./training.js";
import { TRIANGLE, resized, rounded } from "../input/resampling.js";

/** Train in a worker. @param {TrainingTask} task @param {(progress: TrainingProgress) => void} tell  hears of every epoch @returns {() => void}  ends it */
export function trainFromNothing(task, tell) {
  const worker = startWorker("work");
  worker.onmessage = ({ data }) => tell(data);
  worker.postMessage(task);
  return () => worker.terminate();
}

/** What the worker does: it begins with random weights, and tells how it gets on. */
export function work() {
  onmessage = (/** @type {MessageEvent<TrainingTask>} */ { data: { program, arrays, training, test, batchSize, rate, seed, numEpochs } }) => {
    const random = randomNumbers(seed);
    startAgain(program, arrays, random);
    const [trainer, optimizer] = [new Trainer(program, arrays, batchSize), new Adam(arrays, rate)];
    for (let epoch = 1; epoch <= numEpochs; epoch++) {
      const left = shuffled(training, random);
      const losses = [];
      while (left.length) losses.push(trainer.step(left.splice(0, batchSize), optimizer));
      postMessage({ epoch, losses, score: scoreOf(trainer.engines[0], test), arrays });
    }
  };
}

/**
 * Read what `digits.py` has packed, as large as a network takes it: scaled as the embedded data set of `lenet.data` is.
 *
 * @param {PackedDigits} packed @param {number} side @param {number} mean @param {number} std
 * @returns {Example[]}
 */
export function readDigits({ pixels, labels }, side, mean, std) {
  return Array.from(labels, (label, i) => {
    const ink = Float64Array.from({ length: 64 }, (_, pixel) => parseInt(pixels[pixel * labels.length + i], 17));
    const { values } = resized({ values: ink, width: 8, height: 8 }, [side, side], TRIANGLE);
    return { picture: Float32Array.from(values, (value) => (rounded((value * 255) / 16) / 255 - mean) / std), label: Number(label) };
  });
}

// ---------------------------------------------------------------------------- a beginning

/** Numbers from 0 to 1 that are the same for a seed, by the congruential generator of Numerical Recipes. @param {number} seed @returns {() => number} */
export function randomNumbers(seed) {
  return () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** What an epoch learns from, in another order. @param {Example[]} examples @param {() => number} random */
export function shuffled(examples, random) {
  const keyed = examples.map((example) => ({ example, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ example }) => example);
}

/**
 * Forget all that was learned: weights as PyTorch's layers begin with, evenly between ±1 / √(inputs of a unit).
 *
 * @param {Instruction[]} program @param {Record<string, Tensor>} arrays @param {() => number} random
 */
export function startAgain(program, arrays, random) {
  const names = trainedNames(program);
  for (const { kind, shape, weight = "", bias = "", mean = "", deviation = "", eps = 1e-5 } of program) {
    const isNorm = kind === "batchNorm";
    const bound = weight && !isNorm ? Math.sqrt(shape[0] / arrays[weight].data.length) : 0;
    const starts = { [weight]: Number(isNorm), [bias]: 0, [mean]: 0, [deviation]: Math.sqrt(1 + eps) };
    for (const name of names.filter((own) => own in starts)) {
      arrays[name].data.forEach((_, i, data) => (data[i] = starts[name] + bound * (2 * random() - 1)));
    }
  }
}
