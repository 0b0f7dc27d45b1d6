// @ts-check
/** How weights follow their gradients, as in `torch.optim`. */

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
