// @ts-check
/** Numbers rounded so that they add up as they are shown. */
import { sumOf } from "../shared/numbers.js";
import { numberText } from "../shared/text.js";

const MOST_TERMS = 7; // that fit into the line of the sum

/**
 * Round the terms of a sum so that, as shown, they add up to the rounded total. Each is rounded to
 * one of its two neighbours; those move that were closest to the middle.
 *
 * @param {number[]} terms @param {number} total @param {number} [decimals]
 * @param {number} [numFixed]  the last terms, such as a bias, are rounded to the nearest in any case
 */
export function addUp(terms, total, decimals = 2, numFixed = 0) {
  const unit = 10 ** -decimals;
  const wanted = Math.round(total / unit);
  const rounded = terms.map((term) => Math.round(term / unit));
  const left = terms.map((term, i) => term / unit - rounded[i]);
  const gap = wanted - sumOf(rounded);
  const order = [...left.keys()].slice(0, terms.length - numFixed).sort((a, b) => Math.sign(gap) * (left[b] - left[a]));
  for (const i of order.slice(0, Math.abs(gap))) rounded[i] += Math.sign(gap);
  return { terms: rounded.map((units) => units * unit), total: wanted * unit };
}

/** A number with its sign before it, as the terms of a sum stand in a column. @param {number} value @param {number} [decimals] */
export function signedText(value, decimals = 2) {
  const text = numberText(value, decimals);
  return text.startsWith("−") ? text : `+${text}`;
}

/** Write a sum: "0.91 − 0.41 + 0.08 (bias)". @param {NamedTerm[]} terms @param {number} [decimals] */
export function sumText(terms, decimals = 2) {
  const written = terms.map(([name, value], i) => {
    const text = signedText(value, decimals);
    return `${i ? `${text[0]} ${text.slice(1)}` : text.replace("+", "")}${name && ` (${name})`}`;
  });
  return written.join(" ");
}

/** The sums of a convolution's channels and its bias, as they are shown one below the other, and in a line. @param {ArithmeticOf<"conv">} arithmetic @returns {{ sums: number[], bias: number[], line: NamedTerm[] }} */
export function convolutionSums({ patches, bias, result }) {
  const biases = bias === null ? [] : [bias];
  const { terms } = addUp([...patches.map(({ sum }) => sum), ...biases], result, 2, biases.length);
  const [sums, shownBias] = [terms.slice(0, patches.length), terms.slice(patches.length)];
  const isLong = sums.length > MOST_TERMS;
  const line = isLong ? [sumOf(sums)] : sums;
  const name = isLong ? `${sums.length} channels` : sums.length === 1 ? "products" : "";
  return { sums, bias: shownBias, line: [...line.map((sum) => /** @type {NamedTerm} */ ([name, sum])), ...shownBias.map((value) => /** @type {NamedTerm} */ (["bias", value]))] };
}
