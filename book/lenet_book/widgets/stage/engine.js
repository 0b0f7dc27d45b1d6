// @ts-check
/**
 * Computes a network, operation by operation, as PyTorch does.
 *
 * A program is what `program.py` writes: instruction 0 is the picture, every other one names
 * its inputs by their numbers. Sums are kept in double precision and stored in single precision.
 */
import { productOf, sumOf } from "../shared/numbers.js";
import { AdaptiveWindow, SlidingWindow } from "../shared/windows.js";

const ROLES = /** @type {const} */ (["weight", "bias", "mean", "deviation"]);

/** Runs a program again and again, in memory that is set aside once. */
export class Engine {
  /** @param {Instruction[]} program @param {Record<string, Tensor>} arrays */
  constructor(program, arrays) {
    this.program = program;
    this.arrays = arrays;
    /** What came out of each instruction in the last run. */
    this.values = program.map(({ shape }) => new Float32Array(productOf(shape)));
    /** What each instruction works on. */
    this.tasks = program.map((instruction, index) => this.#taskOf(instruction, this.values[index]));
  }

  /**
   * Compute all activations.
   *
   * @param {ArrayLike<number>} picture  normalised, as the network takes it
   * @param {number} sample  which of the recorded pictures it is; -1 for another one, which only a
   *   program without recorded steps can compute
   * @returns {Float32Array[]}  by instruction; the next run overwrites them
   */
  run(picture, sample = -1) {
    const blocking = this.program.find(({ kind }) => kind === "recorded");
    if (sample < 0 && blocking) throw new Error(blocking.reason);
    this.values[0].set(picture);
    for (let step = 1; step < this.program.length; step++) this.compute(step, sample);
    return this.values;
  }

  /** Compute what comes out of one instruction. @param {number} step @param {number} sample */
  compute(step, sample = -1) {
    const task = this.tasks[step];
    if (task.instruction.kind === "recorded") this.#recall(task, sample);
    else operations[task.instruction.kind](task);
  }

  /** @param {Instruction} instruction @param {WeightRole} role @returns {Float32Array | null} */
  weightsOf(instruction, role) {
    const name = instruction[role];
    return name ? /** @type {Float32Array} */ (this.arrays[name].data) : null;
  }

  /** @param {Instruction} instruction @param {Float32Array} output @returns {EngineTask} */
  #taskOf(instruction, output) {
    const inputs = instruction.inputs.map((input) => this.values[input]);
    const inputShapes = instruction.inputs.map((input) => this.program[input].shape);
    const [weight, bias, mean, deviation] = ROLES.map((role) => /** @type {Float32Array} */ (this.weightsOf(instruction, role)));
    return { instruction, output, inputs, inputShapes, weight, bias, mean, deviation };
  }

  /** @param {EngineTask} task @param {number} sample */
  #recall({ instruction, output }, sample) {
    const start = instruction.perImage ? sample * output.length : 0;
    output.set(this.arrays[need(instruction.values)].data.subarray(start, start + output.length));
  }
}

/** The windows of a convolution or pooling over its input, down and across. @param {Instruction} instruction @param {number[]} inputShape */
export function windowsOf({ adaptive, shape, kernel, stride, padding, dilation }, [, ...sizes]) {
  return sizes.map((size, axis) => {
    if (adaptive) return new AdaptiveWindow(size, shape[axis + 1]);
    const [weights, step, pad, gap] = [kernel, stride, padding, dilation].map((setting) => need(setting)[axis]);
    return new SlidingWindow(size, weights, step, 2 * pad, gap);
  });
}

/** Add products to a sum, in double precision. @param {Float32Array} weights @param {number} from @param {Float32Array} values @param {number} start @param {number} length @param {number} sum */
function addProducts(weights, from, values, start, length, sum) {
  for (let i = 0; i < length; i++) sum += weights[from + i] * values[start + i];
  return sum;
}

/** The patches under a row of windows, one behind the other; 0 in the padding. @param {Float32Array} input @param {number[]} inputShape @param {number[]} rows @param {number[][]} stops  the columns under each window */
function patchesIn(input, [channels, height, width], rows, stops) {
  const patches = new Float32Array(stops.length * channels * rows.length * stops[0].length);
  let at = 0;
  for (const columns of stops) {
    for (let channel = 0; channel < channels; channel++) {
      for (const row of rows) {
        const line = (channel * height + row) * width;
        for (const column of columns) patches[at++] = row >= 0 && row < height && column >= 0 && column < width ? input[line + column] : 0;
      }
    }
  }
  return patches;
}

/** @param {EngineTask} task */
function convolve({ instruction, output, inputs: [input], inputShapes: [inputShape], weight, bias }) {
  const [filters, rows, columns] = instruction.shape;
  const groups = instruction.groups ?? 1;
  const [down, right] = windowsOf(instruction, inputShape);
  const stops = Array.from({ length: columns }, (_, stop) => right.pixelsAt(stop));
  const perFilter = weight.length / filters;
  for (let row = 0; row < rows; row++) {
    const patches = patchesIn(input, inputShape, down.pixelsAt(row), stops);
    for (let filter = 0; filter < filters; filter++) {
      const group = Math.floor((filter * groups) / filters);
      for (let column = 0; column < columns; column++) {
        const start = (column * groups + group) * perFilter;
        output[(filter * rows + row) * columns + column] = addProducts(weight, filter * perFilter, patches, start, perFilter, bias ? bias[filter] : 0);
      }
    }
  }
}

