// @ts-check
/** Sums and products. */

/** @param {number[]} numbers */
export function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Of a shape: how many numbers it holds. @param {number[]} numbers */
export function productOf(numbers) {
  return numbers.reduce((product, number) => product * number, 1);
}
