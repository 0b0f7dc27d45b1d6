// @ts-check
/** Numbers rounded so that they add up as they are shown. */
import { numberText } from "../shared/text.js";

/**
 * Round the terms of a sum so that, as shown, they add up to the rounded total. Each is rounded to
 * one of its two neighbours; those move that were closest to the middle.
 *
 * @param {number[]} terms @param {number} total @param {number} [decimals]
 * @param {number} [numFixed]  the last terms, such as a bias, are rounded to the nearest in any case
 * @returns {{ terms: number[], total: number }}
 */
export function addUp(terms, total, decimals = 2, numFixed = 0) {
  const unit = 10 ** -decimals;
  const wanted = Math.round(total / unit);
  const rounded = terms.map((term) => Math.round(term / unit));
  const left = terms.map((term, i) => term / unit - rounded[i]);
  let gap = wanted - rounded.reduce((a, b) => a + b, 0);
  const order = left.map((_, i) => i).slice(0, terms.length - numFixed).sort((a, b) => (gap > 0 ? left[b] - left[a] : left[a] - left[b]));
  for (const i of order) {
    if (!gap) break;
    rounded[i] += Math.sign(gap);
    gap -= Math.sign(gap);
  }
  return { terms: rounded.map((units) => units * unit), total: wanted * unit };
}

/** Write a sum: "0.91 − 0.41 + 0.08". @param {number[]} terms @param {number} [decimals] */
export function sumText(terms, decimals = 2) {
  return terms
    .map((term, i) => {
      const text = numberText(Math.abs(term), decimals);
      const isBelow = numberText(term, decimals).startsWith("−");
      return i ? ` ${isBelow ? "−" : "+"} ${text}` : `${isBelow ? "−" : ""}${text}`;
    })
    .join("");
}

/** A number with its sign before it, as the terms of a sum stand in a column. @param {number} value @param {number} [decimals] */
export function signedText(value, decimals = 2) {
  const text = numberText(value, decimals);
  return text.startsWith("−") ? text : `+${text}`;
}
