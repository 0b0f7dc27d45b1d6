// @ts-check
/** The picture that goes in: a sample, what is drawn on the pad, or a picture of the reader's own. */
import { renderDigit, stagesOf } from "./drawing.js";
import { formOf } from "./preparing.js";
import { GRID, bytesOf, fromText, strokesOf, toText } from "./writing.js";
import { productOf } from "../../shared/numbers.js";
import { paintPicture } from "../../shared/pictures.js";

/** @typedef {import("../../shared/arrays.js").Model} Model */
/** @typedef {import("../../shared/arrays.js").Tensor} Tensor */
/** @typedef {import("../state.js").Meta} Meta */
/** @typedef {import("./drawing.js").Point} Point */
/** @typedef {import("./drawing.js").Stroke} Stroke */
/** @typedef {import("./preparing.js").Prepared} Prepared */

export const DRAWN = -1; // in place of the number of a sample
export const OWN = -2;
export const PENS = { thin: 0.045, medium: 0.07, thick: 0.11 }; // widths in shares of the pad's side

const ROUNDING = 0.01; // how far beyond black and white a pixel may lie

export class Picture {
  #model;
  /** The picture as pixels from 0 to 255, unless these are unknown. @type {ArrayLike<number> | null} */
  #pixels = null;
  /** What is drawn on the pad. @type {Stroke[]} */
  strokes = [];
  /** A picture of the reader's own, prepared. @type {Prepared | null} */
  own = null;
  /** The width of the next stroke. */
  pen = PENS.medium;
  /** Has the reader drawn or chosen anything? */
  isTouched = false;

  /** @param {Model} model @param {Meta} meta @param {number[]} shape @param {Tensor} pictures */
  constructor(model, meta, shape, pictures) {
    this.#model = model;
    this.meta = meta;
    this.shape = shape;
    this.pictures = pictures;
    this.form = formOf(meta.classes, shape);
    /** The picture as the network takes it. */
    this.values = new Float32Array(productOf(shape));
    this.compute();
  }

  /** Which picture is shown: the number of a sample, `DRAWN` or `OWN`. @returns {number} */
  get sample() {
    const sample = this.#model.get("sample");
    if (sample === DRAWN) return this.whyNotDraw === null ? DRAWN : 0;
    if (sample === OWN) return this.own ? OWN : 0;
    return sample >= 0 && sample < this.pictures.shape[0] ? sample : 0;
  }

  /** Is the pad shown, with nothing on it? Then there is no answer. */
  get isBlank() {
    return this.sample === DRAWN && this.strokes.length === 0;
  }

  /** Can the reader draw? */
  get canDraw() {
    return this.meta.draw && this.whyNotDraw === null;
  }

  /** Why drawing is not possible, or null. */
  get whyNotDraw() {
    const [channels, height, width] = this.shape;
    const isPicture = this.shape.length === 3 && height === width && [1, 3].includes(channels);
    return this.#blocking ?? (isPicture ? null : "the network does not take square pictures");
  }

  /** Can the reader bring a picture? Not where nothing tells how pixels become the network's numbers. */
  get canBring() {
    const isKnown = this.meta.draw || this.pictures.data instanceof Uint8Array;
    return isKnown && this.#blocking === null && this.shape.length === 3 && [1, 3].includes(this.shape[0]);
  }

