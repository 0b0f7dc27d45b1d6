// @ts-check

/** @param {number} value */
export function double(value) {
  return 2 * value;
}
