// @ts-check
// The numbers of the playground: a small picture, a kernel, and what sliding gives at each position.

/** @typedef {import("../shared/windows.js").SlidingWindow} SlidingWindow */
/** @typedef {number[][]} Grid rows of numbers */
/** @typedef {"conv" | "max" | "avg"} Operation */
/**
 * @typedef {object} Tap one place under the kernel
 * @property {number} row of the picture; outside of it in the padding
 * @property {number} column
 * @property {number} value what lies there: the padding's is 0, or −∞ when the largest is sought
 * @property {boolean} inside on the picture itself
 * @property {number} weight
 */
/** @typedef {{taps: Tap[][], result: number, winner: Tap | null, divisor: number}} Stop */

export const WHITE = 9;

/**
 * @param {number} rows @param {number} columns
 * @param {(row: number, column: number) => number} at
 * @returns {Grid}
 */
function gridOf(rows, columns, at) {
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => at(row, column)));
}

/** @param {number} x @param {number} y @param {number[]} from @param {number[]} to */
function distance(x, y, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

/** Brightness from 0 to 1 of each picture, at places from 0 to 1 across and down. */
const PICTURES = {
  "a seven": (/** @type {number} */ x, /** @type {number} */ y) => {
    const off = Math.min(distance(x, y, [0.22, 0.2], [0.76, 0.2]), distance(x, y, [0.76, 0.2], [0.42, 0.86]));
    return 1.5 - 10 * off;
  },
  "a ring": (/** @type {number} */ x, /** @type {number} */ y) =>
    1.6 - 9 * Math.abs(Math.hypot(x - 0.5, y - 0.5) - 0.32),
  "an edge": (/** @type {number} */ x) => (x < 0.5 ? 0.1 : 0.9),
  "a slope": (/** @type {number} */ x, /** @type {number} */ y) => (x + y) / 2,
  "any digits": (/** @type {number} */ x, /** @type {number} */ y) =>
    Math.abs(Math.sin(127.1 * x + 311.7 * y) * 43758.5453) % 1,
};
export const PICTURE_NAMES = Object.keys(PICTURES);

/**
 * A picture of any size in whole numbers from 0 (black) to 9 (white).
 *
 * @param {string} name @param {number} height @param {number} width
 */
export function pictureOf(name, height, width) {
  const brightness = PICTURES[/** @type {keyof typeof PICTURES} */ (name)];
  return gridOf(height, width, (row, column) => {
    const level = brightness((column + 0.5) / width, (row + 0.5) / height);
    return Math.round(WHITE * Math.min(1, Math.max(0, level)));
  });
}

/** @type {Record<string, (y: number, x: number, rows: number, columns: number) => number>} */
const KERNELS = {
  "upright edges": (_y, x, _, columns) => Math.sign(x - (columns - 1) / 2),
  "level edges": (y, _x, rows) => Math.sign(y - (rows - 1) / 2),
  "all ones": () => 1,
  "one in the middle": (y, x, rows, columns) => Number(isMiddle(y, x, rows, columns)),
  sharpen: (y, x, rows, columns) => (isMiddle(y, x, rows, columns) ? rows * columns : -1),
};
export const OWN_KERNEL = "your own";
export const KERNEL_NAMES = Object.keys(KERNELS);

/** @param {number} y @param {number} x @param {number} rows @param {number} columns */
function isMiddle(y, x, rows, columns) {
  return y === Math.floor(rows / 2) && x === Math.floor(columns / 2);
}

/** @param {string} name @param {number} rows @param {number} columns */
export function kernelOf(name, rows, columns) {
  return gridOf(rows, columns, (y, x) => KERNELS[name](y, x, rows, columns));
}

/**
 * What happens where the kernel stops: its taps, and the number that comes out.
 *
 * @param {Operation} operation @param {Grid} picture @param {Grid} kernel
 * @param {SlidingWindow[]} windows @param {number[]} position row and column of the output
 * @returns {Stop}
 */
export function stopAt(operation, picture, kernel, [down, across], [row, column]) {
  const top = row * down.stride - startOf(down);
  const left = column * across.stride - startOf(across);
  const taps = gridOf(down.kernelSize, across.kernelSize, () => 0).map((line, y) =>
    line.map((_, x) => tapAt(operation, picture, kernel[y]?.[x] ?? 1, top + y * down.dilation, left + x * across.dilation)));
  const all = taps.flat();
  if (operation === "max") {
    const winner = all.reduce((best, tap) => (tap.value > best.value ? tap : best));
    return { taps, result: winner.value, winner, divisor: 1 };
  }
  const divisor = operation === "avg" ? withinPadding(down, top) * withinPadding(across, left) : 1;
  const sum = all.reduce((total, tap) => total + tap.value * tap.weight, 0);
  return { taps, result: sum / divisor, winner: null, divisor };
}

/**
 * @param {Operation} operation @param {Grid} picture @param {number} weight
 * @param {number} row @param {number} column
 * @returns {Tap}
 */
function tapAt(operation, picture, weight, row, column) {
  const value = picture[row]?.[column];
  const inside = value !== undefined;
  const outside = operation === "max" ? -Infinity : 0;
  return { row, column, value: inside ? value : outside, inside, weight: operation === "conv" ? weight : 1 };
}

/** Padded pixels in front of the first. @param {SlidingWindow} window */
export function startOf(window) {
  return Math.floor(window.padding / 2);
}

/** How much of an average's window lies on the padded input. @param {SlidingWindow} window @param {number} start */
function withinPadding(window, start) {
  return Math.min(start + window.kernelSize, window.inputSize + window.padding - startOf(window)) - start;
}

/**
 * The results at all positions, row by row.
 *
 * @param {Operation} operation @param {Grid} picture @param {Grid} kernel @param {SlidingWindow[]} windows
 */
export function slide(operation, picture, kernel, windows) {
  const [rows, columns] = windows.map((window) => window.outputSize);
  return gridOf(rows, columns, (row, column) =>
    stopAt(operation, picture, kernel, windows, [row, column]).result);
}

/**
 * The pixels along an axis, padding included, that lie under no weight at any position.
 *
 * @param {SlidingWindow} window
 */
export function unseenPixels(window) {
  const seen = new Set();
  for (let stop = 0; stop < window.outputSize; stop++) {
    for (let weight = 0; weight < window.kernelSize; weight++) {
      seen.add(stop * window.stride - startOf(window) + weight * window.dilation);
    }
  }
  const first = -startOf(window);
  const pixels = Array.from({ length: window.inputSize + window.padding }, (_, index) => first + index);
  return pixels.filter((pixel) => !seen.has(pixel));
}