/** By what the sum of an average-pooling window is divided. @param {Instruction} instruction @param {AnyWindow[]} windows @param {number[]} stops  row and column */
export function divisorOf({ divisor, countPadding = false }, windows, stops) {
  return divisor || productOf(windows.map((window, axis) => window.numCounted(stops[axis], countPadding)));
}

/** The pixels under a window, without the padding, by stop. @param {AnyWindow} window @param {number} numStops */
export function pixelsInside(window, numStops) {
  return Array.from({ length: numStops }, (_, stop) => window.pixelsAt(stop).filter((pixel) => pixel >= 0 && pixel < window.inputSize));
}

/** @param {EngineTask} task @param {boolean} takesMaximum */
function pool({ instruction, output, inputs: [input], inputShapes: [inputShape] }, takesMaximum) {
  const [channels, rows, columns] = instruction.shape;
  const [, height, width] = inputShape;
  const windows = windowsOf(instruction, inputShape);
  const [down, right] = [pixelsInside(windows[0], rows), pixelsInside(windows[1], columns)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const divisor = takesMaximum ? 1 : divisorOf(instruction, windows, [row, column]);
      for (let channel = 0; channel < channels; channel++) {
        let result = takesMaximum ? -Infinity : 0;
        for (const i of down[row]) {
          for (const j of right[column]) {
            const value = input[(channel * height + i) * width + j];
            if (!takesMaximum) result += value;
            else if (value > result || Number.isNaN(value)) result = value;
          }
        }
        output[(channel * rows + row) * columns + column] = result / divisor;
      }
    }
  }
}

/** @param {EngineTask} task */
function batchNormalise({ instruction, output, inputs: [input], weight, bias, mean, deviation }) {
  const size = output.length / instruction.shape[0];
  for (let i = 0; i < output.length; i++) {
    const channel = Math.floor(i / size);
    output[i] = (input[i] - mean[channel]) * ((weight ? weight[channel] : 1) / deviation[channel]) + (bias ? bias[channel] : 0);
  }
}

/** @param {EngineTask} task */
function multiplyMatrix({ output, inputs: [input], weight, bias }) {
  const { length } = input;
  for (let unit = 0; unit < output.length; unit++) output[unit] = addProducts(weight, unit * length, input, 0, length, bias ? bias[unit] : 0);
}

/** @param {(value: number, instruction: Instruction) => number} change @returns {(task: EngineTask) => void} */
function eachValue(change) {
  return ({ instruction, output, inputs: [input] }) => {
    for (let i = 0; i < output.length; i++) output[i] = change(input[i], instruction);
  };
}

/** The error function, off by at most 1.5e-7 (Abramowitz and Stegun, 7.1.26). @param {number} x */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

/** What nn.GELU(approximate="tanh") takes in its place. @param {number} x */
function nearlyErf(x) {
  return Math.tanh((2 / Math.sqrt(Math.PI)) * (x + 0.08943 * x ** 3));
}

/** @param {EngineTask} task */
function takeOver({ output, inputs: [input] }) {
  output.set(input);
}

/** Turn scores into shares: the largest is taken off first, which changes no share and keeps the exponentials small. @param {ArrayLike<number>} scores */
export function softmaxParts(scores) {
  const all = Array.from(scores);
  const largest = Math.max(...all);
  const exponentials = all.map((score) => Math.exp(score - largest));
  return { largest, exponentials, total: sumOf(exponentials) };
}

/** @type {Record<string, (task: EngineTask) => void>} */
const operations = {
  conv: convolve,
  maxPool: (task) => pool(task, true),
  avgPool: (task) => pool(task, false),
  batchNorm: batchNormalise,
  linear: multiplyMatrix,
  relu: eachValue((value) => (value < 0 ? 0 : value)),
  leakyRelu: eachValue((value, { slope = 0.01 }) => (value < 0 ? slope * value : value)),
  elu: eachValue((value, { alpha = 1 }) => (value < 0 ? alpha * Math.expm1(value) : value)),
  gelu: eachValue((value, { form }) => (value / 2) * (1 + (form === "tanh" ? nearlyErf : erf)(value * Math.SQRT1_2))),
  tanh: eachValue(Math.tanh),
  sigmoid: eachValue((value) => 1 / (1 + Math.exp(-value))),
  affine: eachValue((value, { scale = 1, shift = 0 }) => scale * value + shift),
  sum: ({ output, inputs: [first, second] }) => output.forEach((_, i) => (output[i] = first[i] + second[i])),
  identity: takeOver,
  reshape: takeOver,
  softmax({ output, inputs: [scores] }) {
    const { exponentials, total } = softmaxParts(scores);
    output.set(exponentials.map((value) => value / total));
  },
  logSoftmax({ output, inputs: [scores] }) {
    const { largest, total } = softmaxParts(scores);
    output.set(scores.map((score) => score - largest - Math.log(total)));
  },
};

/** Apply to one number what an instruction does with each. @param {Instruction} instruction @param {number} value */
export function applyTo(instruction, value) {
  const output = new Float32Array(1);
  operations[instruction.kind](/** @type {EngineTask} */ ({ instruction, output, inputs: [Float32Array.of(value)] }));
  return output[0];
}

/** @template Value @param {Value | null | undefined} value @returns {Value} */
export function need(value) {
  if (value === null || value === undefined) throw new Error("the program is incomplete");
  return value;
}
