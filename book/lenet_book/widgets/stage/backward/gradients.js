// @ts-check
/**
 * Walks a program back, from its loss to the picture, and gives every number its gradient.
 *
 * The loss is the cross-entropy of the scores: −ln of the share that softmax gives to the label.
 * Each kind of operation has one rule: how the gradient of what came out becomes that of what went
 * in, and of the weights. All that stands in this folder comes when it is first used: the stage says
 * `import("./backward/….js")`, which `shared/joining.py` turns into a script of its own.
 */
import { divisorOf, need, softmaxParts, windowsOf } from "../engine.js";
import { boxBelow, boxOf, flatIndex, isUnit, unitAt } from "../explanation.js";
import { productOf, sumOf } from "../../shared/numbers.js";

/** The way back of a batch of pictures, in memory that is set aside once. */
export class Backward {
  /** Gradients by the names of arrays. @type {Record<string, Float32Array>} */
  weights = {};
  /** The first instruction, on the way back, that has no rule; no gradient goes past it. @type {number | null} */
  blockedAt = null;

  /** @param {Engine[]} engines  of one program and its arrays, which stay while their numbers change; one for each picture */
  constructor(engines) {
    const [{ program, arrays }] = engines;
    const last = program.length - 1;
    /** The instruction whose output is scored. */
    this.scores = /softmax$/i.test(program[last].kind) ? program[last].inputs[0] : last;
    /** By instruction; null where no gradient goes on. @type {(BackwardRule | null)[]} */
    this.rules = program.map(() => null);
    /** By instruction: does a gradient arrive at what comes out? */
    this.isReached = program.map((_, step) => step === this.scores);
    for (let step = this.scores; step > 0; step--) {
      const { kind, inputs, weight, bias } = program[step];
      if (this.isReached[step] && !rules[kind]) this.blockedAt ??= step;
      if (!this.isReached[step] || !rules[kind]) continue;
      this.rules[step] = rules[kind](program[step], program[inputs[0]].shape);
      for (const input of inputs) this.isReached[input] = true;
      for (const name of [weight, bias]) if (name) this.weights[name] ??= new Float32Array(arrays[name].data.length);
    }
    /** By picture and instruction, the gradient of what came out. */
    this.values = engines.map(({ values }) => values.map(({ length }) => new Float32Array(length)));
    /** By instruction and picture. */
    this.tasks = program.map(({ inputs, weight = "", bias = "" }, step) => engines.map(({ tasks }, picture) => {
      const [gradient, ...below] = [step, ...inputs].map((at) => this.values[picture][at]);
      return { ...tasks[step], gradient, below, ofWeight: this.weights[weight], ofBias: this.weights[bias] };
    }));
  }

  /**
   * Compute the gradients of the mean loss of pictures. At the scores each begins with share − 1 for the label, and its share for every other class.
   *
   * @param {number[]} labels  of the first pictures
   * @param {Map<number, () => void>} norms  the ways back of instructions that have normalised the batch
   * @returns {Gradients[]}  of each picture; those of weights are of all
   */
  run(labels, norms = new Map()) {
    for (const gradients of [...Object.values(this.weights), ...this.values.flat()]) gradients.fill(0);
    const answers = labels.map((label, picture) => {
      const { output: scores, gradient } = this.tasks[this.scores][picture];
      const { largest, exponentials, total } = softmaxParts(scores);
      const shares = exponentials.map((value) => value / total);
      gradient.set(shares.map((share, unit) => (share - Number(unit === label)) / labels.length));
      return { loss: Math.log(total) + largest - scores[label], shares, values: this.values[picture], weights: this.weights };
    });
    for (let step = this.scores; step > 0; step--) {
      if (norms.has(step)) norms.get(step)?.();
      else for (const task of this.tasks[step].slice(0, labels.length)) this.rules[step]?.(task);
    }
    return answers;
  }
}

/**
 * Take the gradient of a weight, or of a number that goes in, apart.
 *
 * Each number that comes out and depends on it adds a product: how much that number moves with it,
 * times the gradient that arrives there. The first factor is what the rule of the instruction gives
 * where nothing but a gradient of 1 arrives, at that number.
 *
 * @param {Engine} engine  after a run @param {Backward} walk  after its run
 * @param {Backward} probe  another one of the same engine, whose gradients are not needed
 * @param {number} step  one that a gradient arrives at @param {Picked} picked
 * @param {number} [input]  whose number it is, where it goes in
 * @returns {GradientTerm[]}  in the order of the numbers that come out; for a kernel's weight, of the places of its map
 */
export function termsOf({ program, arrays }, walk, probe, step, { role, at }, input = program[step].inputs[0]) {
  const name = role === "unit" ? "" : need(program[step][role]);
  const [sink, { shape }] = name ? [probe.weights[name], arrays[name]] : [probe.values[0][input], program[input]];
  const [place, arriving, rule, [task]] = [flatIndex(at, shape), walk.values[0][step], need(probe.rules[step]), probe.tasks[step]];
  task.gradient.fill(0);
  return dependents(program, step, role, at).map((unit) => {
    const from = flatIndex(unit, program[step].shape);
    [task.gradient[from], sink[place]] = [1, 0];
    rule(task);
    task.gradient[from] = 0;
    return { unit, factor: sink[place], gradient: arriving[from], product: sink[place] * arriving[from] };
  });
}

/** The numbers that come out of a step and depend on one: on a weight, those of its filter. @param {Instruction[]} program @param {number} step @param {Picked["role"]} role @param {Unit} at */
function dependents(program, step, role, at) {
  const { shape } = program[step];
  const units = Array.from({ length: productOf(shape) }, (_, i) => unitAt(i, shape));
  if (role !== "unit") return units.filter(([filter]) => filter === at[0]);
  return units.filter((unit) => boxBelow(program, step, boxOf(unit)).every(([from, to], axis) => at[axis] >= from && at[axis] < to));
}

