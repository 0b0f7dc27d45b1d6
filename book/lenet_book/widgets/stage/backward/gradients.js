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
import { unitAt } from "../explanation.js";
import { productOf } from "../../shared/numbers.js";

/** @typedef {import("../../shared/windows.js").SlidingWindow} SlidingWindow */

/** The loss of a picture and all its gradients. @param {Engine} engine  after a run @param {number} label @returns {Gradients} */
export function backward(engine, label) {
  const plan = planOf(engine.program, engine.arrays);
  const walk = new Backward(engine, plan);
  const { loss, shares } = walk.begin(label);
  for (let step = plan.scores; step > 0; step--) walk.back(step);
  return { loss, shares, values: walk.values, weights: plan.weights, blockedAt: plan.blockedAt };
}

/**
 * What all pictures of a network have in common on the way back.
 *
 * @param {Instruction[]} program @param {Record<string, Tensor>} arrays
 * @returns {BackwardPlan}
 */
export function planOf(program, arrays) {
  const last = program.length - 1;
  const scores = /softmax$/i.test(program[last].kind) ? program[last].inputs[0] : last;
  const isReached = program.map((_, step) => step === scores);
  /** @type {BackwardPlan} */
  const plan = { scores, rules: program.map(() => null), isReached, weights: {}, blockedAt: null };
  for (let step = scores; step > 0; step--) {
    if (!isReached[step]) continue;
    const instruction = program[step];
    const make = instruction.shape.length === 1 || step < scores ? rules[instruction.kind] : null;
    if (!make) {
      plan.blockedAt ??= { step, reason: instruction.reason ?? "it does not give one score for each class" };
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

/**
 * What a rule works on.
 *
 * @param {Engine} engine @param {number} step @param {Float32Array} gradient @param {Float32Array[]} below
 * @param {Record<string, Float32Array>} weights  their gradients
 * @returns {BackwardTask}
 */
export function taskOf({ program, values, arrays }, step, gradient, below, weights) {
  const instruction = program[step];
  const named = (/** @type {WeightRole} */ role) => instruction[role] ?? "";
  return {
    instruction, gradient, below,
    inputs: instruction.inputs.map((input) => values[input]),
    output: values[step],
    weights: (role) => /** @type {Float32Array | null} */ (arrays[named(role)]?.data ?? null),
    blame: (role) => weights[named(role)] ?? null,
  };
}

/** The way back of one picture, in memory that is set aside once. */
export class Backward {
  #plan;

  /**
   * @param {Engine} engine  whose arrays stay, while their numbers change
   * @param {BackwardPlan} plan  whose weights' gradients grow with every picture
   */
  constructor(engine, plan) {
    this.#plan = plan;
    /** By instruction, the loss's gradient for what came out of it; null where none arrives. */
    this.values = engine.values.map((output, step) => (plan.isReached[step] ? new Float32Array(output.length) : null));
    this.tasks = engine.program.map(({ inputs }, step) => {
      const [gradient, ...below] = [step, ...inputs].map((at) => /** @type {Float32Array} */ (this.values[at]));
      return taskOf(engine, step, gradient, below, plan.weights);
    });
  }

  /**
   * Begin at the scores: with share − 1 for the label, and its share for every other class.
   *
   * @param {number} label @param {number} part  of the loss that is this picture's
   */
  begin(label, part = 1) {
    const { output: scores, gradient } = this.tasks[this.#plan.scores];
    const { largest, exponentials, total } = softmaxParts(scores);
    const shares = exponentials.map((value) => value / total);
    for (const values of this.values) values?.fill(0);
    gradient.set(shares.map((share, unit) => part * (share - Number(unit === label))));
    return { loss: Math.log(total) + largest - scores[label], shares };
  }

  /** Go back through one instruction, if a gradient arrives and it has a rule. @param {number} step */
  back(step) {
    this.#plan.rules[step]?.(this.tasks[step]);
  }
}

// ---------------------------------------------------------------------------- the rules

/**
 * Where the numbers of a block lie in a larger one.
 *
 * @param {number[]} shape  of the block @param {number[]} size  of the other: height and width
 * @param {number[]} steps  down and right @param {number[]} start
 */
function placesIn(shape, [high, wide], [down, right], [top, left] = [0, 0]) {
  return Int32Array.from({ length: productOf(shape) }, (_, i) => {
    const [channel, row, column] = unitAt(i, shape);
    return (channel * high + row * down + top) * wide + column * right + left;
  });
}

/**
 * Each patch of the padded picture is copied once for all filters; so is its gradient back.
 *
 * @param {Instruction} instruction @param {number[][]} inputShapes
 * @returns {BackwardRule}
 */
function convolution(instruction, [inputShape]) {
  const [filters, rows, columns] = instruction.shape;
  const { groups = 1 } = instruction;
  const windows = /** @type {SlidingWindow[]} */ (windowsOf(instruction, inputShape));
  const each = (/** @type {(window: SlidingWindow) => number} */ of) => windows.map(of);
  const padded = each(({ inputSize, paddingBefore, outputSize, stride, span }) =>
    Math.max(inputSize + paddingBefore, (outputSize - 1) * stride + span));
  const [perGroup, depth] = [filters / groups, inputShape[0] / groups];
  const pixels = placesIn(inputShape, padded, [1, 1], each((window) => window.paddingBefore));
  const corners = placesIn([1, rows, columns], padded, each((window) => window.stride));
  const offsets = placesIn([depth, ...each((window) => window.kernelSize)], padded, each((window) => window.dilation));
  const [picture, pictureGradient] = [0, 1].map(() => new Float64Array(inputShape[0] * productOf(padded)));
  const [patch, patchGradient] = [0, 1].map(() => new Float64Array(offsets.length));

  return ({ inputs: [input], gradient, below: [below], weights, blame }) => {
    const [weight, weightGradient, biasGradient] = [need(weights("weight")), need(blame("weight")), blame("bias")];
    for (let i = 0; i < pixels.length; i++) picture[pixels[i]] = input[i];
    pictureGradient.fill(0);
    for (let filter = 0; filter < filters; filter += perGroup) {
      const group = (filter / perGroup) * depth * productOf(padded);
      for (let stop = 0; stop < corners.length; stop++) {
        const first = group + corners[stop];
        for (let i = 0; i < patch.length; i++) patch[i] = picture[first + offsets[i]];
        patchGradient.fill(0);
        for (let own = filter; own < filter + perGroup; own++) {
          const arriving = gradient[own * corners.length + stop];
          if (arriving !== 0) addOuter(arriving, own, patch, weight, weightGradient, patchGradient);
          if (biasGradient) biasGradient[own] += arriving;
        }
        for (let i = 0; i < patch.length; i++) pictureGradient[first + offsets[i]] += patchGradient[i];
      }
    }
    for (let i = 0; i < pixels.length; i++) below[i] += pictureGradient[pixels[i]];
  };
}

/**
 * What one sum gives to its weights, and to what they were multiplied with.
 *
 * @param {number} arriving @param {number} unit  whose weights these are
 * @param {Float32Array | Float64Array} input @param {Float32Array} weight
 * @param {Float32Array} weightGradient @param {Float32Array | Float64Array} below
 */
function addOuter(arriving, unit, input, weight, weightGradient, below) {
  const start = unit * input.length;
  for (let i = 0; i < input.length; i++) {
    weightGradient[start + i] += arriving * input[i];
    below[i] += arriving * weight[start + i];
  }
}

/**
 * The gradient goes to the winner alone, the first of equals, or in equal parts to all.
 *
 * @param {boolean} takesMaximum
 * @returns {(instruction: Instruction, inputShapes: number[][]) => BackwardRule}
 */
function pooling(takesMaximum) {
  return (instruction, [inputShape]) => {
    const [, rows, columns] = instruction.shape;
    const [, height, width] = inputShape;
    const windows = windowsOf(instruction, inputShape);
    const [down, right] = [pixelsInside(windows[0], rows), pixelsInside(windows[1], columns)];
    const stops = Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = unitAt(i, [rows, columns]);
      const pixels = down[row].flatMap((y) => right[column].map((x) => y * width + x));
      return { pixels, divisor: divisorOf(instruction, windows, [row, column]) };
    });
    return ({ inputs: [input], gradient, below: [below] }) => {
      for (let unit = 0; unit < gradient.length; unit++) {
        if (gradient[unit] === 0) continue;
        const { pixels, divisor } = stops[unit % stops.length];
        const first = Math.floor(unit / stops.length) * height * width;
        if (takesMaximum) below[first + winnerOf(input, first, pixels)] += gradient[unit];
        else for (const pixel of pixels) below[first + pixel] += gradient[unit] / divisor;
      }
    };
  };
}

/** @param {Float32Array} input @param {number} first @param {number[]} pixels */
function winnerOf(input, first, pixels) {
  let winner = pixels[0];
  for (const pixel of pixels) if (input[first + pixel] > input[first + winner]) winner = pixel;
  return winner;
}

/**
 * Back through a normalisation. Where a batch was normalised by its own mean and deviation, each of its
 * `count` numbers of a channel moves these.
 *
 * @param {BackwardTask[]} tasks  of the batch @param {ArrayLike<number>} means
 * @param {ArrayLike<number>} deviations @param {number} count
 */
export function backThroughNorm(tasks, means, deviations, count = Infinity) {
  const [{ instruction, weights, blame }] = tasks;
  const [weight, weightGradient, biasGradient] = [weights("weight"), blame("weight"), blame("bias")];
  for (let channel = 0; channel < instruction.shape[0]; channel++) {
    const normal = (/** @type {number} */ value) => (value - means[channel]) / deviations[channel];
    const forBias = sumOver(tasks, channel, ({ gradient }, i) => gradient[i]);
    const forWeight = sumOver(tasks, channel, ({ gradient, inputs: [input] }, i) => gradient[i] * normal(input[i]));
    const factor = (weight ? weight[channel] : 1) / deviations[channel];
    sumOver(tasks, channel, ({ gradient, inputs: [input], below: [below] }, i) => {
      return (below[i] += factor * (gradient[i] - (forBias + normal(input[i]) * forWeight) / count));
    });
    if (weightGradient) weightGradient[channel] += forWeight;
    if (biasGradient) biasGradient[channel] += forBias;
  }
}

/**
 * Over all numbers of a channel in a batch.
 *
 * @param {BackwardTask[]} tasks @param {number} channel
 * @param {(task: BackwardTask, at: number) => number} term
 */
export function sumOver(tasks, channel, term) {
  const [{ instruction, output }] = tasks;
  const size = output.length / instruction.shape[0];
  let sum = 0;
  for (const task of tasks) for (let i = channel * size; i < (channel + 1) * size; i++) sum += term(task, i);
  return sum;
}

/** Of the weights: the outer product of what arrives and what went in. @returns {BackwardRule} */
function matrix() {
  return ({ inputs: [input], gradient, below: [below], weights, blame }) => {
    const [weight, weightGradient, biasGradient] = [need(weights("weight")), need(blame("weight")), blame("bias")];
    gradient.forEach((arriving, unit) => {
      if (arriving !== 0) addOuter(arriving, unit, input, weight, weightGradient, below);
      if (biasGradient) biasGradient[unit] += arriving;
    });
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

/**
 * Every share depends on every score.
 *
 * @param {(output: number, arriving: number, sums: { all: number, weighted: number }) => number} rule
 * @returns {() => BackwardRule}
 */
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
  batchNorm: () => (task) => backThroughNorm([task], need(task.weights("mean")), need(task.weights("deviation"))),
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
