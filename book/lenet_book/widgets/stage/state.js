// @ts-check
/** What the stepper shows: the picture that goes in, its activations, the step and the picked unit. */
import { Engine } from "./engine.js";
import { isUnit, unitAt } from "./explanation.js";
import { Picture } from "./input/picture.js";
import { readArrays } from "../shared/arrays.js";

/** @typedef {import("../shared/arrays.js").Model} Model */

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
    /** @type {number[]} */
    this.first = [model.get("step"), this.input.sample];
    this.compute();
  }

  /** @returns {number} */
  get step() {
    return Math.min(Math.max(this.model.get("step"), 0), this.steps.length - 1);
  }

  /** The unit that is explained: the picked one, or else the strongest. */
  get unit() {
    const picked = this.model.get("picked");
    return isUnit(picked, this.steps[this.step].shape) ? picked : this.#strongest(this.step);
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
    this.input.compute();
    this.engine.run(this.input.values, this.input.sample);
  }

  /** Tell Python, and everyone who listens, what the reader has chosen. @param {Record<string, any>} values */
  choose(values) {
    for (const [key, value] of Object.entries(values)) this.model.set(key, value);
    this.model.save_changes();
  }
}