// ---------------------------------------------------------------------------- the rules

/** The places of the numbers under a window, stop by stop; −1 in the padding. @param {Instruction} instruction @param {number[]} inputShape */
function placesUnder(instruction, inputShape) {
  const windows = windowsOf(instruction, inputShape);
  const map = instruction.shape.slice(1);
  return Array.from({ length: productOf(map) }, (_, stop) => {
    const [rows, columns] = unitAt(stop, map).map((place, axis) => windows[axis].pixelsAt(place));
    const units = Array.from({ length: inputShape[0] }, (_, channel) => rows.flatMap((row) => columns.map((column) => [channel, row, column])));
    return Int32Array.from(units.flat(), (unit) => (isUnit(unit, inputShape) ? flatIndex(unit, inputShape) : -1));
  });
}

/**
 * Sums of weighted numbers: each number that comes out gives its gradient to its weights, times what
 * they were multiplied with, and to that, times the weights.
 *
 * @param {Int32Array[]} stops  the places of what goes into a sum @param {(filter: number) => number} firstOf  what these are counted from
 * @returns {BackwardRule}
 */
function weighted(stops, firstOf) {
  const { length } = stops[0];
  return ({ inputs: [input], gradient, below: [below], weight, ofWeight, ofBias }) => {
    for (let unit = 0; unit < gradient.length; unit++) {
      const arriving = gradient[unit];
      if (arriving === 0) continue; // as most of them, behind relu and max-pooling
      const filter = Math.floor(unit / stops.length);
      const [places, first, start] = [stops[unit % stops.length], firstOf(filter), filter * length];
      for (let i = 0; i < length; i++) {
        if (places[i] < 0) continue;
        ofWeight[start + i] += arriving * input[first + places[i]];
        below[first + places[i]] += arriving * weight[start + i];
      }
      if (ofBias) ofBias[filter] += arriving;
    }
  };
}

/** @param {Instruction} instruction @param {number[]} inputShape */
function convolution(instruction, [channels, ...size]) {
  const { groups = 1, shape } = instruction;
  const ofGroup = [channels / groups, ...size];
  return weighted(placesUnder(instruction, ofGroup), (filter) => Math.floor((filter * groups) / shape[0]) * productOf(ofGroup));
}

/** The gradient goes to the winner alone, the first of equals, or in equal parts to all. @param {boolean} takesMaximum @returns {(instruction: Instruction, inputShape: number[]) => BackwardRule} */
function pooling(takesMaximum) {
  return (instruction, [, height, width]) => {
    const windows = windowsOf(instruction, [1, height, width]);
    const stops = placesUnder(instruction, [1, height, width]).map((places) => places.filter((place) => place >= 0));
    const divisors = stops.map((_, stop) => divisorOf(instruction, windows, unitAt(stop, instruction.shape.slice(1))));
    return ({ inputs: [input], gradient, below: [below] }) => {
      gradient.forEach((arriving, unit) => {
        if (arriving === 0) return;
        const [stop, first] = [unit % stops.length, Math.floor(unit / stops.length) * height * width];
        const winner = (/** @type {number} */ best, /** @type {number} */ place) => (input[first + place] > input[first + best] ? place : best);
        if (takesMaximum) below[first + stops[stop].reduce(winner)] += arriving;
        else for (const place of stops[stop]) below[first + place] += arriving / divisors[stop];
      });
    };
  };
}

/**
 * Back through a normalisation. Where a batch was normalised by its own mean and deviation, each of its
 * `count` numbers of a channel moves these.
 *
 * @param {BackwardTask[]} tasks  of the batch @param {ArrayLike<number>} means
 * @param {ArrayLike<number>} deviations @param {number} count
 */
export function backThroughNorm(tasks, means, deviations, count = Infinity) {
  const [{ instruction, weight, ofWeight, ofBias }] = tasks;
  for (let channel = 0; channel < instruction.shape[0]; channel++) {
    const normal = (/** @type {number} */ value) => (value - means[channel]) / deviations[channel];
    const forBias = sumOver(tasks, channel, ({ gradient }, i) => gradient[i]);
    const forWeight = sumOver(tasks, channel, ({ gradient, inputs: [input] }, i) => gradient[i] * normal(input[i]));
    const factor = (weight ? weight[channel] : 1) / deviations[channel];
    sumOver(tasks, channel, ({ gradient, inputs: [input], below: [below] }, i) => {
      return (below[i] += factor * (gradient[i] - (forBias + normal(input[i]) * forWeight) / count));
    });
    if (ofWeight) ofWeight[channel] += forWeight;
    if (ofBias) ofBias[channel] += forBias;
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

/** @type {Record<string, (instruction: Instruction, inputShape: number[]) => BackwardRule>} */
const rules = {
  conv: convolution,
  maxPool: pooling(true),
  avgPool: pooling(false),
  batchNorm: () => (task) => backThroughNorm([task], task.mean, task.deviation),
  linear: (_, [length]) => weighted([Int32Array.from({ length }, (_, i) => i)], () => 0),
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
  softmax: () => ({ output, gradient, below: [below] }) => {
    const moved = sumOf(Array.from(gradient, (arriving, i) => arriving * output[i])); // every share depends on every score
    for (let i = 0; i < gradient.length; i++) below[i] += output[i] * (gradient[i] - moved);
  },
  logSoftmax: () => ({ output, gradient, below: [below] }) => {
    const moved = sumOf(Array.from(gradient));
    for (let i = 0; i < gradient.length; i++) below[i] += gradient[i] - Math.exp(output[i]) * moved;
  },
};
