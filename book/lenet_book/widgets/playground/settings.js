// @ts-check
/** The playground's settings: what stands in its fields, whether it fits or not. */
import { layerCode } from "../calculator/kinds.js";
import { alongAxes, convWindows, poolWindows } from "../shared/formulas.js";
import { SlidingWindow } from "../shared/windows.js";

/** @typedef {import("../shared/arrays.js").Model} Model */
/** @typedef {import("./values.js").Operation} Operation */
/** @typedef {number | string} Entry  a number, or what was typed instead of one */

/**
 * From where to where the steppers go; other numbers can be typed.
 *
 * @type {Record<string, { smallest: number, largest: number }>}
 */
export const RANGES = {
  input_size: { smallest: 1, largest: 24 },
  kernel_size: { smallest: 1, largest: 11 },
  stride: { smallest: 1, largest: 8 },
  padding: { smallest: 0, largest: 8 },
  dilation: { smallest: 1, largest: 6 },
};

const NAMES = Object.keys(RANGES);
const LAYERS = { conv: "Conv2d", max: "MaxPool2d", avg: "AvgPool2d" };
const FORMULAS = {
  conv: "output = ⌊(input + 2·padding − (dilation·(kernel − 1) + 1)) / stride⌋ + 1",
  avg: "output = ⌊(input + 2·padding − kernel) / stride⌋ + 1",
  same: "padding='same' adds dilation·(kernel − 1) pixels in all, an odd one behind: output = input",
};

export class Settings {
  #model;
  #changed;
  #isSaving = false;
  /** Height and width of every setting. @type {Record<string, Entry[]>} */
  entries = {};
  /** Is there one number for height and width? */
  isSquare = true;

  /** @param {Model} model @param {() => void} changed */
  constructor(model, changed) {
    this.#model = model;
    this.#changed = changed;
    this.#read();
  }

  /** Follow what Python sets. @returns {() => void}  ends it */
  listen() {
    const events = [...NAMES, "operation", "ceil_mode", "same"].map((name) => `change:${name}`);
    const follow = () => {
      if (this.#isSaving) return;
      this.#read();
      this.#changed();
    };
    for (const event of events) this.#model.on(event, follow);
    return () => events.forEach((event) => this.#model.off(event, follow));
  }

  /** @returns {Operation} */
  get operation() {
    return this.#model.get("operation");
  }

  /** @returns {boolean} */
  get ceilMode() {
    return this.#model.get("ceil_mode");
  }

  /** Does the padding keep the size, whatever number stands in its field? */
  get isSame() {
    return Boolean(this.#model.get("same")) && this.operation === "conv";
  }

  #read() {
    for (const name of NAMES) {
      const held = this.entries[name]?.every(Number.isInteger);
      if (held !== false) this.entries[name] = [...this.#model.get(name)];
    }
    if (NAMES.some((name) => this.entries[name][0] !== this.entries[name][1])) this.isSquare = false;
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {Operation} operation */
  chooseOperation(operation) {
    const stride = operation === "conv" ? [1, 1] : this.entries.kernel_size.map((size) => Number(size) || 1);
    const settings = { operation, stride, position: 0 };
    if (operation === "conv") this.save({ ...settings, ceil_mode: false });
    else this.save({ ...settings, same: false, ...(operation === "avg" ? { dilation: [1, 1] } : {}) });
  }

  /** @param {string} name @param {number} axis @param {Entry} entry */
  enter(name, axis, entry) {
    this.entries[name] = this.entries[name].map((old, index) => (this.isSquare || index === axis ? entry : old));
    if (this.entries[name].every(Number.isInteger)) this.save({ [name]: this.entries[name], position: 0 });
    else this.#changed();
  }

  /** @param {boolean} isSquare */
  setSquare(isSquare) {
    this.isSquare = isSquare;
    if (isSquare) this.save(Object.fromEntries(NAMES.map((name) => [name, [this.entries[name][0], this.entries[name][0]]])));
    else this.#changed();
  }

  /** @param {Record<string, any>} values */
  save(values) {
    this.#isSaving = true;
    for (const [name, value] of Object.entries(values)) this.#model.set(name, value);
    this.#model.save_changes();
    this.#isSaving = false;
    for (const name of NAMES) if (name in values) this.entries[name] = [...values[name]];
    this.#changed();
  }

  // ------------------------------------------------------------------------ what follows

  /** What stands in the fields. What is no number is refused where it is used. */
  get #sizes() {
    return /** @type {Record<keyof typeof RANGES, number[]>} */ (this.entries);
  }

  /**
   * The windows, down and across; a `ShapeError` says why there are none.
   *
   * @returns {SlidingWindow[]}
   */
  windows() {
    const { input_size, kernel_size, stride, padding, dilation } = this.#sizes;
    return this.operation === "conv"
      ? convWindows(input_size, kernel_size, stride, this.isSame ? "same" : padding, dilation)
      : poolWindows(input_size, kernel_size, stride, padding, dilation, this.ceilMode);
  }

  /** The windows though they do not fit; a `ShapeError` says why not even they can be drawn. */
  misfits() {
    return alongAxes(this.#sizes)
      .map(([size, kernel, step, pad, gap]) => new SlidingWindow(size, kernel, step, 2 * pad, gap));
  }

  /** The rule of the output's size, without numbers. */
  get rule() {
    const rule = FORMULAS[this.operation === "avg" ? "avg" : this.isSame ? "same" : "conv"];
    return this.ceilMode ? rule.replace("⌊", "⌈").replace("⌋", "⌉") : rule;
  }

  /** The layer as it is constructed. */
  get code() {
    const channels = { in_channels: 1, out_channels: 1, bias: true, ceil_mode: this.ceilMode };
    const padding = this.isSame ? { padding: "same" } : {};
    return `nn.${layerCode(LAYERS[this.operation], { ...channels, ...this.#sizes, ...padding })}`;
  }
}
