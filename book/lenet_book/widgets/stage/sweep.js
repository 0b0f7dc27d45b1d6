// @ts-check
/** The window crosses its input, stop by stop, and what it has reached so far; a slider moves it. */
import { element, prefersLessMotion, setAttribute, setText } from "../shared/elements.js";
import { productOf } from "../shared/numbers.js";

const SWEEP_MILLISECONDS = 2500;
const SWEPT = ["conv", "maxPool", "avgPool"];

export class Sweep {
  #state; #moved; #slider;
  #frame = 0;
  #count = element("span", { class: "lenet-count" });

  /** @param {State} state @param {() => void} moved */
  constructor(state, moved) {
    this.#state = state;
    this.#moved = moved;
    this.#slider = element("input", { type: "range", min: 0, "aria-label": "Place of the window", oninput: () => this.#drag() });
    this.node = element("span", { class: "lenet-sweep" }, this.#slider, this.#count);
  }

  /** Does a window cross the input of this step? */
  get sweeps() {
    const { step, steps } = this.#state;
    return SWEPT.includes(steps[step].kind) && this.#numStops > 1;
  }

  get #numStops() {
    const { shape } = this.#state.steps[this.#state.step];
    return productOf(shape.length === 3 ? shape.slice(1) : shape);
  }

  get isRunning() { return this.#frame !== 0; }

  /** Let the window cross its input once. */
  begin() {
    this.stop();
    if (!this.sweeps || prefersLessMotion()) return;
    const numStops = this.#numStops;
    /** @type {number | null} */
    let start = null;
    const advance = (/** @type {number} */ now) => {
      start ??= now;
      const stop = Math.floor(((now - start) / SWEEP_MILLISECONDS) * numStops);
      if (stop >= numStops) return this.stop();
      this.#frame = requestAnimationFrame(advance);
      this.#moveTo(stop);
    };
    this.#frame = requestAnimationFrame(advance);
  }

  #drag() {
    this.#halt();
    this.#state.preview = null;
    this.#moveTo(Number(this.#slider.value));
  }

  /** Show the whole maps again. */
  stop() {
    this.#halt();
    if (this.#state.sweep !== null) this.#moveTo(null);
  }

  #halt() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** @param {number | null} stop */
  #moveTo(stop) {
    this.#state.sweep = stop;
    this.#moved();
  }

  /** Show where the unit stands. */
  show() {
    const { step, steps, unit, sweep } = this.#state;
    const { shape } = steps[step];
    const numStops = this.#numStops;
    const isMap = shape.length === 3;
    const at = isMap ? unit[1] * shape[2] + unit[2] : (sweep ?? unit[0]);
    setAttribute(this.#slider, "max", String(numStops - 1));
    if (this.#slider.value !== String(at)) this.#slider.value = String(at);
    this.#slider.disabled = numStops < 2;
    setAttribute(this.#slider, "aria-valuetext", isMap ? `row ${unit[1]}, column ${unit[2]}` : `number ${at}`);
    setText(this.#count, `${at + 1} / ${numStops}`);
  }
}
