// @ts-check
/** Gradients as text: what happens to them on their way back, and numbers that may be small. */
import { productOf } from "../../shared/numbers.js";
import { numberText } from "../../shared/text.js";

/**
 * What an operation does with gradients, in one plain sentence.
 *
 * @param {Step} step @param {Step} below @param {Picked["role"]} role  of what is looked at
 */
export function backSentence({ name, kind }, below, role) {
  /** Of a number that goes in, and of a weight. @type {Record<string, string[]>} */
  const sentences = {
    conv: ["each number collects blame from every window it stood in", "each weight collects blame from every place where it was used"],
    linear: ["each number collects blame from every output, times the weight between", "a weight's gradient is what came in, times the gradient of what it led to"],
    batchNorm: ["every gradient is scaled as its number was", "a weight collects what it scaled, times the gradient of what came out"],
    maxPool: ["the gradient goes to the number that won its window; the others get nothing"],
    avgPool: ["every number of a window gets an equal share of its gradient"],
    relu: ["a gate; above zero the gradient passes, elsewhere it ends"],
    reshape: [`the ${productOf(below.shape)} gradients are folded back into the shape ${below.shape.join("×")}`],
    sum: ["the gradient goes on to both that were added"],
    identity: ["every gradient passes"],
    softmax: ["the loss is −log of the right share; each score's gradient is p − y"],
  };
  const ofBias = below.shape.length === 3 ? "a bias collects the gradients of all numbers of its map" : "a bias has the gradient of the one number it was added to";
  const [ofUnit, ofWeight] = sentences[kind.replace("logS", "s")] ?? ["every gradient is multiplied by the slope of the rule at its number"];
  return `${name}: ${{ unit: ofUnit, weight: ofWeight, bias: ofBias }[role]}.`;
}

/** So many decimals that the largest of some numbers shows three digits. @param {number} largest */
export function decimalsFor(largest) {
  return Math.min(Math.max(2 - Math.floor(Math.log10(largest || 1)), 2), 9);
}

/** Write a number with three digits. @param {number} value */
export function shortText(value) {
  return numberText(value, decimalsFor(Math.abs(value)));
}
