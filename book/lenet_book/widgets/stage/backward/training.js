// @ts-check
/** Training in the page: batches, the statistics of batch norm, and scores. */
import { trainedNames } from "./optimizers.js";
import { Backward, backThroughNorm, planOf, sumOver } from "./gradients.js";
import { Engine, need } from "../engine.js";
import { sumOf } from "../../shared/numbers.js";

/** Trains the arrays of a program, and sees how well they do. */
export class Trainer {
  #engines; #walks; #plan;
  /** By the names of arrays that learn, what has come since it was last zeroed. @type {Record<string, Float32Array>} */
  gradients;

  /**
   * @param {Instruction[]} program @param {Record<string, Tensor>} arrays  which no one else may hold
   * @param {number} batchSize  the largest
   */
  constructor(program, arrays, batchSize) {
    this.program = program;
    this.#plan = planOf(program, arrays);
    const { weights } = this.#plan;
    this.gradients = Object.fromEntries(trainedNames(program).filter((name) => weights[name]).map((name) => [name, weights[name]]));
    this.#engines = Array.from({ length: batchSize }, () => new Engine(program, arrays));
    this.#walks = this.#engines.map((engine) => new Backward(engine, this.#plan));
  }

  zeroGradients() {
    for (const gradient of Object.values(this.gradients)) gradient.fill(0);
  }

  /**
   * Add the gradients of a batch's mean loss, in train mode.
   *
   * @param {Float32Array[]} pictures  normalised @param {ArrayLike<number>} labels
   * @returns {number}  the loss
   */
  backward(pictures, labels) {
    const engines = this.#engines.slice(0, pictures.length);
    const walks = this.#walks.slice(0, pictures.length);
    const { scores } = this.#plan;
    /** The ways back of batch norms. @type {Map<number, () => void>} */
    const norms = new Map();
    engines.forEach((engine, i) => engine.values[0].set(pictures[i]));
    for (let step = 1; step <= scores; step++) {
      const tasks = walks.map((walk) => walk.tasks[step]);
      if (isNormalised(tasks)) norms.set(step, normalise(tasks));
      else for (const engine of engines) engine.compute(step);
    }
    const losses = walks.map((walk, i) => walk.begin(labels[i], 1 / walks.length).loss);
    for (let step = scores; step > 0; step--) {
      if (norms.has(step)) norms.get(step)?.();
      else for (const walk of walks) walk.back(step);
    }
    return sumOf(losses) / losses.length;
  }

  /**
   * One step of an optimizer.
   *
   * @param {Float32Array[]} pictures @param {ArrayLike<number>} labels
   * @param {{ step: (gradients: Record<string, Float32Array>) => void }} optimizer
   * @returns {number}  the loss before it
   */
  step(pictures, labels, optimizer) {
    this.zeroGradients();
    const loss = this.backward(pictures, labels);
    optimizer.step(this.gradients);
    return loss;
  }

  /**
   * What the network says of pictures, in eval mode.
   *
   * @param {Float32Array[]} pictures @param {ArrayLike<number>} labels
   * @returns {TestScore}
   */
  score(pictures, labels) {
    const [engine] = this.#engines;
    const scores = engine.values[this.#plan.scores];
    const confusion = Array.from(scores, () => Array.from(scores, () => 0));
    pictures.forEach((picture, i) => {
      engine.run(picture);
      confusion[labels[i]][scores.indexOf(Math.max(...scores))] += 1;
    });
    return { numRight: sumOf(confusion.map((row, label) => row[label])), confusion };
  }
}

// ---------------------------------------------------------------------------- batch norm

/** Like PyTorch, a batch is normalised by its own statistics if it has several numbers for each channel. @param {BackwardTask[]} tasks */
function isNormalised(tasks) {
  const [{ instruction, output }] = tasks;
  return instruction.kind === "batchNorm" && (tasks.length * output.length) / instruction.shape[0] > 1;
}

/**
 * Normalise a batch by its own mean and deviation, which the running ones follow; gives the way back.
 *
 * @param {BackwardTask[]} tasks  one for each picture
 */
function normalise(tasks) {
  const [{ instruction: { eps = 1e-5, momentum = 0.1, shape }, output, weights }] = tasks;
  const [running, deviations, weight, bias] = [need(weights("mean")), need(weights("deviation")), weights("weight"), weights("bias")];
  const count = (tasks.length * output.length) / shape[0];
  const own = Array.from(running, (_, channel) => {
    const mean = sumOver(tasks, channel, ({ inputs: [input] }, i) => input[i]) / count;
    const squares = sumOver(tasks, channel, ({ inputs: [input] }, i) => (input[i] - mean) ** 2);
    const deviation = Math.sqrt(squares / count + eps);
    const factor = (weight ? weight[channel] : 1) / deviation;
    sumOver(tasks, channel, (task, i) => (task.output[i] = (task.inputs[0][i] - mean) * factor + (bias ? bias[channel] : 0)));
    running[channel] += momentum * (mean - running[channel]);
    const variance = (1 - momentum) * (deviations[channel] ** 2 - eps) + (momentum * squares) / (count - 1);
    deviations[channel] = Math.sqrt(variance + eps);
    return { mean, deviation };
  });
  return () => backThroughNorm(tasks, own.map(({ mean }) => mean), own.map(({ deviation }) => deviation), count);
}
