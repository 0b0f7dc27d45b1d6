// @ts-check
/** Gradients as text: they may be small. */
import { numberText } from "../../shared/text.js";

/** So many decimals that the largest of some numbers shows three digits. @param {number} largest */
export function decimalsFor(largest) {
  return Math.min(Math.max(2 - Math.floor(Math.log10(largest || 1)), 2), 9);
}

/** Write a number with three digits. @param {number} value */
export function shortText(value) {
  return numberText(value, decimalsFor(Math.abs(value)));
}
