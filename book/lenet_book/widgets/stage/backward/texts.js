// @ts-check
/** What happens to gradients on their way back, in words. */
import { productOf } from "../../shared/numbers.js";

/**
 * What an operation does with gradients, in one plain sentence.
 *
 * @param {Step} step @param {Step} below @param {Picked["role"]} role  of what is looked at
 */
export function backSentence({ name, kind, reason }, below, role) {
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
    recorded: [`${reason}. The walk ends here`],
    softmax: ["the loss is −ln of the right share; each score's gradient is p − y"],
  };
  const [ofUnit, ofWeight] = sentences[kind.replace("logS", "s")] ?? ["every gradient is multiplied by the slope of the rule at its number"];
  return `${name}: ${{ unit: ofUnit, weight: ofWeight, bias: "a bias collects the gradient of every number it was added to" }[role]}.`;
}
