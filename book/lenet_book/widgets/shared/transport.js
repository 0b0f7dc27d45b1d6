// @ts-check
/** Walk through the places of something, step by step or by itself: buttons, and a slider. */
import { button, element, setAttribute } from "./elements.js";

export class Transport {
  #walk; #back; #slider;
  #timer = 0;

  /** @param {Walk} walk @param {{ back?: string, slider?: string }} [captions]  without one for the slider there is none */
  constructor(walk, { back = "‹ Back", slider } = {}) {
    this.#walk = walk;
    this.#back = button(back, () => this.step(-1));
    this.play = button("Play", () => this.#turn());
    this.next = button("Next ›", () => this.step(1));
    const oninput = () => this.go(Number(this.#slider.value));
    this.#slider = element("input", { type: "range", min: 0, "aria-label": slider, oninput, onpointerdown: () => this.stop() });
    const controls = [this.#back, this.play, this.next, ...(slider ? [this.#slider] : [])];
    this.node = element("div", { class: "lenet-transport" }, ...controls);
  }

  get isPlaying() {
    return this.#timer !== 0;
  }

  /** Play no more, and go there. @param {number} place */
  go(place) {
    this.stop();
    this.#walk.go(Math.min(Math.max(place, 0), this.#walk.last()));
  }

  /** @param {number} change */
  step(change) {
    this.go(this.#walk.at() + change);
  }

  /** Play, or stop where it is: now, and not at every step of playing, the place is read aloud. */
  #turn() {
    const { at, last, end = last, go, milliseconds } = this.#walk;
    if (this.isPlaying) return this.step(0);
    if (at() === end()) this.go(0);
    this.play.textContent = "Pause";
    this.#timer = window.setInterval(() => (at() + 1 < end() ? go(at() + 1) : this.step(1)), milliseconds());
  }

  /** Play no more. */
  stop() {
    window.clearInterval(this.#timer);
    this.#timer = 0;
    this.play.textContent = "Play";
  }

  /** Show where it is; a button that leads no further keeps the focus. @param {string} [text]  the place in words, for the slider */
  show(text = "") {
    const [at, last] = [this.#walk.at(), this.#walk.last()];
    setAttribute(this.#back, "aria-disabled", String(at === 0));
    setAttribute(this.next, "aria-disabled", String(at === last));
    this.#slider.max = String(last);
    this.#slider.value = String(at);
    this.#slider.setAttribute("aria-valuetext", text);
  }
}
