// @ts-check
/** Training in the page: how weights follow their gradients, as in `torch.optim`; batches, the statistics of batch norm, and scores. */
import { Backward, backThroughNorm, sumOver } from "./gradients.js";
import { Engine } from "../engine.js";
import { sumOf } from "../../shared/numbers.js";

/** The arrays that training changes: all weights that are not frozen, and what batch norm remembers. @param {Instruction[]} program */
export function trainedNames(program) {
  const all = program.flatMap(({ weight = "", bias = "", mean = "", deviation = "" }) => [weight, bias, mean, deviation]);
  const frozen = program.flatMap(({ frozen = [] }) => frozen);
  return [...new Set(all)].filter((name) => name && !frozen.includes(name));
}

/** Stochastic gradient descent. */
export class SGD {
  /** Taken so far. */
  numSteps = 0;
  /** What a rule remembers of earlier gradients, by the names of arrays. @type {Record<string, Float32Array[]>} */
  memory = {};

  /** @param {Record<string, Tensor>} arrays @param {number} rate  the learning rate, which may change between steps */
  constructor(arrays, rate) {
    this.arrays = arrays;
    this.rate = rate;
  }

  /** Change all weights that have a gradient. @param {Record<string, Float32Array>} gradients  by the names of arrays */
  step(gradients) {
    this.numSteps += 1;
    for (const [name, gradient] of Object.entries(gradients)) {
      this.memory[name] ??= [0, 1].map(() => new Float32Array(gradient.length));
      this.change(this.arrays[name].data, gradient, this.memory[name]);
    }
  }

  /** @param {Numbers} weights @param {Float32Array} gradient @param {Float32Array[]} _memory */
  change(weights, gradient, _memory) {
    for (let i = 0; i < weights.length; i++) weights[i] -= this.rate * gradient[i];
  }
}

/** Kingma and Ba (2015): each weight has a step of its own. */
export class Adam extends SGD {
  /** @param {Numbers} weights @param {Float32Array} gradient @param {Float32Array[]} memory */
  change(weights, gradient, [mean, square]) {
    const [correction1, correction2] = [0.9, 0.999].map((beta) => 1 - beta ** this.numSteps);
    for (let i = 0; i < weights.length; i++) {
      mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
      square[i] = 0.999 * square[i] + 0.001 * gradient[i] * gradient[i];
      weights[i] -= (this.rate * (mean[i] / correction1)) / (Math.sqrt(square[i] / correction2) + 1e-8);
    }
  }
}

// ---------------------------------------------------------------------------- batches

/** Trains the arrays of a program. */
export class Trainer {
  #walk; #gradients;

  /**
   * @param {Instruction[]} program @param {Record<string, Tensor>} arrays  which no one else may hold
   * @param {number} batchSize  the largest
   */
  constructor(program, arrays, batchSize) {
    this.engines = Array.from({ length: batchSize }, () => new Engine(program, arrays));
    this.#walk = new Backward(this.engines);
    this.#gradients = Object.fromEntries(Object.entries(this.#walk.weights).filter(([name]) => trainedNames(program).includes(name)));
  }

  /**
   * One step of an optimizer, from the gradients of a batch's mean loss in train mode.
   *
   * @param {Example[]} examples @param {{ step: (gradients: Record<string, Float32Array>) => void }} optimizer
   * @returns {number}  the loss before it
   */
  step(examples, optimizer) {
    const { scores, tasks } = this.#walk;
    const engines = this.engines.slice(0, examples.length);
    const norms = new Map();
    engines.forEach((engine, i) => engine.values[0].set(examples[i].picture));
    for (let step = 1; step <= scores; step++) {
      const batch = tasks[step].slice(0, examples.length);
      const [{ instruction, output }] = batch;
      const isNorm = instruction.kind === "batchNorm" && batch.length * output.length > instruction.shape[0]; // a single number has no deviation
      if (isNorm) norms.set(step, normalise(batch));
      else for (const engine of engines) engine.compute(step);
    }
    const answers = this.#walk.run(examples.map(({ label }) => label), norms);
    optimizer.step(this.#gradients);
    return sumOf(answers.map(({ loss }) => loss)) / examples.length;
  }
}

/** What a network says of pictures, in eval mode. @param {Engine} engine @param {Example[]} examples @returns {TestScore} */
export function scoreOf(engine, examples) {
  const last = engine.program.length - 1;
  const confusion = Array.from(engine.values[last], () => Array(engine.values[last].length).fill(0));
  for (const { picture, label } of examples) {
    const shares = engine.run(picture)[last];
    confusion[label][shares.indexOf(Math.max(...shares))] += 1;
  }
  return { numRight: sumOf(confusion.map((row, label) => row[label])), confusion };
}

// ---------------------------------------------------------------------------- batch norm

/**
 * Normalise a batch by its own mean and deviation, which the running ones follow; gives the way back.
 *
 * @param {BackwardTask[]} tasks  one for each picture
 */
function normalise(tasks) {
  const [{ instruction: { eps = 1e-5, momentum = 0.1, shape }, output, weight, bias, mean: running, deviation: deviations }] = tasks;
  const count = (tasks.length * output.length) / shape[0];
  const [means, own] = [new Float64Array(shape[0]), new Float64Array(shape[0])];
  for (let channel = 0; channel < shape[0]; channel++) {
    const mean = sumOver(tasks, channel, ({ inputs: [input] }, i) => input[i]) / count;
    const variance = sumOver(tasks, channel, ({ inputs: [input] }, i) => (input[i] - mean) ** 2) / count;
    [means[channel], own[channel]] = [mean, Math.sqrt(variance + eps)];
    const factor = (weight ? weight[channel] : 1) / own[channel];
    sumOver(tasks, channel, (task, i) => (task.output[i] = (task.inputs[0][i] - mean) * factor + (bias ? bias[channel] : 0)));
    running[channel] += momentum * (mean - running[channel]);
    deviations[channel] = Math.sqrt((1 - momentum) * deviations[channel] ** 2 + momentum * ((variance * count) / (count - 1) + eps));
  }
  return () => backThroughNorm(tasks, means, own, count);
}
