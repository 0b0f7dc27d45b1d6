// @ts-check
/** What the stage shows: the picture that goes in, its activations, the step and the picked unit. */
import { Engine } from "./engine.js";
import { isUnit, unitAt } from "./explanation.js";
import { Picture } from "./input/picture.js";
import { Scales, limitOf } from "./maps.js";
import { readArrays } from "../shared/arrays.js";

export class State {
  /** How the numbers of each step become colours. */
  scales = new Scales(this);
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
  /** Which way the reader walks, or that the network is taught. @type {Mode} */
  mode = "forward";
  /** The class that the reader says the picture is. @type {number | null} */
  said = null;
  /** What the network answered before the last step of learning. @type {{ shares: number[], loss: number, right?: string } | null} */
  before = null;
  /** The weights as they came, kept before the reader can change them. @type {Record<string, Tensor>} */
  start = {};
  /** How often something was computed; then all that follows from it is out of date. */
  runs = 0;

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
  get step() { return Math.min(Math.max(this.model.get("step"), 0), this.steps.length - 1); }

  /** Can the walk go on, from the answer back through the network? */
  get canLearn() {
    const { kind, shape } = this.steps[this.steps.length - 1];
    return ["softmax", "logSoftmax"].includes(kind) && shape.length === 1;
  }

  /** What the picture is: as the reader says, or as it is recorded; without either, what the network takes it for. @returns {number} */
  get label() {
    const recorded = this.meta.labels?.[this.input.sample];
    return this.said ?? recorded ?? this.strongest(this.steps.length - 1)[0];
  }

  /** How far the walk has come: forward to the last step, then back from there to the first. @returns {number} */
  get place() { return this.mode === "back" ? 2 * this.steps.length - 1 - this.step : this.step; }

  get isPicked() { return isUnit(this.model.get("picked"), this.steps[this.step].shape); }

  /** The unit that stays when the pointer has left: the picked one, or else the strongest. @returns {Unit} */
  get picked() { return this.isPicked ? this.model.get("picked") : this.strongest(this.step); }

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

  /** Has the reader changed the weights? */
  get isTaught() {
    return Object.entries(this.start).some(([name, { data }]) => {
      const now = this.engine.arrays[name].data;
      return data.some((value, i) => value !== now[i]);
    });
  }

  /** Let the weights be as they came. */
  unteach() {
    for (const [name, { data }] of Object.entries(this.start)) this.engine.arrays[name].data.set(data);
    this.before = null;
  }

  /** Compute all activations of the chosen picture. */
  compute() {
    this.runs += 1;
    this.input.compute();
    this.limits = this.engine.run(this.input.values, this.input.sample).map(limitOf);
  }

  /** Tell Python, and everyone who listens, what the reader has chosen. @param {Record<string, any>} values */
  choose(values) {
    for (const [key, value] of Object.entries(values)) this.model.set(key, value);
    this.model.save_changes();
  }
}
