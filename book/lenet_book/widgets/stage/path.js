// @ts-check
/** The strongest way from the winning score back to one pixel. */
import { arithmeticOf, flatIndex } from "./explanation.js";

/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./explanation.js").Unit} Unit */
/** @typedef {{ step: number, unit: Unit }} Place */

/**
 * Follow what adds most, from the largest of the last numbers down: of a sum the largest term, of a
 * window the largest number. The way ends at the picture, or at what the page cannot compute.
 *
 * @param {Engine} engine  after a run
 * @returns {Place[]}  from the last step to the first
 */
export function strongestPath(engine) {
  const last = engine.program.length - 1;
  const values = engine.values[last];
  const winner = values.indexOf(Math.max(...values));
  /** @type {Place[]} */
  const places = engine.program[last].shape.length === 1 ? [{ step: last, unit: [winner] }] : [];
  while (places.length) {
    const below = strongestBelow(engine, places[places.length - 1]);
    if (!below) break;
    places.push(below);
  }
  return places;
}

/** @template Entry @param {Entry[]} entries @param {(entry: Entry) => number} size @returns {Entry} */
function largest(entries, size) {
  return entries.reduce((best, entry) => (size(entry) > size(best) ? entry : best));
}

/** The units of a patch that are no padding, and how much each adds. @param {import("./explanation.js").Patch} patch @param {number[][]} sizes */
function cellsOf({ channel, rows, columns, isInside }, sizes) {
  return sizes.flatMap((line, i) => line.flatMap((size, j) => (isInside[i][j] ? [{ unit: [channel, rows[i], columns[j]], size }] : [])));
}

/** What adds most to a unit. @param {Engine} engine @param {Place} place @returns {Place | null} */
export function strongestBelow(engine, { step, unit }) {
  const { inputs, shape } = engine.program[step];
  const arithmetic = arithmeticOf(engine, step, unit);
  switch (arithmetic.kind) {
    case "input":
    case "recorded":
      return null;
    case "conv":
    case "maxPool":
    case "avgPool": {
      const cells = arithmetic.kind === "conv"
        ? arithmetic.patches.flatMap((patch) => cellsOf(patch, patch.products))
        : cellsOf(arithmetic.patch, arithmetic.patch.values);
      return cells.length ? { step: inputs[0], unit: largest(cells, (cell) => cell.size).unit } : null;
    }
    case "linear":
      return { step: inputs[0], unit: [largest(arithmetic.contributions, ({ product }) => product).index] };
    case "reshape":
      return { step: inputs[0], unit: arithmetic.from };
    case "sum":
      return { step: largest(inputs, (input) => engine.values[input][flatIndex(unit, shape)]), unit };
    default:
      return { step: inputs[0], unit };
  }
}
