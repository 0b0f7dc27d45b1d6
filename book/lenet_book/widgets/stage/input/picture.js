// @ts-check
/** The picture that goes in: a sample, what is drawn on the pad, or a picture of the reader's own. */
import { Drawing } from "./drawing.js";
import { formOf } from "./preparing.js";
import { GRID, bytesOf, fromText, strokesOf, toText } from "./writing.js";
import { partOf, setValue } from "../../shared/arrays.js";
import { productOf } from "../../shared/numbers.js";
import { paintPicture, rangeOf } from "../../shared/pictures.js";

export const DRAWN = -1; // in place of the number of a sample
export const OWN = -2;
export const PENS = { thin: 0.045, medium: 0.07, thick: 0.11 }; // widths in shares of the pad's side

const ROUNDING = 2.6; // how far beyond black and white, 0 and 255, a pixel may lie

/** Why one cannot draw for a network; empty if one can. @param {StageMeta["steps"]} steps @param {number[]} shape */
function obstacleOf(steps, [channels, height, width]) {
  const blocking = steps.find(({ kind }) => kind === "recorded");
  if (blocking) return `${blocking.name} is not computed in the page: ${blocking.reason}`;
  return height && height === width && [1, 3].includes(channels) ? "" : "the network does not take square pictures";
}

export class Picture {
  #model;
  /** The strokes as they were when the numbers were computed. @type {Drawing | undefined} */
  #drawing;
  /** What is drawn on the pad. @type {Stroke[]} */
  strokes = [];
  /** A picture of the reader's own, prepared. @type {Prepared | null} */
  own = null;
  /** The width of the next stroke. */
  pen = PENS.medium;
  /** Has the reader drawn or chosen anything? */
  isTouched = false;
  /** The values of a black and of a white pixel, for each channel. @type {[black: number, white: number][]} */
  pixelRange = [];

  /** @param {Model} model @param {StageMeta} meta @param {number[]} shape @param {Tensor} pictures */
  constructor(model, meta, shape, pictures) {
    this.#model = model;
    this.meta = meta;
    this.shape = shape;
    this.pictures = pictures;
    this.form = formOf(meta.classes, shape);
    this.whyNotDraw = obstacleOf(meta.steps, shape);
    this.canDraw = meta.draw && !this.whyNotDraw;
    /** Can the reader bring a picture? Not where nothing tells how pixels become the network's numbers. */
    this.canBring = !this.whyNotDraw && (meta.draw || pictures.data instanceof Uint8Array);
    /** The picture as the network takes it. */
    this.values = new Float32Array(productOf(shape));
    this.compute();
  }

  /** Which picture is shown: the number of a sample, `DRAWN` or `OWN`. @returns {number} */
  get sample() {
    const sample = this.#model.get("sample");
    const isThere = sample < 0 ? (sample === DRAWN && !this.whyNotDraw) || (sample === OWN && this.own) : sample < this.pictures.shape[0];
    return isThere ? sample : 0;
  }

