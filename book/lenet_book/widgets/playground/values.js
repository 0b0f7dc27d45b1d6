// @ts-check
/** The numbers of the playground: a small picture, a kernel, and what sliding gives. */
import { Engine } from "../stage/engine.js";

export const WHITE = 9;

/** @param {number} rows @param {number} columns @param {(row: number, column: number) => number} at @returns {Table} */
function tableOf(rows, columns, at) {
  return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => at(row, column)));
}

/** How far a place is from a line. @param {number} x @param {number} y @param {number[]} from @param {number[]} to */
function distance(x, y, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

/** Brightness from 0 to 1 of each picture, at places from 0 to 1 across and down. @type {Record<string, (x: number, y: number) => number>} */
const PICTURES = {
  "a seven": (x, y) => {
    const off = Math.min(distance(x, y, [0.22, 0.2], [0.76, 0.2]), distance(x, y, [0.76, 0.2], [0.42, 0.86]));
    return 1.5 - 10 * off;
  },
  "a ring": (x, y) => 1.6 - 9 * Math.abs(Math.hypot(x - 0.5, y - 0.5) - 0.32),
  "an edge": (x) => (x < 0.5 ? 0.1 : 0.9),
  "a slope": (x, y) => (x + y) / 2,
  "any digits": (x, y) => Math.abs(Math.sin(127.1 * x + 311.7 * y) * 43758.5453) % 1,
};
export const PICTURE_NAMES = Object.keys(PICTURES);

/** A picture in whole numbers from 0 (black) to 9 (white). @param {string} name @param {number} height @param {number} width */
export function pictureOf(name, height, width) {
  return tableOf(height, width, (row, column) => {
    const level = PICTURES[name]((column + 0.5) / width, (row + 0.5) / height);
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
  return tableOf(rows, columns, (y, x) => KERNELS[name](y, x, rows, columns));
}

/** Cut a kernel to a size, or put zeros around it. @param {Table} kernel @param {number} rows @param {number} columns */
export function resized(kernel, rows, columns) {
  const top = Math.trunc((kernel.length - rows) / 2);
  const left = Math.trunc((kernel[0].length - columns) / 2);
  return tableOf(rows, columns, (row, column) => kernel[row + top]?.[column + left] ?? 0);
}

/** Run the stage's engine, with a program of one operation. @param {Sliding} operation @param {Table} picture @param {Table} kernel @param {SlidingWindow[]} windows */
export function slide(operation, picture, kernel, windows) {
  const along = (/** @type {"inputSize" | "outputSize" | "kernelSize" | "stride" | "paddingBefore" | "dilation"} */ name) =>
    /** @type {[number, number]} */ (windows.map((window) => window[name]));
  const instruction = {
    kind: { conv: "conv", max: "maxPool", avg: "avgPool" }[operation],
    inputs: [0], shape: [1, ...along("outputSize")],
    weight: "kernel", kernel: along("kernelSize"), stride: along("stride"),
    padding: along("paddingBefore"), dilation: along("dilation"), countPadding: true,
  };
  const input = { kind: "input", inputs: [], shape: [1, ...along("inputSize")] };
  const weights = { shape: instruction.kernel, data: /** @type {any} */ (kernel.flat()) };
  const engine = new Engine([input, instruction], { kernel: weights });
  engine.run(picture.flat());
  return engine;
}

/** The results at all stops of a run, row by row. @param {Engine} engine */
export function resultsOf({ values, program }) {
  const [, rows, columns] = program[1].shape;
  return tableOf(rows, columns, (row, column) => values[1][row * columns + column]);
}