  /** The step that only PyTorch could compute. */
  get #blocking() {
    const step = this.meta.steps.find(({ kind }) => kind === "recorded");
    return step ? `${step.name} is not computed in the page: ${step.reason}` : null;
  }

  // ------------------------------------------------------------------------ what the reader does

  /** Begin a stroke. @param {Point} point @returns {Stroke} */
  begin(point) {
    if (this.sample !== DRAWN) this.strokes = [];
    /** @type {Stroke} */
    const stroke = { points: [onGrid(point)], pen: this.pen };
    this.strokes.push(stroke);
    this.isTouched = true;
    return stroke;
  }

  /** Lead a stroke on. @param {Stroke} stroke @param {Point[]} points */
  extend({ points: known }, points) {
    for (const point of points.map(onGrid)) if (String(point) !== String(known[known.length - 1])) known.push(point);
  }

  /** Take strokes back: the last one, or all. @param {boolean} all */
  takeBack(all) {
    this.strokes = all || this.sample !== DRAWN ? [] : this.strokes.slice(0, -1);
    this.isTouched = true;
  }

  // ------------------------------------------------------------------------ numbers

  /** Fill in `values`. */
  compute() {
    const { sample, shape, values, pictures } = this;
    const known = pictures.data.subarray(sample * values.length, (sample + 1) * values.length);
    if (sample === DRAWN) this.#pixels = renderDigit(this.strokes, shape[1]);
    else this.#pixels = sample === OWN ? /** @type {Prepared} */ (this.own).pixels : known instanceof Uint8Array ? known : null;
    const pixels = this.#pixels;
    if (!pixels) return values.set(known);
    const perChannel = values.length / shape[0];
    for (let i = 0; i < values.length; i++) {
      const [mean, std] = this.statistics(Math.floor(i / perChannel));
      values[i] = (pixels[i % pixels.length] / 255 - mean) / std;
    }
  }

  /** Are its pixels whole numbers from 0 to 255? */
  get isPixels() {
    return this.#pixels !== null;
  }

  /** What pixels, divided by 255, are normalised with. @param {number} channel @returns {[mean: number, deviation: number]} */
  statistics(channel) {
    const { mean, std } = this.meta;
    return [mean[channel % mean.length], std[channel % std.length]];
  }

  /** The values of a black and of a white pixel, for each channel. @returns {[black: number, white: number][]} */
  get pixelRange() {
    const ranges = Array.from({ length: this.shape[0] }, (_, channel) => {
      const [mean, std] = this.statistics(channel);
      return /** @type {[number, number]} */ ([-mean / std, (1 - mean) / std]);
    });
    if (this.isPixels) return ranges;
    const [lowest, highest] = [Math.min, Math.max].map((pick) => this.values.reduce((a, b) => pick(a, b)));
    const isWithin = (/** @type {[number, number]} */ [black, white]) => lowest >= black - ROUNDING && highest <= white + ROUNDING;
    return ranges.map((range) => (isWithin(range) ? range : [lowest, highest]));
  }

  // ------------------------------------------------------------------------ pictures and texts

  /** Paint a picture in its own colours. @param {HTMLCanvasElement} canvas @param {number} side @param {number} [sample] */
  paint(canvas, side, sample = this.sample) {
    const size = this.values.length;
    const isSample = sample >= 0;
    const pixels = isSample ? this.pictures.data.subarray(sample * size, (sample + 1) * size) : /** @type {ArrayLike<number>} */ (this.#pixels);
    if (!isSample || pixels instanceof Uint8Array) {
      paintPicture(canvas, pixels, [pixels.length * this.shape[0] / size, ...this.shape.slice(1)], side, [0, 255]);
      return;
    }
    const shares = Array.from(pixels, (value, i) => {
      const [mean, std] = this.statistics(Math.floor((i * this.shape[0]) / size));
      return value * std + mean;
    });
    const isWithin = shares.every((share) => share >= -ROUNDING && share <= 1 + ROUNDING);
    paintPicture(canvas, shares, this.shape, side, isWithin ? [0, 1] : undefined);
  }

  /** What became of the picture on its way in, for `Preparation`. @returns {import("./preparing.js").Stage[]} */
  get stages() {
    if (this.sample === DRAWN) return stagesOf(this.strokes, this.shape[1]);
    return this.sample === OWN ? /** @type {Prepared} */ (this.own).stages : [];
  }

  /** The picture as a short text that can stand in an address. */
  toText() {
    const { sample } = this;
    if (sample === DRAWN) return `d${toText(bytesOf(this.strokes))}`;
    return sample === OWN ? `p${toText(/** @type {Prepared} */ (this.own).pixels)}` : `s${sample}`;
  }

  /** Show the picture of such a text. @param {string} text @returns {boolean}  false if it is none: then nothing has changed */
  fromText(text) {
    const [kind, rest] = [text.slice(0, 1), text.slice(1)];
    const bytes = kind === "s" ? null : fromText(rest);
    const strokes = kind === "d" && bytes && this.canDraw ? strokesOf(bytes) : null;
    if (kind === "s" && /^\d{1,6}$/.test(rest) && Number(rest) < this.pictures.shape[0]) return this.#choose(Number(rest));
    if (strokes) {
      this.strokes = strokes;
      return this.#choose(DRAWN);
    }
    if (kind !== "p" || !bytes || !this.canBring || bytes.length !== this.values.length) return false;
    this.own = { pixels: bytes, stages: [{ caption: "the picture of the link", values: bytes, shape: this.shape, white: 255 }] };
    return this.#choose(OWN);
  }

  /** @param {number} sample */
  #choose(sample) {
    this.isTouched = true;
    this.#model.set("sample", sample);
    this.#model.save_changes();
    return true;
  }
}

/** @param {Point} point @returns {Point} */
function onGrid(point) {
  return /** @type {Point} */ (point.map((share) => Math.round(Math.min(Math.max(share, 0), 1) * GRID) / GRID));
}
