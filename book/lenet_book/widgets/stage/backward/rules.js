// @ts-check
/** By what rule a gradient goes back through an operation: how one number of it came about, and a sentence for each kind. */
import { termsOf } from "./products.js";
import { need } from "../engine.js";
import { arithmeticOf, boxOf, flatIndex } from "../explanation.js";
import { placeName, unitText } from "../words.js";
import { productOf, sumOf } from "../../shared/numbers.js";

const AS_THEY_ARE = ["conv", "linear", "maxPool", "avgPool", "batchNorm", "reshape", "sum", "identity"];
const NOT_ALL = 1e-4;

/**
 * Take the gradient of a weight or of a number that goes in apart.
 *
 * @param {Engine} engine @param {Gradients} gradients @param {number} step @param {Picked} picked
 * @returns {Explained}
 */
export function explain(engine, gradients, step, picked) {
  const { kind, inputs, shape } = engine.program[step];
  const { role } = picked;
  const name = role === "unit" ? "" : need(engine.program[step][role]);
  const at = flatIndex(picked.at, (name ? engine.arrays[name] : engine.program[inputs[0]]).shape);
  const { terms, result } = termsOf(engine, gradients, step, { role, at });
  const total = (name ? gradients.weights[name] : need(gradients.values[inputs[0]]))[at];
  const isAll = Math.abs(total - result) <= NOT_ALL * Math.abs(total);
  const others = isAll ? [] : [{ name: "by other ways", factors: [], product: total - result }];
  const from = terms.length ? boxAround(terms.map(({ unit }) => unit)) : null;
  const explained = { result: total, from, head: ["from", "gradient", "× how much it moves"] };
  if (name && shape.length === 3) {
    const [saw, map] = [role === "weight" ? terms.map(({ factor }) => factor) : null, terms.map(({ gradient }) => gradient)];
    const [one, many] = saw ? ["one product", `${terms.length} products`] : ["one gradient", `${terms.length} gradients`];
    const line = terms.length === 1 ? `one place, ${one}: ` : `${terms.length} places, ${many}. Their sum is `;
    return { ...explained, terms: [], maps: { shape: shape.slice(1), saw, map }, line };
  }
  if (kind === "conv") return { ...explained, terms: [...byFilter(terms), ...others], head: ["gradients × kernel of"] };
  if (kind === "maxPool" && terms.length) {
    const { unit, factor } = terms.find((term) => term.factor) ?? terms[0];
    const whose = factor ? "It is" : "Another is";
    const line = `${whose} the largest of its window${factor ? ", and gets its gradient: " : "; here goes on "}`;
    return { ...explained, terms: [], window: /** @type {ArithmeticOf<"maxPool">} */ (arithmeticOf(engine, step, unit)), line };
  }
  if (!AS_THEY_ARE.includes(kind) && !others.length) {
    const [{ factor: slope, gradient }] = terms;
    return { ...explained, terms: [], curve: { at, slope, gradient } };
  }
  const times = kind === "linear" && role === "weight" ? ` × ${placeName(/** @type {Step[]} */ (engine.program), step, picked.at[1])}` : "";
  const rows = terms.map(({ unit, factor, gradient, product }) => {
    const name = kind === "linear" ? `output ${unit}${times}` : unitText(unit);
    return { name, factors: [gradient, factor], product };
  });
  return { ...explained, terms: [...rows, ...others] };
}

/** @param {Unit[]} units @returns {Box} */
function boxAround(units) {
  return boxOf(units[0]).map((_, axis) => {
    const places = units.map((unit) => unit[axis]);
    return [Math.min(...places), Math.max(...places) + 1];
  });
}

/** The products of each filter, added up. @param {GradientTerm[]} terms @returns {Term[]} */
function byFilter(terms) {
  const filters = [...new Set(terms.map(({ unit }) => unit[0]))];
  return filters.map((filter) => {
    const own = terms.filter(({ unit }) => unit[0] === filter);
    const name = `filter ${filter}${own.length > 1 ? `, ${own.length} places` : ""}`;
    return { name, factors: [], product: sumOf(own.map(({ product }) => product)) };
  });
}

/**
 * What happens to gradients on their way back, in one plain sentence.
 *
 * @param {Step} step @param {Step} below @param {Picked["role"]} role  of what is looked at
 */
export function backSentence({ name, kind, inputs }, below, role) {
  if (role === "bias" && below.shape.length === 3) return `${name}: a bias collects the gradients of all numbers of its map.`;
  if (role === "bias") return `${name}: a bias has the gradient of the one number it was added to.`;
  const isWeight = role === "weight";
  switch (kind) {
    case "conv":
      if (isWeight) return `${name}: each weight collects blame from every place where it was used.`;
      return `${name}: each number collects blame from every window it stood in.`;
    case "linear":
      if (isWeight) return `${name}: a weight's gradient is what came in, times the gradient of what it led to.`;
      return `${name}: each number collects blame from every output, times the weight between.`;
    case "maxPool":
      return `${name}: the gradient goes to the number that won its window; the others get nothing.`;
    case "avgPool":
      return `${name}: every number of a window gets an equal share of its gradient.`;
    case "relu":
      return `${name} is a gate: where the number was above zero the gradient passes, elsewhere it ends.`;
    case "reshape":
      return `${name} folds the ${productOf(below.shape)} gradients back into the shape ${below.shape.join("×")}.`;
    case "batchNorm":
      if (isWeight) return `${name}: a weight collects what it scaled, times the gradient of what came out.`;
      return `${name}: every gradient is scaled as its number was.`;
    case "sum":
      return `${name}: the gradient goes on to ${inputs.length === 2 ? "both" : "all"} that were added.`;
    case "identity":
      return `${name} lets every gradient pass.`;
    case "softmax":
    case "logSoftmax":
      return "The loss is −log of the right answer's share; for each score its gradient is p − y.";
    default:
      return `${name}: every gradient is multiplied by the slope of the rule at its number.`;
  }
}
