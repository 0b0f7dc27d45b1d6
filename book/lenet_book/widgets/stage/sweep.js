// @ts-check
/** The window crosses its input, stop by stop, and what it has reached so far; a slider moves it. */
import { element, prefersLessMotion, setText } from "../shared/elements.js";
import { productOf } from "../shared/numbers.js";

/** @typedef {import("./state.js").State} State */

const MILLISECONDS = 2500;
const SWEPT = ["conv", "maxPool", "avgPool"];

export class Sweep {
  #state; #moved;
  #frame = 0;
  #count = element("span", { class: "lenet-count" });
  #slider;

  /** @param {State} state @param {() => void} moved */
  constructor(state, moved) {
    this.#state = state;
    this.#moved = moved;
    const oninput = () => this.#set(Number(this.#slider.value));
    this.#slider = element("input", { type: "range", min: 0, "aria-label": "Place of the window", oninput });
    this.node = element("span", { class: "lenet-sweep" }, this.#slider, this.#count);
  }

  /** Does a window cross the input of a step? @param {number} step */
  sweeps(step) {
    return SWEPT.includes(this.#state.steps[step].kind) && this.#numStops(step) > 1;
  }

  /** @param {number} step */
  #numStops(step) {
    const { shape } = this.#state.steps[step];
    return productOf(shape.length === 3 ? shape.slice(1) : shape);
  }

  get isRunning() {
    return this.#frame !== 0;
  }

  /** Let the window cross its input once. */
  begin() {
    this.stop();
    const { step } = this.#state;
    if (!this.sweeps(step) || prefersLessMotion()) return;
    const numStops = this.#numStops(step);
    /** @type {number | null} */
    let start = null;
    const advance = (/** @type {number} */ now) => {
      start ??= now;
      const stop = Math.floor(((now - start) / MILLISECONDS) * numStops);
      if (stop >= numStops) return this.stop();
      this.#frame = requestAnimationFrame(advance);
      this.#state.sweep = stop;
      this.#moved();
    };
    this.#frame = requestAnimationFrame(advance);
  }

  /** @param {number} stop */
  #set(stop) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#state.preview = null;
    this.#state.sweep = stop;
    this.#moved();
  }

  /** Show the whole maps again. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#state.sweep === null) return;
    this.#state.sweep = null;
    this.#moved();
  }

  /** Show where the unit stands. */
  show() {
    const { step, steps, unit, sweep } = this.#state;
    const { shape } = steps[step];
    const numStops = this.#numStops(step);
    const at = shape.length === 3 ? unit[1] * shape[2] + unit[2] : (sweep ?? unit[0]);
    this.#slider.max = String(numStops - 1);
    this.#slider.value = String(at);
    this.#slider.disabled = numStops < 2;
    const place = shape.length === 3 ? `row ${unit[1]}, column ${unit[2]}` : `number ${at}`;
    this.#slider.setAttribute("aria-valuetext", place);
    setText(this.#count, `${at + 1} / ${numStops}`);
  }
}
