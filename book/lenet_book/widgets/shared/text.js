// @ts-check
/** Numbers, counts, shares and shapes as text. */

/** Write a number with a true minus sign and never as −0. @param {number} value @param {number} [decimals] */
export function numberText(value, decimals = 4) {
  if (!Number.isFinite(value)) return String(value).replace("-", "−");
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** So many decimals, from 2 to 9, that the largest of some numbers shows so many digits. @param {number} largest @param {number} [digits] */
export function decimalsFor(largest, digits = 3) {
  return Math.min(Math.max(digits - 1 - Math.floor(Math.log10(largest || 1)), 2), 9);
}

/** Write a number that may be small, with three digits. @param {number} value */
export function shortText(value) {
  return numberText(value, decimalsFor(Math.abs(value)));
}

/** Write a share as a percentage, never as none or all when it is not: "<0.1 %", ">99.9 %". @param {number} share  0 to 1 @param {number} [decimals] */
export function percentText(share, decimals = 1) {
  const [percent, least] = [100 * share, 10 ** -decimals];
  if (percent > 0 && percent < least) return `<${numberText(least, decimals)} %`;
  if (percent < 100 && percent > 100 - least) return `>${numberText(100 - least, decimals)} %`;
  return `${numberText(percent, decimals)} %`;
}

/** Write a count with a comma between thousands. @param {number} count */
export function countText(count) {
  return count.toLocaleString("en-US");
}

/** Write a shape as Python does. @param {(number | string)[]} shape */
export function shapeText(shape) {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}
