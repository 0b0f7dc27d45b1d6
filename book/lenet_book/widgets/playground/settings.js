// @ts-check
/** The playground's settings: what stands in its fields, whether it fits or not. */
import { layerCode } from "../calculator/kinds.js";
import { watchValue } from "../shared/arrays.js";
import { alongAxes, convWindows, poolWindows } from "../shared/formulas.js";
import { SlidingWindow } from "../shared/windows.js";

/** From where to where the steppers go; smaller numbers can be typed. @type {Record<string, { smallest: number, largest: number }>} */
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
  #model; #changed;
  #isSaving = false;
  /** What was typed for height and width where one of them is no number yet. @type {Record<string, Entry[]>} */
  #typed = {};
  /** Did the reader ask for one number for the height and one for the width? */
  #isSplit = false;

  /** @param {Model} model @param {() => void} changed */
  constructor(model, changed) {
    this.#model = model;
    this.#changed = changed;
  }

  /** Follow what Python sets; what comes back ends that. */
  listen() {
    const follow = () => this.#isSaving || this.#changed();
    return [...NAMES, "operation", "ceil_mode", "same"].map((name) => watchValue(this.#model, name, follow));
  }

  get operation() {
    return /** @type {Sliding} */ (this.#model.get("operation"));
  }

  get ceilMode() {
    return Boolean(this.#model.get("ceil_mode"));
  }

  /** Does the padding keep the size, whatever number stands in its field? */
  get isSame() {
    return Boolean(this.#model.get("same")) && this.operation === "conv";
  }

  /** Height and width of every setting, as they stand in the fields. @returns {Record<string, Entry[]>} */
  get entries() {
    return Object.fromEntries(NAMES.map((name) => [name, this.#typed[name] ?? this.#model.get(name)]));
  }

  /** Is there one number for height and width? */
  get isSquare() {
    return !this.#isSplit && Object.values(this.entries).every(([height, width]) => height === width);
  }

  /** @param {Sliding} operation */
  chooseOperation(operation) {
    const stride = operation === "conv" ? [1, 1] : this.entries.kernel_size.map((size) => Number(size) || 1);
    const others = { conv: { ceil_mode: false }, max: { same: false }, avg: { same: false, dilation: [1, 1] } }[operation];
    this.save({ operation, stride, position: 0, ...others });
  }

  /** @param {string} name @param {number} axis @param {Entry} entry */
  enter(name, axis, entry) {
    this.#isSplit = !this.isSquare; // two fields stay two where their numbers meet
    const entries = this.entries[name].map((old, index) => (index === axis || !this.#isSplit ? entry : old));
    if (entries.every(Number.isInteger)) return this.save({ [name]: entries, position: 0 });
    this.#typed[name] = entries;
    this.#changed();
  }

  /** @param {boolean} isSquare */
  setSquare(isSquare) {
    this.#isSplit = !isSquare;
    if (!isSquare) return this.#changed();
    this.save(Object.fromEntries(Object.entries(this.entries).map(([name, [height]]) => [name, [height, height]])));
  }

  /** @param {Record<string, any>} values */
  save(values) {
    this.#isSaving = true;
    for (const [name, value] of Object.entries(values)) {
      delete this.#typed[name];
      this.#model.set(name, value);
    }
    this.#model.save_changes();
    this.#isSaving = false;
    this.#changed();
  }

  /** As a layer takes them. What is no number is refused where it is used. @returns {any} */
  get #ofLayer() {
    return { in_channels: 1, out_channels: 1, ceil_mode: this.ceilMode, ...this.entries, ...(this.isSame && { padding: "same" }) };
  }

  /** The windows, down and across; a `ShapeError` says why there are none. */
  windows() {
    return this.operation === "conv" ? convWindows(this.#ofLayer) : poolWindows(this.#ofLayer);
  }

  /** The windows though they do not fit; a `ShapeError` says why not even they can be drawn. */
  misfits() {
    const axes = alongAxes(/** @type {Record<string, number[]>} */ (this.entries));
    return axes.map(([size, kernel, step, pad, gap]) => new SlidingWindow(size, kernel, step, 2 * pad, gap));
  }

  /** The rule of the output's size, without numbers. */
  get rule() {
    const rule = FORMULAS[this.operation === "avg" ? "avg" : this.isSame ? "same" : "conv"];
    return this.ceilMode ? rule.replace("⌊", "⌈").replace("⌋", "⌉") : rule;
  }

  /** The layer as it is constructed. */
  get code() {
    return `nn.${layerCode({ type: LAYERS[this.operation], settings: this.#ofLayer })}`;
  }
}
