// @ts-check
/** What the stepper shows: the picture that goes in, its activations, the step and the picked unit. */
import { Engine } from "./engine.js";
import { isUnit, unitAt } from "./explanation.js";
import { Picture } from "./input/picture.js";
import { readArrays } from "../shared/arrays.js";

/** @typedef {import("../shared/arrays.js").Model} Model */
/** @typedef {import("./explanation.js").Unit} Unit */

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

export class State {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** @type {Meta} */
    this.meta = model.get("meta");
    this.steps = this.meta.steps;
    const arrays = readArrays(model);
    this.engine = new Engine(this.steps, arrays);
    this.input = new Picture(model, this.meta, this.steps[0].shape, arrays.pictures);
    /** The unit under the pointer. @type {Unit | null} */
    this.preview = null;
    /** Where the window stands on its way over the input; null when the maps are complete. @type {number | null} */
    this.sweep = null;
    /** The channel of a convolution whose products are shown; null for all. @type {number | null} */
    this.channel = null;
    /** The strongest way from the answer to the picture: a unit for each step on it. @type {Map<number, Unit> | null} */
    this.path = null;
    this.compute();
  }

  /** @returns {number} */
  get step() {
    return Math.min(Math.max(this.model.get("step"), 0), this.steps.length - 1);
  }

  get isPicked() {
    return isUnit(this.model.get("picked"), this.steps[this.step].shape);
  }

  /** The unit that stays when the pointer has left: the picked one, or else the strongest. @returns {Unit} */
  get picked() {
    return this.isPicked ? this.model.get("picked") : this.strongest(this.step);
  }

  /** The unit that is explained. @returns {Unit} */
  get unit() {
    if (this.preview && isUnit(this.preview, this.steps[this.step].shape)) return this.preview;
    if (this.sweep === null) return this.picked;
    const { shape } = this.steps[this.step];
    return shape.length === 3 ? [this.picked[0], Math.floor(this.sweep / shape[2]), this.sweep % shape[2]] : unitAt(this.sweep, shape);
  }

  /** @param {number} step @returns {Unit} */
  strongest(step) {
    const values = this.engine.values[step];
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
    return unitAt(best, this.steps[step].shape);
  }

  /** Compute all activations of the chosen picture. */
  compute() {
    this.input.compute();
    this.engine.run(this.input.values, this.input.sample);
  }

  /** Tell Python, and everyone who listens, what the reader has chosen. @param {Record<string, any>} values */
  choose(values) {
    for (const [key, value] of Object.entries(values)) this.model.set(key, value);
    this.model.save_changes();
  }
}
