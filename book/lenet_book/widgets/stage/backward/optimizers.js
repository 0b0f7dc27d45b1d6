// @ts-check
/** How weights follow their gradients, as in `torch.optim`. */

/** The arrays that training changes: all weights that are not frozen, and what batch norm remembers. @param {Instruction[]} program */
export function trainedNames(program) {
  const all = program.flatMap(({ weight = "", bias = "", mean = "", deviation = "" }) => [weight, bias, mean, deviation]);
  const frozen = program.flatMap(({ frozen = [] }) => frozen);
  return [...new Set(all)].filter((name) => name && !frozen.includes(name));
}

/** @param {Record<string, Tensor>} arrays @param {string[]} names @returns {Record<string, Tensor>} */
export function copyOf(arrays, names) {
  return Object.fromEntries(names.map((name) => [name, { shape: arrays[name].shape, data: arrays[name].data.slice() }]));
}

class Optimizer {
  /** Taken so far. */
  numSteps = 0;
  /** What it remembers of earlier gradients, by the names of arrays. @type {Record<string, Float32Array[]>} */
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

  /** What a step would make of one weight, and of what is remembered of it. @param {string} name @param {number} index @param {number} gradient */
  preview(name, index, gradient) {
    const before = [0, 1].map((i) => this.memory[name]?.[i][index] ?? 0);
    const [weights, ...memory] = [this.arrays[name].data[index], ...before].map((value) => Float32Array.of(value));
    this.numSteps += 1;
    this.change(weights, Float32Array.of(gradient), memory);
    this.numSteps -= 1;
    return { before, memory: memory.map(([value]) => value), after: weights[0] };
  }

  /** @param {Numbers} _weights @param {Float32Array} _gradient @param {Float32Array[]} _memory */
  change(_weights, _gradient, _memory) {}

  /** Keep what a step changes. @param {string[]} names  of arrays @returns {() => void}  takes it back */
  saved(names) {
    const [kept, { memory, numSteps }] = [copyOf(this.arrays, names), structuredClone({ memory: this.memory, numSteps: this.numSteps })];
    return () => {
      for (const name of names) this.arrays[name].data.set(kept[name].data);
      Object.assign(this, { memory, numSteps });
    };
  }
}

/** Stochastic gradient descent. */
export class SGD extends Optimizer {
  /** @param {Numbers} weights @param {Float32Array} gradient */
  change(weights, gradient) {
    for (let i = 0; i < weights.length; i++) weights[i] -= this.rate * gradient[i];
  }
}

/** Kingma and Ba (2015): each weight has a step of its own. */
export class Adam extends Optimizer {
  betas = [0.9, 0.999];
  eps = 1e-8;

  /** @param {Numbers} weights @param {Float32Array} gradient @param {Float32Array[]} memory */
  change(weights, gradient, [mean, square]) {
    const [beta1, beta2] = this.betas;
    const [correction1, correction2] = this.betas.map((beta) => 1 - beta ** this.numSteps);
    for (let i = 0; i < weights.length; i++) {
      mean[i] = beta1 * mean[i] + (1 - beta1) * gradient[i];
      square[i] = beta2 * square[i] + (1 - beta2) * gradient[i] * gradient[i];
      weights[i] -= (this.rate * (mean[i] / correction1)) / (Math.sqrt(square[i] / correction2) + this.eps);
    }
  }
}
