// @ts-check
/**
 * The output size of a kernel that slides over an image: the formulas, words and refusals of
 * lenet/shapes/formulas.py. A size is one number for every axis, or an array of one per axis.
 */
import { KernelAxis, SlidingWindow } from "./windows.js";

/** Settings that do not fit; the message says which, why, and what to do. */
export class ShapeError extends Error {}

/** Why something cannot be done; empty when it can, and is. @param {() => void} act */
export function refusalOf(act) {
  try {
    act();
    return "";
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
}

/** A transposed convolution along one axis: every pixel is spread out over a kernel's span, and `padding` is cut off at each end. */
export class Spread extends KernelAxis {
  note = "";
  outputPadding = 0; // added behind the last pixel

  /** Pixels that come out; below 1 when the padding leaves none. */
  get outputSize() {
    return (this.inputSize - 1) * this.stride - 2 * this.padding + this.span + this.outputPadding;
  }

  /** The formula with this axis's numbers: `(7 − 1)·2 − 2·1 + 3 + 1 = 14`. */
  get formula() {
    const padding = this.padding ? ` − 2·${this.padding}` : "";
    const more = this.outputPadding ? ` + ${this.outputPadding}` : "";
    return `(${this.inputSize} − 1)·${this.stride}${padding} + ${this.spanText}${more} = ${this.outputSize}`;
  }

  /** Refuse a padding that leaves nothing. */
  checkSize() {
    if (this.outputSize >= 1) return;
    const whole = this.outputSize + 2 * this.padding;
    throw new ShapeError(`padding=${this.padding} cuts ${2 * this.padding} pixels and leaves none of ${whole}: use a smaller padding or a larger input`);
  }
}

/** Check a transposed convolution's settings and lay it out along every axis. @param {Sizes & { output_padding: Size }} settings */
export function transposedSpreads({ output_padding, ...settings }) {
  return alongAxes({ ...sizesOf(settings), output_padding }).map(([size, kernel, step, pad, gap, outputPadding]) => {
    if (outputPadding < Math.max(step, gap)) return Object.assign(new Spread(size, kernel, step, pad, gap), { outputPadding });
    throw new ShapeError(`output_padding is ${outputPadding}, but it must be smaller than stride=${step} or dilation=${gap}`);
  });
}

/** Check a convolution's settings and lay out its window along every axis. @param {Omit<Sizes, "padding"> & { padding: SizeOrName }} settings */
export function convWindows({ padding, ...settings }) {
  const axes = alongAxes(sizesOf({ ...settings, padding: typeof padding === "string" ? 0 : padding }));
  return axes.map((axis) => fitting(convWindow(axis, padding)));
}

/** Check a pooling layer's settings and lay out its window along every axis. @param {Sizes & { ceil_mode: boolean }} settings */
export function poolWindows({ ceil_mode, ...settings }) {
  return alongAxes(sizesOf(settings)).map(([size, kernel, step, pad, gap]) => {
    const half = Math.floor(kernel / 2);
    if (pad <= half) return fitting(new SlidingWindow(size, kernel, step, 2 * pad, gap, ceil_mode));
    throw new ShapeError(`padding is ${pad}, but pooling pads by at most half the kernel: use padding=${half} or less with kernel_size=${kernel}`);
  });
}

/** What slides, in the order in which it is checked. @param {Sizes} settings */
function sizesOf({ input_size, kernel_size, stride, padding, dilation = 1 }) {
  return { input_size, kernel_size, stride, padding, dilation };
}

/** The formulas of all axes: one for both where they agree. @param {WindowOrSpread[]} windows */
export function windowsFormula(windows) {
  const formulas = windows.map((window) => window.formula);
  if (new Set(windows.map((window) => JSON.stringify(window))).size === 1) return formulas[0];
  return formulas.map((formula, axis) => `${"DHW".at(axis - formulas.length)}: ${formula}`).join(", ");
}

/** What becomes of the pixels that no window reaches, along all axes. @param {WindowOrSpread[]} windows */
export function windowsNote(windows) {
  return [...new Set(windows.map((window) => window.note).filter(Boolean))].join("; ");
}

/** @param {number[]} axis @param {SizeOrName} named */
export function convWindow([size, kernel, stride, padding, dilation], named) {
  if (named === "same") {
    if (stride !== 1) throw new ShapeError(`padding='same' needs stride=1, but stride is ${stride}: give padding as a number`);
    return new SlidingWindow(size, kernel, stride, dilation * (kernel - 1), dilation);
  }
  if (typeof named === "string" && named !== "valid") {
    throw new ShapeError(`padding is ${pythonText(named)}: give a number, 'same' or 'valid'`);
  }
  return new SlidingWindow(size, kernel, stride, 2 * padding, dilation);
}

/** Give a window back, unless it is larger than its input. @param {SlidingWindow} window */
function fitting(window) {
  if (window.outputSize >= 1) return window;
  const { inputSize, kernelSize, padding, dilation, span } = window;
  const spread = dilation > 1 ? ` with dilation=${dilation} spans ${span} pixels: it` : "";
  const padded = padding ? ` (${inputSize + padding} with padding)` : "";
  throw new ShapeError(
    `kernel_size=${kernelSize}${spread} is larger than the input of size ${inputSize}${padded}: use a smaller kernel, more padding or a larger input`);
}

/** Spread every setting over the axes, and refuse what is no whole number or too small. @param {Record<string, Size>} settings @returns {number[][]}  one row of settings per axis */
export function alongAxes(settings) {
  const values = Object.values(settings);
  const rank = Math.max(1, ...values.map((value) => (Array.isArray(value) ? value.length : 1)));
  const columns = Object.entries(settings).map(([name, value]) => {
    const numbers = Array.isArray(value) ? value : Array(rank).fill(value);
    if (numbers.length !== rank) throw new ShapeError(`${name} is ${pythonText(value)}: ${numbers.length} numbers for ${rank} axes`);
    for (const number of numbers) checkNumber(name, number);
    return numbers;
  });
  return Array.from({ length: rank }, (_, axis) => columns.map((column) => column[axis]));
}

/** Refuse what is no whole number, or too small. @param {string} name @param {unknown} number */
export function checkNumber(name, number) {
  if (!Number.isInteger(number)) throw new ShapeError(`${name} is ${pythonText(number)}: it must be a whole number`);
  const smallest = /padding/.test(name) ? 0 : 1;
  if (/** @type {number} */ (number) < smallest) throw new ShapeError(`${name} is ${number}: it must be at least ${smallest}`);
}

/** Write a value as Python would. @param {unknown} value @returns {string} */
export function pythonText(value) {
  if (Array.isArray(value)) {
    const items = value.map(pythonText).join(", ");
    return "isList" in value ? `[${items}]` : `(${items}${value.length === 1 ? "," : ""})`;
  }
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "string") return value === null ? "None" : String(value);
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replace(/[\\\n\r\t]/g, (mark) => JSON.stringify(mark).slice(1, -1));
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}
