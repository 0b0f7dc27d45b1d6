// @ts-check
/** What the stepper shows: the picture, its activations, the step and the picked unit. */
import { renderDigit } from "./drawing.js";
import { Engine } from "./engine.js";
import { isUnit, unitAt } from "./explanation.js";
import { readArrays } from "../shared/arrays.js";
import { productOf } from "../shared/numbers.js";

/** @typedef {import("../shared/arrays.js").Model} Model */
/** @typedef {import("../shared/arrays.js").Tensor} Tensor */
/** @typedef {import("./drawing.js").Stroke} Stroke */

/**
 * @typedef {object} Place  where a step stands in the code
 * @property {number} listing
 * @property {number} line
 * @property {number} num_lines
 * @property {[number, number] | null} columns
 */

/**
 * @typedef {import("./engine.js").Instruction & {
 *   name: string, operation: string, formula?: string, note?: string, numParameters?: number,
 *   numMacs?: number, field?: number[] | null, jump?: number[] | null, code?: string, place?: Place,
 *   added?: boolean,
 * }} Step
 */

/** @typedef {{ title: string, first: number, lines: string[] }} Listing */

/**
 * @typedef {object} Meta
 * @property {string} model
 * @property {Step[]} steps
 * @property {Listing[]} listings
 * @property {string[]} classes
 * @property {number[] | null} labels
 * @property {number[]} mean
 * @property {number[]} std
 * @property {boolean} draw
 */

export const DRAWN = -1; // in place of the number of a sample

export class State {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** @type {Meta} */
    this.meta = model.get("meta");
    this.steps = this.meta.steps;
    const arrays = readArrays(model);
    this.pictures = arrays.pictures;
    this.engine = new Engine(this.steps, arrays);
    /** The picture as the network takes it. */
    this.picture = new Float32Array(productOf(this.steps[0].shape));
    /** What is drawn on the pad. @type {Stroke[]} */
    this.strokes = [];
    /** @type {number[]} */
    this.first = [model.get("step"), this.sample];
    this.compute();
  }

  /** @returns {number} */
  get step() {
    return Math.min(Math.max(this.model.get("step"), 0), this.steps.length - 1);
  }

  /** @returns {number} */
  get sample() {
    const sample = this.model.get("sample");
    const isThere = sample === DRAWN ? this.whyNotDraw === null : sample >= 0 && sample < this.pictures.shape[0];
    return isThere ? sample : 0;
  }

  /** The unit that is explained: the picked one, or else the strongest. */
  get unit() {
    const picked = this.model.get("picked");
    return isUnit(picked, this.steps[this.step].shape) ? picked : this.#strongest(this.step);
  }

  /** Is the pad shown, with nothing on it? */
  get isBlank() {
    return this.sample === DRAWN && this.strokes.length === 0;
  }

  /** Why drawing is not possible, or null. */
  get whyNotDraw() {
    const blocking = this.steps[this.engine.firstRecorded];
    if (blocking) return `${blocking.name} is not computed in the page: ${blocking.reason}`;
    const [channels, height, width] = this.steps[0].shape;
    const isPicture = this.steps[0].shape.length === 3 && height === width && [1, 3].includes(channels);
    return isPicture ? null : "the network does not take square pictures";
  }

  /** @param {number} step @returns {number[]} */
  #strongest(step) {
    const values = this.engine.values[step];
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
    return unitAt(best, this.steps[step].shape);
  }

  /** Compute all activations of the chosen picture. */
  compute() {
    if (this.sample === DRAWN) this.#normalise(renderDigit(this.strokes, this.steps[0].shape[1]), 1);
    else this.#takeSample(this.sample);
    this.engine.run(this.picture, this.sample);
  }

  /** @param {number} sample */
  #takeSample(sample) {
    const size = this.picture.length;
    const pixels = this.pictures.data.subarray(sample * size, (sample + 1) * size);
    if (pixels instanceof Uint8Array) this.#normalise(pixels, 255);
    else this.picture.set(pixels);
  }

  /**
   * Make pixels what the network takes.
   *
   * @param {ArrayLike<number>} pixels  for every channel, or one channel for all
   * @param {number} white  the value of a white pixel
   */
  #normalise(pixels, white) {
    const perChannel = this.picture.length / this.steps[0].shape[0];
    for (let i = 0; i < this.picture.length; i++) {
      const [mean, std] = this.#statistics(Math.floor(i / perChannel));
      this.picture[i] = (pixels[i % pixels.length] / white - mean) / std;
    }
  }

  /** @param {number} channel */
  #statistics(channel) {
    const { mean, std } = this.meta;
    return [mean[channel % mean.length], std[channel % std.length]];
  }

  /** The values of a black and of a white pixel, for each channel. */
  get pixelRange() {
    const channels = this.steps[0].shape[0];
    const isKnown = this.pictures.data instanceof Uint8Array || this.sample < 0;
    return Array.from({ length: channels }, (_, channel) => {
      const [mean, std] = this.#statistics(channel);
      const [black, white] = [-mean / std, (1 - mean) / std];
      if (isKnown) return [black, white];
      const lowest = this.picture.reduce((a, b) => Math.min(a, b));
      const highest = this.picture.reduce((a, b) => Math.max(a, b));
      return lowest >= black - 0.01 && highest <= white + 0.01 ? [black, white] : [lowest, highest];
    });
  }

  /** Tell Python, and everyone who listens, what the reader has chosen. @param {Record<string, any>} values */
  choose(values) {
    for (const [key, value] of Object.entries(values)) this.model.set(key, value);
    this.model.save_changes();
  }
}
