// @ts-check
/**
 * Walks a program back, from its loss to the picture, and gives every number its gradient.
 *
 * The loss is the cross-entropy of the scores: −log of the share that softmax gives to the label.
 * Each kind of operation has one rule: how the gradient of what came out becomes that of what went
 * in, and of the weights. All that stands in this folder comes when it is first used: the stage says
 * `import("./backward/….js")`, which `shared/joining.py` turns into a script of its own.
 */
import { divisorOf, need, pixelsInside, softmaxParts, windowsOf } from "../engine.js";

/** @typedef {import("../../shared/windows.js").SlidingWindow} SlidingWindow */

/** The loss of a picture and all its gradients. @param {Engine} engine  after a run @param {number} label @returns {Gradients} */
export function backward(engine, label) {
  const plan = planOf(engine.program, engine.arrays);
  const walk = new Backward(engine, plan);
  const { loss, shares } = walk.begin(label);
  for (let step = plan.scores; step > 0; step--) walk.back(step);
  return { loss, shares, values: walk.values, weights: plan.weights, blockedAt: plan.blockedAt };
}

/** What all pictures of a network have in common on the way back. @param {Instruction[]} program @param {Record<string, Tensor>} arrays @returns {BackwardPlan} */
export function planOf(program, arrays) {
  const last = program.length - 1;
  const scores = /softmax$/i.test(program[last].kind) ? program[last].inputs[0] : last;
  const isReached = program.map((_, step) => step === scores);
  /** @type {BackwardPlan} */
  const plan = { scores, rules: program.map(() => null), isReached, weights: {}, blockedAt: null };
  for (let step = scores; step > 0; step--) {
    if (!isReached[step]) continue;
    const instruction = program[step];
    const make = rules[instruction.kind];
    if (!make) {
      plan.blockedAt ??= { step, reason: instruction.reason ?? `${instruction.kind} has no rule for the way back` };
      continue;
    }
    plan.rules[step] = make(instruction, instruction.inputs.map((input) => program[input].shape));
    for (const input of instruction.inputs) isReached[input] = true;
    for (const name of [instruction.weight, instruction.bias]) {
      if (name) plan.weights[name] ??= new Float32Array(arrays[name].data.length);
    }
  }
  return plan;
}

/** The way back of one picture, in memory that is set aside once. */
export class Backward {
  #plan; #tasks; #engine;

