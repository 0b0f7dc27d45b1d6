// @ts-check
/** What a step does, and where a unit stands, in words. */
/** @typedef {import("./state.js").Step} Step */
/** @typedef {import("./explanation.js").Unit} Unit */

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
      return `${name} writes the same ${step.shape.reduce((a, b) => a * b, 1)} numbers in another shape: ${across(below.shape)} becomes ${across(shape)}.`;
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
