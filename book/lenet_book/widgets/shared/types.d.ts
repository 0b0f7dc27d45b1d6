// What the front ends hand to each other. Every file knows these names without importing them.

/** A widget's values, shared with Python where there is a kernel. */
interface Model {
  get(key: string): any;
  set(key: string, value: any): void;
  save_changes(): void;
  on(event: string, listener: (...values: any[]) => void): void;
  off(event: string, listener: (...values: any[]) => void): void;
}

type Numbers = Float32Array | Int32Array | Uint8Array;

/** Numbers with a shape, the last axis running fastest. */
interface Tensor {
  shape: number[];
  data: Numbers;
}

/** What Python says of a packed array. */
interface ArrayEntry {
  name: string;
  dtype: "float16" | "float32" | "int32" | "uint8";
  shape: number[];
  /** In bytes, as the length. */
  offset: number;
  length: number;
}

/** From 0 to 255 each. */
type Colour = [red: number, green: number, blue: number];

/** The colours of a widget, as shared.css and the page around it say. */
interface Theme {
  ground: Colour;
  /** Of numbers below zero, at their fullest. */
  below: Colour;
  zero: Colour;
  above: Colour;
  line: string;
  /** The colour of what the reader is asked to look at. */
  window: string;
  isDark: boolean;
}

/** A cell of a confusion matrix. */
type Cell = [truth: number, answer: number];

interface Curve {
  /** What the legend calls it. */
  name: string;
  /** The class of its line: "first" or "second", and "dashed". */
  look: string;
  xs: ArrayLike<number>;
  /** What is no number is left out. */
  ys: ArrayLike<number>;
  band?: [low: ArrayLike<number>, high: ArrayLike<number>];
}

interface ChartOptions {
  title: string;
  xLabel: string;
  /** Writes the numbers of the vertical axis. */
  text: (value: number) => string;
  /** Writes a curve's number at the cursor, behind its name. */
  exact?: (value: number) => string;
  /** The end of the vertical axis; what lies above it is cut off. */
  top?: number;
  /** A dotted line across. */
  guide?: { at: number; name: string };
  /** Hears where the pointer is. */
  onPoint?: (x: number) => void;
}

/** What is walked through by the buttons of a `Transport`. */
interface Walk {
  /** The present place, from 0. */
  at: () => number;
  last: () => number;
  /** Where playing ends; without it, at the last place. */
  end?: () => number;
  /** Shows another place. */
  go: (place: number) => void;
  /** Between two steps while it plays. */
  milliseconds: () => number;
}

/** A size of pixels: one number for every axis, or an array of one per axis. */
type Size = number | number[];
type SizeOrName = Size | string; // or "same" or "valid"
/** What slides over an input along its axes. */
interface Sizes {
  input_size: Size;
  kernel_size: Size;
  stride: Size;
  padding: Size;
  dilation?: Size;
}
type WindowOrSpread = import("./windows.js").SlidingWindow | import("./formulas.js").Spread;

/** What a page without a kernel knows of a widget class. */
interface WidgetDefinition {
  version: number;
  style: string;
  /** Where its script came from; empty for one that stands in the page. */
  source?: string;
  make(makePart: (part: string, names: object) => Promise<object>): { render(context: { model: Model; el: Element }): unknown };
  /** What `make` has made. */
  frontEnd?: ReturnType<WidgetDefinition["make"]>;
}

interface ExpectedWidget {
  coming: Promise<any>;
  came(definition: object): void;
  failed(error: Error): void;
}

/** A widget's state in such a page; the bytes of a buffer are the chunks of these numbers. */
interface StoredModel {
  state: Record<string, any>;
  buffers: { path: string[]; chunks: number[] }[];
}

/** The JSON of what a Python function returns, put here by joining.py: `source` is "module:function". */
declare function fromPython(source: string): any;

/** Start a worker that calls a function, exported in the file where this stands, which is of a part. */
declare function startWorker(name: string): Worker;