  /** Show another picture. @param {number} sample */
  choose(sample) {
    this.isTouched = true;
    setValue(this.#model, "sample", sample);
  }

  /** @param {number} sample */
  nameOf(sample) {
    const { labels, classes } = this.meta;
    return sample === OWN ? "your picture" : `picture ${sample + 1}${labels ? `: ${classes[labels[sample]]}` : ""}`;
  }

  /** Is the pad shown, with nothing on it? Then there is no answer. */
  get isBlank() { return this.sample === DRAWN && this.strokes.length === 0; }

  /** Are its pixels whole numbers from 0 to 255? */
  get isPixels() { return this.sample < 0 || this.pictures.data instanceof Uint8Array; }

  // ------------------------------------------------------------------------ the pen

  /** Begin a stroke; on another picture, begin a new drawing. @param {Point} point @returns {Stroke} */
  begin(point) {
    const stroke = { points: [onGrid(point)], pen: this.pen };
    this.strokes = [...(this.sample === DRAWN ? this.strokes : []), stroke];
    this.choose(DRAWN);
    return stroke;
  }

  /** Lead a stroke on. @param {Stroke} stroke @param {Point[]} points */
  extend({ points: known }, points) {
    for (const point of points.map(onGrid)) if (String(point) !== String(known[known.length - 1])) known.push(point);
  }

  /** Take back all strokes, or the last thing done: a stroke, or that another picture was chosen. @param {boolean} all */
  takeBack(all) {
    if (all || this.sample === DRAWN) this.strokes = all ? [] : this.strokes.slice(0, -1);
    this.choose(DRAWN);
  }

  // ------------------------------------------------------------------------ numbers

  /** Fill in `values` and `pixelRange`. */
  compute() {
    const { sample, values, shape } = this;
    const pixels = this.#pixelsOf(sample);
    values.set(this.valuesOf(sample, pixels));
    const range = areInRange(pixels) ? null : rangeOf(values);
    this.pixelRange = Array.from({ length: shape[0] }, (_, channel) => range ?? [this.#normalised(0, channel), this.#normalised(255, channel)]);
  }

  /** A picture as the network takes it. @param {number} sample */
  valuesOf(sample, pixels = this.#pixelsOf(sample)) {
    if (sample >= 0 && !(this.pictures.data instanceof Uint8Array)) return Float32Array.from(partOf(this.pictures, sample));
    const size = this.values.length / this.shape[0];
    return this.values.map((_, i) => this.#normalised(pixels[i % pixels.length], Math.floor(i / size)));
  }

  /** What pixels, divided by 255, are normalised with. @param {number} channel @returns {[mean: number, deviation: number]} */
  statistics(channel) {
    const { mean, std } = this.meta;
    return [mean[channel % mean.length], std[channel % std.length]];
  }

  /** @param {number} pixel @param {number} channel */
  #normalised(pixel, channel) {
    const [mean, std] = this.statistics(channel);
    return (pixel / 255 - mean) / std;
  }

  /** A picture from 0 for black to 255 for white; a drawing has one channel. @param {number} sample @returns {ArrayLike<number>} */
  #pixelsOf(sample) {
    if (sample === DRAWN) return (this.#drawing = new Drawing(this.strokes, this.shape[1])).pixels;
    if (sample === OWN && this.own) return this.own.pixels;
    const stored = partOf(this.pictures, sample);
    if (stored instanceof Uint8Array) return stored;
    return Array.from(stored, (value, i) => {
      const [mean, std] = this.statistics(Math.floor((i * this.shape[0]) / stored.length));
      return 255 * (value * std + mean);
    });
  }

  /** Paint a picture in its own colours. @param {HTMLCanvasElement} canvas @param {number} side @param {number} [sample] */
  paint(canvas, side, sample = this.sample) {
    const pixels = this.#pixelsOf(sample);
    paintPicture(canvas, pixels, sample === DRAWN ? [1, ...this.shape.slice(1)] : this.shape, side, areInRange(pixels) ? [0, 255] : undefined);
  }

  /** What became of the picture on its way in. */
  get stages() {
    return this.sample === DRAWN ? this.#drawing?.stages ?? [] : (this.sample === OWN && this.own?.stages) || [];
  }

  // ------------------------------------------------------------------------ links

  /** The picture as a short text that can stand in an address. */
  toText() {
    const { sample, own, strokes } = this;
    if (sample === DRAWN) return `d${toText(bytesOf(strokes))}`;
    return sample === OWN && own ? `p${toText(own.pixels)}` : `s${sample}`;
  }

  /** Show the picture of such a text. @param {string} text @returns {boolean}  false if it is none: then nothing has changed */
  fromText(text) {
    const [kind, rest] = [text.slice(0, 1), text.slice(1)];
    const bytes = fromText(rest);
    const strokes = kind === "d" && bytes && this.canDraw ? strokesOf(bytes) : null;
    const pixels = kind === "p" && this.canBring && bytes?.length === this.values.length ? bytes : null;
    const isSample = kind === "s" && /^\d{1,6}$/.test(rest) && Number(rest) < this.pictures.shape[0];
    if (!strokes && !pixels && !isSample) return false;
    if (strokes) this.strokes = strokes;
    if (pixels) this.own = { pixels, stages: [{ caption: "the picture of the link", values: pixels, shape: this.shape, white: 255 }] };
    this.choose(strokes ? DRAWN : pixels ? OWN : Number(rest));
    return true;
  }
}

/** @param {ArrayLike<number>} pixels */
function areInRange(pixels) {
  const isBytes = pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray;
  return isBytes || Array.from(pixels).every((pixel) => pixel >= -ROUNDING && pixel <= 255 + ROUNDING);
}

/** @param {Point} point @returns {Point} */
function onGrid([x, y]) {
  const nearest = (/** @type {number} */ share) => Math.round(Math.min(Math.max(share, 0), 1) * GRID) / GRID;
  return [nearest(x), nearest(y)];
}
