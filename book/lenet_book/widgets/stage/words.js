// @ts-check
/** What a step does, where a unit stands, and how its number came about, in words. */
import { unitAt } from "./explanation.js";
import { productOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

const AXES = [["number"], ["row", "column"], ["channel", "row", "column"]];
const COUNTS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/** Name a unit in words. @param {Unit} unit */
export function unitText(unit) {
  const names = AXES[unit.length - 1] ?? [];
  return unit.map((place, axis) => `${names[axis] ?? `axis ${axis + 1}`} ${place}`).join(", ");
}

/** @param {number} count @param {string} thing */
function counted(count, thing) {
  return `${COUNTS[count] ?? count} ${thing}${count === 1 ? "" : "s"}`;
}

/** @param {number[]} sizes */
function across(sizes) {
  return sizes.join("×");
}

/** What a step does, in one plain sentence. @param {Step[]} steps @param {number} index @returns {string} */
export function sentenceOf(steps, index) {
  const step = steps[index];
  const { name, shape, kernel } = step;
  const below = steps[step.inputs[0]];
  const window = kernel ? across(kernel) : "window";
  switch (step.kind) {
    case "input":
      return `The network sees ${across(shape.slice(-2))} numbers${shape[0] === 3 ? " in three colours" : ""}, one for each pixel, and nothing else.`;
    case "conv":
      return `${name} asks ${counted(shape[0], "question")} of every ${window} patch${channelsText(step, below)}.`;
    case "maxPool":
      return step.adaptive ? `${name} keeps the largest number of each of ${across(shape.slice(1))} parts.` : `${name} keeps the largest number of every ${window} window and drops the rest.`;
    case "avgPool":
      return step.adaptive ? `${name} takes the mean of each of ${across(shape.slice(1))} parts of a map.` : `${name} takes the mean of every ${window} window.`;
    case "linear":
      return `${name} adds up all ${below.shape[0]} numbers, ${shape[0] === 1 ? "each with a weight" : `${counted(shape[0], "time")}, each time with weights`} of its own.`;
    case "relu":
      return `${name} turns every number below zero into zero and lets the others pass.`;
    case "batchNorm":
      return `${name} shifts and scales each ${shape.length === 3 ? "map" : "number"} by amounts that training found.`;
    case "reshape":
      return `${name} writes the same ${productOf(shape)} numbers in another shape: ${across(below.shape)} becomes ${across(shape)}.`;
    case "softmax":
      return `${name} turns ${counted(shape[0], "score")} into shares between 0 and 1 that add up to 1.`;
    case "logSoftmax":
      return `${name} turns ${counted(shape[0], "score")} into the logarithms of their shares.`;
    case "sum":
      return `${name} adds ${step.inputs.map((input) => steps[input].name).join(" and ")}, number by number.`;
    case "recorded":
      return `${name} is shown as PyTorch computed it.`;
    case "identity":
      return `${name} changes nothing once the network is trained.`;
    default:
      return `${name} changes every number by itself, by one rule.`;
  }
}

/** @param {Step} step @param {Step} below */
function channelsText({ groups = 1 }, below) {
  const depth = below.shape[0] / groups;
  if (depth === 1) return groups === 1 ? "" : ", each in one channel";
  return groups === 1 ? `, through all ${counted(depth, "channel")} at once` : `, each through ${counted(depth, "channel")}`;
}

/** What one can do at a step. @param {Step} step @param {boolean} sweeps */
export function hintOf({ kind }, sweeps) {
  if (kind === "input") return "Draw, choose a picture, or bring your own; then go on to the first operation.";
  if (sweeps) return "Each stop of the window writes one number into every map. Drag it, point at a map, or use the arrow keys.";
  return "Point at a number on the right to see how it came about.";
}

/** How an input of a linear layer is called: through a flatten, by its place in the maps. @param {Step[]} steps @param {number} step @param {number} index */
export function placeName(steps, step, index) {
  let below = steps[steps[step].inputs[0]];
  while (["identity", "relu", "reshape"].includes(below.kind) && below.shape.length === 1) below = steps[below.inputs[0]];
  const [map, ...place] = unitAt(index, below.shape);
  return below.shape.length !== 3 || productOf(below.shape.slice(1)) === 1 ? `number ${index}` : `map ${map}, ${place.join("·")}`;
}

/** Which unit of a step is explained. @param {Step} step @param {Unit} unit @param {number | null} channel  of a convolution, shown alone */
export function whichText({ kind, shape }, unit, channel) {
  if (kind === "conv") return `filter ${unit[0]} of ${shape[0]}${channel === null ? "" : `, channel ${channel}`} `;
  return kind === "input" ? "a picture is numbers" : unitText(unit);
}

/** A number that follows a sign. @param {number} value */
export function inBrackets(value, text = numberText(value)) {
  return value < 0 ? `(${text})` : text;
}

/** What stands before the result, where it is no sum. @param {Arithmetic} arithmetic @param {State} state @returns {string} */
export function lineOf(arithmetic, state) {
  switch (arithmetic.kind) {
    case "input":
      return pixelText(arithmetic.result, state);
    case "maxPool":
      return "the largest is ";
    case "avgPool":
      return `${numberText(arithmetic.sum)} / ${arithmetic.divisor} = `;
    case "softmax": {
      const { exponentials, scores, largest, unit, total } = arithmetic;
      if (state.steps[state.step].kind === "logSoftmax") return `log(${numberText(exponentials[unit] / total)}) = `;
      return `e^(${numberText(scores[unit], 2)} − ${numberText(largest, 2)}) / ${numberText(total, 3)} = `;
    }
    case "batchNorm":
      return "comes out: ";
    case "reshape":
      return `number ${arithmetic.index} is `;
    case "recorded":
      return `The page cannot repeat this (${arithmetic.reason}); PyTorch computed `;
    case "pointwise":
      return pointwiseText(arithmetic);
    default:
      return "";
  }
}

/** How a pixel was made what the network takes. @param {number} value @param {State} state */
function pixelText(value, { input, unit }) {
  if (!input.isPixels) return "as the network takes it: ";
  const [mean, std] = input.statistics(unit.length === 3 ? unit[0] : 0);
  const pixel = `${numberText((value * std + mean) * 255, 0)} / 255`;
  return mean === 0 && std === 1 ? `pixel ${pixel} = ` : `(pixel ${pixel} − mean ${numberText(mean)}) / deviation ${numberText(std)} = `;
}

/** @param {ArithmeticOf<"pointwise">} arithmetic */
function pointwiseText({ name, value, scale, shift, slope }) {
  const text = numberText(value);
  switch (name) {
    case "relu":
      return `max(0, ${text}) = `;
    case "leakyRelu":
      return value < 0 ? `${slope} × ${inBrackets(value)} = ` : `${text} is not below 0 and stays `;
    case "sigmoid":
      return `1 / (1 + e^(−${inBrackets(value)})) = `;
    case "affine":
      return `${scale} × ${inBrackets(value)} + ${inBrackets(shift)} = `;
    case "identity":
      return "nothing changes here once the network is trained: ";
    default:
      return `${name}(${text}) = `;
  }
}