  /** @param {Engine} engine @param {BackwardPlan} plan  whose weights' gradients grow with every picture */
  constructor(engine, plan) {
    const { program, values } = engine;
    this.#engine = engine;
    this.#plan = plan;
    /** By instruction, the loss's gradient for what came out of it; null where none arrives. */
    this.values = values.map((output, step) => (plan.isReached[step] ? new Float32Array(output.length) : null));
    this.#tasks = program.map((instruction, step) => ({
      instruction,
      inputs: instruction.inputs.map((input) => values[input]),
      output: values[step],
      gradient: /** @type {Float32Array} */ (this.values[step]),
      below: instruction.inputs.map((input) => /** @type {Float32Array} */ (this.values[input])),
      weights: (/** @type {WeightRole} */ role) => engine.weightsOf(instruction, role),
      blame: (/** @type {"weight" | "bias"} */ role) => plan.weights[instruction[role] ?? ""] ?? null,
    }));
  }

  /** Begin at the scores: with share − 1 for the label, and its share for every other class. @param {number} label @param {number} part  of the loss that is this picture's */
  begin(label, part = 1) {
    const { scores } = this.#plan;
    const { largest, exponentials, total } = softmaxParts(this.#engine.values[scores]);
    const shares = exponentials.map((value) => value / total);
    for (const gradient of this.values) gradient?.fill(0);
    need(this.values[scores]).set(shares.map((share, unit) => part * (share - Number(unit === label))));
    return { loss: Math.log(total) + largest - this.#engine.values[scores][label], shares };
  }

  /** Go back through one instruction, if a gradient arrives and it has a rule. @param {number} step */
  back(step) {
    this.#plan.rules[step]?.(this.#tasks[step]);
  }

  /** What an instruction works on. @param {number} step @returns {BackwardTask} */
  taskOf(step) {
    return this.#tasks[step];
  }
}

// ---------------------------------------------------------------------------- the rules

/** Each patch of the padded picture is copied once for all filters; so is its gradient back. @param {Instruction} instruction @param {number[][]} inputShapes @returns {BackwardRule} */
function convolution(instruction, [[channels, height, width]]) {
  const [filters, rows, columns] = instruction.shape;
  const { groups = 1 } = instruction;
  const windows = /** @type {SlidingWindow[]} */ (windowsOf(instruction, [channels, height, width]));
  const [top, left] = windows.map((window) => window.paddingBefore);
  const [high, wide] = windows.map((window) => Math.max(window.inputSize + window.paddingBefore, (window.outputSize - 1) * window.stride + window.span));
  const [perGroup, depth] = [filters / groups, channels / groups];
  const offsets = offsetsIn(windows, depth, high, wide);
  const [padded, paddedGradient] = [new Float32Array(channels * high * wide), new Float64Array(channels * high * wide)];
  const [patch, patchGradient] = [new Float64Array(offsets.length), new Float64Array(offsets.length)];
  const size = offsets.length;

  return ({ inputs: [input], gradient, below: [below], weights, blame }) => {
    const [weight, weightGradient, biasGradient] = [need(weights("weight")), need(blame("weight")), blame("bias")];
    for (let line = 0; line < channels * height; line++) {
      const at = (Math.floor(line / height) * high + top + (line % height)) * wide + left;
      for (let column = 0; column < width; column++) padded[at + column] = input[line * width + column];
    }
    paddedGradient.fill(0);
    for (let stop = 0; stop < rows * columns; stop++) {
      const corner = Math.floor(stop / columns) * windows[0].stride * wide + (stop % columns) * windows[1].stride;
      for (let group = 0; group < groups; group++) {
        const first = group * depth * high * wide + corner;
        let isCopied = false;
        for (let filter = group * perGroup; filter < (group + 1) * perGroup; filter++) {
          const arriving = gradient[filter * rows * columns + stop];
          if (arriving === 0) continue;
          if (!isCopied) {
            for (let i = 0; i < size; i++) patch[i] = padded[first + offsets[i]];
            patchGradient.fill(0);
            isCopied = true;
          }
          const start = filter * size;
          for (let i = 0; i < size; i++) {
            weightGradient[start + i] += arriving * patch[i];
            patchGradient[i] += arriving * weight[start + i];
          }
          if (biasGradient) biasGradient[filter] += arriving;
        }
        if (isCopied) for (let i = 0; i < size; i++) paddedGradient[first + offsets[i]] += patchGradient[i];
      }
    }
    for (let line = 0; line < channels * height; line++) {
      const at = (Math.floor(line / height) * high + top + (line % height)) * wide + left;
      for (let column = 0; column < width; column++) below[line * width + column] += paddedGradient[at + column];
    }
  };
}

/** Where the pixels under a kernel lie, from the first on. @param {SlidingWindow[]} windows @param {number} depth @param {number} high @param {number} wide */
function offsetsIn([down, right], depth, high, wide) {
  const [rows, columns] = [down.kernelSize, right.kernelSize];
  return Int32Array.from({ length: depth * rows * columns }, (_, i) => {
    const [channel, row, column] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
    return (channel * high + row * down.dilation) * wide + column * right.dilation;
  });
}

/** The gradient goes to the winner alone, the first of equals, or in equal parts to all. @param {boolean} takesMaximum @returns {(instruction: Instruction, inputShapes: number[][]) => BackwardRule} */
function pooling(takesMaximum) {
  return (instruction, [inputShape]) => {
    const [, rows, columns] = instruction.shape;
    const [, height, width] = inputShape;
    const windows = windowsOf(instruction, inputShape);
    const [down, right] = [pixelsInside(windows[0], rows), pixelsInside(windows[1], columns)];
    const pixels = Array.from({ length: rows * columns }, (_, stop) => Int32Array.from(down[Math.floor(stop / columns)].flatMap((i) => right[stop % columns].map((j) => i * width + j))));
    const divisors = pixels.map((_, stop) => divisorOf(instruction, windows, [Math.floor(stop / columns), stop % columns]));

    return ({ inputs: [input], gradient, below: [below] }) => {
      for (let unit = 0; unit < gradient.length; unit++) {
        if (gradient[unit] === 0) continue;
        const stop = unit % pixels.length;
        const first = Math.floor(unit / pixels.length) * height * width;
        if (takesMaximum) below[first + winnerOf(input, first, pixels[stop])] += gradient[unit];
        else for (const pixel of pixels[stop]) below[first + pixel] += gradient[unit] / divisors[stop];
      }
    };
  };
}

/** @param {Float32Array} input @param {number} first @param {Int32Array} pixels */
function winnerOf(input, first, pixels) {
  let winner = pixels[0];
  for (const pixel of pixels) if (input[first + pixel] > input[first + winner]) winner = pixel;
  return winner;
}

/** With fixed statistics, a normalisation multiplies. @param {Instruction} instruction @returns {BackwardRule} */
function normalisation({ shape: [channels] }) {
  return ({ inputs: [input], gradient, below: [below], weights, blame }) => {
    const size = gradient.length / channels;
    const [mean, deviation, weight] = [need(weights("mean")), need(weights("deviation")), weights("weight")];
    const [weightGradient, biasGradient] = [blame("weight"), blame("bias")];
    for (let i = 0; i < gradient.length; i++) {
      const channel = Math.floor(i / size);
      below[i] += (gradient[i] * (weight ? weight[channel] : 1)) / deviation[channel];
      if (weightGradient) weightGradient[channel] += (gradient[i] * (input[i] - mean[channel])) / deviation[channel];
      if (biasGradient) biasGradient[channel] += gradient[i];
    }
  };
}

/** Of the weights: the outer product of what arrives and what went in. @returns {BackwardRule} */
function matrix() {
  return ({ inputs: [input], gradient, below: [below], weights, blame }) => {
    const [weight, weightGradient, biasGradient] = [need(weights("weight")), need(blame("weight")), blame("bias")];
    const size = input.length;
    for (let unit = 0; unit < gradient.length; unit++) {
      const arriving = gradient[unit];
      if (arriving === 0) continue;
      const start = unit * size;
      for (let i = 0; i < size; i++) {
        weightGradient[start + i] += arriving * input[i];
        below[i] += arriving * weight[start + i];
      }
      if (biasGradient) biasGradient[unit] += arriving;
    }
  };
}

/** @param {(input: number, output: number, instruction: Instruction) => number} slope @returns {() => BackwardRule} */
function eachSlope(slope) {
  return () => ({ instruction, inputs: [input], output, gradient, below: [below] }) => {
    for (let i = 0; i < gradient.length; i++) below[i] += gradient[i] * slope(input[i], output[i], instruction);
  };
}

/** GELU is x·s(x); its slope is s + x·s′. @param {number} x @param {number} y @param {Instruction} instruction */
function slopeOfGelu(x, y, { form }) {
  const s = x === 0 ? 0.5 : y / x;
  if (form !== "tanh") return s + x * Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  return s + 2 * x * s * (1 - s) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
}

/** Every share depends on every score. @param {(output: number, arriving: number, sums: { all: number, weighted: number }) => number} rule @returns {() => BackwardRule} */
function eachScore(rule) {
  return () => ({ output, gradient, below: [below] }) => {
    const sums = { all: 0, weighted: 0 };
    gradient.forEach((arriving, i) => {
      sums.all += arriving;
      sums.weighted += arriving * output[i];
    });
    for (let i = 0; i < gradient.length; i++) below[i] += rule(output[i], gradient[i], sums);
  };
}

/** @type {Record<string, (instruction: Instruction, inputShapes: number[][]) => BackwardRule>} */
export const rules = {
  conv: convolution,
  maxPool: pooling(true),
  avgPool: pooling(false),
  batchNorm: normalisation,
  linear: matrix,
  relu: eachSlope((x) => Number(x > 0)),
  leakyRelu: eachSlope((x, _, { slope = 0.01 }) => (x > 0 ? 1 : slope)),
  elu: eachSlope((x, y, { alpha = 1 }) => (x > 0 ? 1 : y + alpha)),
  gelu: eachSlope(slopeOfGelu),
  tanh: eachSlope((_, y) => 1 - y * y),
  sigmoid: eachSlope((_, y) => y * (1 - y)),
  affine: eachSlope((_, __, { scale = 1 }) => scale),
  identity: eachSlope(() => 1),
  reshape: eachSlope(() => 1),
  sum: () => ({ gradient, below }) => below.forEach((part) => gradient.forEach((arriving, i) => (part[i] += arriving))),
  softmax: eachScore((y, arriving, { weighted }) => y * (arriving - weighted)),
  logSoftmax: eachScore((y, arriving, { all }) => arriving - Math.exp(y) * all),
};
