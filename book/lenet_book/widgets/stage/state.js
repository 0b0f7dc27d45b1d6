// @ts-check
/** What the stage shows: the picture that goes in, its activations, the step and the picked unit; and links that lead back there. */
import { Engine } from "./engine.js";
import { isUnit, unitAt } from "./explanation.js";
import { Picture } from "./input/picture.js";
import { limitOf } from "./maps.js";
import { readArrays } from "../shared/arrays.js";

export class State {
  /** The largest absolute value of each step. @type {number[]} */
  limits = [];
  /** The unit under the pointer. @type {Unit | null} */
  preview = null;
  /** Where the window stands on its way over the input; null when the maps are complete. @type {number | null} */
  sweep = null;
  /** The channel of a convolution whose products are shown; null for all. @type {number | null} */
  channel = null;
  /** The strongest way from the answer to the picture: a unit for each step on it. @type {Map<number, Unit> | null} */
  path = null;

  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** @type {StageMeta} */
    this.meta = model.get("meta");
    this.steps = this.meta.steps;
    const arrays = readArrays(model);
    this.engine = new Engine(this.steps, arrays);
    this.input = new Picture(model, this.meta, this.steps[0].shape, arrays.pictures);
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
    const { shape } = this.steps[this.step];
    if (this.preview && isUnit(this.preview, shape)) return this.preview;
    if (this.sweep === null) return this.picked;
    return shape.length === 3 ? [this.picked[0], ...unitAt(this.sweep, shape.slice(1))] : unitAt(this.sweep, shape);
  }

  /** The unit with the largest number, of a step or of one of its channels. @param {number} step @param {number} [channel] */
  strongest(step, channel) {
    const { shape } = this.steps[step];
    const values = this.engine.values[step];
    const size = channel === undefined ? values.length : values.length / shape[0];
    const first = (channel ?? 0) * size;
    let best = first;
    for (let i = first; i < first + size; i++) if (values[i] > values[best]) best = i;
    return unitAt(best, shape);
  }

  /** Compute all activations of the chosen picture. */
  compute() {
    this.input.compute();
    this.limits = this.engine.run(this.input.values, this.input.sample).map(limitOf);
  }

  /** Tell Python, and everyone who listens, what the reader has chosen. @param {Record<string, any>} values */
  choose(values) {
    for (const [key, value] of Object.entries(values)) this.model.set(key, value);
    this.model.save_changes();
  }
}

// ---------------------------------------------------------------------------- links

/** A link that leads back to a picture, a step, a channel and a unit. @param {string} address @param {State} state */
export function linkOf(address, { step, picked, channel, input }) {
  const parts = [`step=${step}`, `unit=${picked}`, ...(channel === null ? [] : [`channel=${channel}`]), `picture=${input.toText()}`];
  return `#${address}:${parts.join(";")}`;
}

/**
 * Read a link of this form; any part but the step may be missing.
 *
 * @param {string} address @param {string} hash @param {number} numSteps
 * @returns {{ step: number, unit: number[], channel: number | null, picture: string | null } | null}  null for any other text
 */
export function readLink(address, hash, numSteps) {
  const [name, ...rest] = decoded(hash.slice(1)).split(":");
  if (!address || name !== address || !rest.length) return null;
  const wanted = new Map(rest.join(":").split(";").map((part) => /** @type {[string, string]} */ (/([^=]*)=?(.*)/s.exec(part)?.slice(1))));
  const [step, channel] = ["step", "channel"].map((key) => (/^\d{1,9}$/.test(wanted.get(key) ?? "") ? Number(wanted.get(key)) : null));
  if (step === null || step >= numSteps) return null;
  return { step, unit: (wanted.get("unit") ?? "none").split(",").map(Number), channel, picture: wanted.get("picture") ?? null };
}

/** Read what some programs write of a link, %3D for "=". @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a page may be opened with any text behind the #
  }
}
