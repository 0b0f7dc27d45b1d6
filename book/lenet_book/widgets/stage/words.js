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

/** @param {number[]} [sizes] */
function across(sizes = []) {
  return sizes.join("×");
}

/** What a step of each kind does. @type {Record<string, (step: Step, below: Step, steps: Step[]) => string>} */
const DEEDS = {
  input: ({ shape }) => `sees ${across(shape.slice(-2))} numbers${shape[0] === 3 ? " in three colours" : ""}, one for each pixel, and nothing else`,
  conv: (step, below) => `asks ${counted(step.shape[0], "question")} of every ${across(step.kernel)} patch${channelsText(step, below)}`,
  maxPool: ({ adaptive, shape, kernel }) => `keeps the largest number of ${adaptive ? `each of ${across(shape.slice(1))} parts` : `every ${across(kernel)} window and drops the rest`}`,
  avgPool: ({ adaptive, shape, kernel }) => `takes the mean of ${adaptive ? `each of ${across(shape.slice(1))} parts of a map` : `every ${across(kernel)} window`}`,
  linear: ({ shape }, below) => `adds up all ${below.shape[0]} numbers, ${shape[0] === 1 ? "each with a weight" : `${counted(shape[0], "time")}, each time with weights`} of its own`,
  relu: () => "turns every number below zero into zero and lets the others pass",
  batchNorm: ({ shape }) => `shifts and scales each ${shape.length === 3 ? "map" : "number"} by amounts that training found`,
  reshape: ({ shape }, below) => `writes the same ${productOf(shape)} numbers in another shape: ${across(below.shape)} becomes ${across(shape)}`,
  softmax: ({ shape }) => `turns ${counted(shape[0], "score")} into shares between 0 and 1 that add up to 1`,
  logSoftmax: ({ shape }) => `turns ${counted(shape[0], "score")} into the logarithms of their shares`,
  sum: ({ inputs }, _, steps) => `adds ${inputs.map((input) => steps[input].name).join(" and ")}, number by number`,
  recorded: () => "is shown as PyTorch computed it",
  identity: () => "changes nothing once the network is trained",
};

/** What a step does, in one plain sentence. @param {Step[]} steps @param {number} index */
export function sentenceOf(steps, index) {
  const step = steps[index];
  const deed = DEEDS[step.kind]?.(step, steps[step.inputs[0]], steps) ?? "changes every number by itself, by one rule";
  return `${index ? step.name : "The network"} ${deed}.`;
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

/** What stands before the result, where it is no sum. @type {{ [Kind in Arithmetic["kind"]]?: (arithmetic: ArithmeticOf<Kind>, state: State) => string }} */
const LINES = {
  input: ({ result }, state) => pixelText(result, state),
  maxPool: () => "the largest is ",
  avgPool: ({ sum, divisor }) => `${numberText(sum)} / ${divisor} = `,
  softmax({ exponentials, scores, largest, unit, total }, { steps, step }) {
    if (steps[step].kind === "logSoftmax") return `log(${numberText(exponentials[unit] / total)}) = `;
    return `e^(${numberText(scores[unit], 2)} − ${numberText(largest, 2)}) / ${numberText(total, 3)} = `;
  },
  batchNorm: () => "comes out: ",
  reshape: ({ index }) => `number ${index} is `,
  recorded: ({ reason }) => `The page cannot repeat this (${reason}); PyTorch computed `,
  pointwise: (arithmetic) => RULES[arithmetic.name]?.(arithmetic) ?? `${arithmetic.name}(${numberText(arithmetic.value)}) = `,
};

/** Rules by which a number is changed by itself. @type {Record<string, (arithmetic: ArithmeticOf<"pointwise">) => string>} */
const RULES = {
  relu: ({ value }) => `max(0, ${numberText(value)}) = `,
  leakyRelu: ({ value, slope }) => (value < 0 ? `${slope} × ${inBrackets(value)} = ` : `${numberText(value)} is not below 0 and stays `),
  sigmoid: ({ value }) => `1 / (1 + e^(−${inBrackets(value)})) = `,
  affine: ({ value, scale, shift }) => `${scale} × ${inBrackets(value)} + ${inBrackets(shift)} = `,
  identity: () => "nothing changes here once the network is trained: ",
};

/** @param {Arithmetic} arithmetic @param {State} state */
export function lineOf(arithmetic, state) {
  const line = /** @type {((arithmetic: Arithmetic, state: State) => string) | undefined} */ (LINES[arithmetic.kind]);
  return line?.(arithmetic, state) ?? "";
}

/** How a pixel was made what the network takes. @param {number} value @param {State} state */
function pixelText(value, { input, unit }) {
  if (!input.isPixels) return "as the network takes it: ";
  const [mean, std] = input.statistics(unit.length === 3 ? unit[0] : 0);
  const pixel = `${numberText((value * std + mean) * 255, 0)} / 255`;
  return mean === 0 && std === 1 ? `pixel ${pixel} = ` : `(pixel ${pixel} − mean ${numberText(mean)}) / deviation ${numberText(std)} = `;
}
