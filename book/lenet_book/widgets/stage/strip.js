// @ts-check
/** The whole network in one row: a button for each step, with a small picture of what came out, and lines to what feeds a unit. */
import { feedersOf, flatIndex, unitAt } from "./explanation.js";
import { Ties } from "./lines.js";
import { Painting } from "./maps.js";
import { arrowKeys, element, setAttribute } from "../shared/elements.js";
import { productOf } from "../shared/numbers.js";
import { sizeCanvas } from "../shared/pictures.js";

const ROOM = 56; // high, for a small picture, in CSS pixels
const MAX_CARDS = 4; // one behind the other stand for all channels
const CARD_SHIFT = 4;
const SMALLEST = 14;
const BAR_WIDTH = 10;
const LONG_NAME = 9; // letters; of a longer one, its last part is shown
const MOST_TIES = 12;
const LIFT = 46; // of a line past other steps

/** How a step is drawn: maps as a stack of cards, features as a column. */
class Sign {
  #shape; #isMaps; #cards; #layout; #width; #height; #painting;
  canvas = element("canvas", { "aria-hidden": "true" });

  /** @param {Step} step @param {number} largest  the side of the largest map */
  constructor({ shape }, largest) {
    this.#shape = shape;
    const isMaps = shape.length === 3 && shape[1] * shape[2] > 1;
    const length = productOf(shape);
    this.#isMaps = isMaps;
    this.#cards = isMaps ? Math.min(MAX_CARDS, shape[0]) : 1;
    this.#layout = isMaps ? { tiles: this.#cards, rows: shape[1], columns: shape[2] } : { tiles: 1, rows: length, columns: 1 };
    const scale = (ROOM - (MAX_CARDS - 1) * CARD_SHIFT) / largest;
    this.#width = isMaps ? Math.max(shape[2] * scale, SMALLEST) : BAR_WIDTH;
    this.#height = isMaps ? Math.max(shape[1] * scale, SMALLEST) : Math.min(16 + length / 3, ROOM);
    this.#painting = new Painting(this.#layout);
  }

  /** @param {Float32Array} values @param {Scale} scale @param {Theme} theme */
  draw(values, scale, theme) {
    const { tiles, rows, columns } = this.#layout;
    this.#painting.paint(values.subarray(0, tiles * rows * columns), scale);
    const shift = (tiles - 1) * CARD_SHIFT;
    const context = sizeCanvas(this.canvas, Math.ceil(this.#width + shift) + 2, Math.ceil(this.#height + shift) + 2);
    context.imageSmoothingEnabled = rows > this.#height;
    context.strokeStyle = theme.line;
    for (let card = tiles - 1; card >= 0; card--) {
      const { x, y, width, height } = this.#card(card);
      context.drawImage(this.#painting.canvas, 0, card * rows, columns, rows, x, y, width, height);
      context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
    }
  }

  /** Where a card stands on the canvas. @param {number} card @returns {Rectangle} */
  #card(card) {
    return { x: card * CARD_SHIFT + 1, y: (this.#cards - 1 - card) * CARD_SHIFT + 1, width: this.#width, height: this.#height };
  }

  /** Where a unit stands in the window: its card, or its place in the column. @param {Unit} unit @returns {Rectangle} */
  spotOf(unit) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const scale = width / this.canvas.offsetWidth; // a phone shows it smaller
    const spot = this.#card(this.#isMaps ? Math.min(unit[0], this.#cards - 1) : 0);
    if (!this.#isMaps) Object.assign(spot, { y: spot.y + ((flatIndex(unit, this.#shape) + 0.5) / this.#layout.rows) * this.#height, height: 0 });
    return { x: left + spot.x * scale, y: top + spot.y * scale, width: spot.width * scale, height: spot.height * scale };
  }

  /** The number of a column under the pointer, or the first of a channel; null beside them. @param {PointerEvent} event */
  placeAt({ clientX, clientY }) {
    for (let card = 0; card < this.#cards; card++) {
      const { x, y, width, height } = this.#isMaps ? this.spotOf([card, 0, 0]) : this.canvas.getBoundingClientRect();
      const isInside = clientX >= x && clientX < x + width && clientY >= y && clientY < y + height;
      if (isInside) return this.#isMaps ? card : Math.floor(((clientY - y) / height) * this.#layout.rows);
    }
    return null;
  }
}

export class Strip {
  #state; #signs; #buttons;
  #ties = new Ties();

  /** @param {State} state @param {(step: number) => void} onChoose */
  constructor(state, onChoose) {
    this.#state = state;
    const { steps } = state;
    const largest = Math.max(1, ...steps.flatMap(({ shape }) => (shape.length === 3 ? shape.slice(1) : [])));
    this.#signs = steps.map((step) => new Sign(step, largest));
    this.#buttons = steps.map((_, index) => this.#button(index, onChoose));
    const list = element("ol", {}, ...this.#buttons.map((button) => element("li", {}, button)));
    this.node = element("nav", { class: "lenet-strip", "aria-label": "Operations of the network" }, list, this.#ties.node);
    arrowKeys(list, () => this.#buttons);
    for (const end of ["pointerleave", "focusout"]) list.addEventListener(end, () => this.#ties.show([]));
  }

  /** @param {number} index @param {(step: number) => void} onChoose */
  #button(index, onChoose) {
    const { steps } = this.#state;
    const { name, shape, inputs, operation } = steps[index];
    const others = inputs.filter((input) => input !== index - 1).map((input) => steps[input].name);
    const around = others.length ? `, also from ${others}` : "";
    const parts = [
      element("span", { class: "lenet-sign" }, ...(index ? [this.#signs[index].canvas] : [])), // the pad stands beside the first
      element("span", { class: "lenet-aloud" }, `${index}. `),
      element("span", { class: "lenet-name" }, name.length > LONG_NAME ? (name.split(".").pop() ?? name) : name),
      element("span", { class: "lenet-shape" }, String(shape) === String(steps[inputs[0]]?.shape) ? "" : shape.join("×")),
    ];
    const onpointermove = (/** @type {PointerEvent} */ event) => this.#showTies(index, this.#signs[index].placeAt(event));
    const listeners = { onclick: () => onChoose(index), onpointermove, onfocus: () => this.#showTies(index, null) };
    return element("button", { type: "button", title: `${name}: ${operation}${around}`, tabindex: -1, class: around ? "lenet-joins" : null, ...listeners }, ...parts);
  }

  /** Draw lines to a unit of a step from what adds most to it: the number or the channel that is pointed at, or else the strongest. @param {number} step @param {number | null} place */
  #showTies(step, place) {
    const { engine, steps } = this.#state;
    const { shape } = steps[step];
    const unit = place === null ? this.#state.strongest(step) : shape.length === 3 && shape[1] * shape[2] > 1 ? this.#state.strongest(step, place) : unitAt(place, shape);
    /** @type {Map<string, Tie>} */
    const ties = new Map();
    for (const feeder of feedersOf(engine, step, unit)) {
      const from = feeder.step ? this.#signs[feeder.step].spotOf(feeder.unit) : this.#buttons[0].getBoundingClientRect();
      const key = `${from.x} ${from.y}`;
      ties.set(key, { from, to: this.#signs[step].spotOf(unit), size: (ties.get(key)?.size ?? 0) + feeder.size, lift: feeder.step < step - 1 ? LIFT : 0 });
    }
    this.#ties.show([...ties.values()].sort((a, b) => Math.abs(b.size) - Math.abs(a.size)).slice(0, MOST_TIES));
  }

  /** @param {number} current @param {Map<number, unknown> | null} path  the steps on the way of the answer */
  mark(current, path) {
    this.#buttons.forEach((button, index) => {
      button.tabIndex = index === current ? 0 : -1;
      button.classList.toggle("lenet-on-path", Boolean(path?.has(index)));
      if (index === current) setAttribute(button, "aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    this.#bringIntoView(this.#buttons[current]);
  }

  /** Scroll the row alone, not the page. @param {HTMLElement} button */
  #bringIntoView({ offsetLeft: from, offsetWidth: width }) {
    const { scrollLeft, clientWidth } = this.node;
    if (from < scrollLeft) this.node.scrollLeft = from - 20;
    else if (from + width > scrollLeft + clientWidth) this.node.scrollLeft = from + width - clientWidth + 20;
  }

  /** @param {Float32Array[]} values  of each step @param {(step: number) => Scale} scaleOf @param {Theme} theme */
  draw(values, scaleOf, theme) {
    this.#ties.show([]);
    for (let step = 1; step < this.#signs.length; step++) this.#signs[step].draw(values[step], scaleOf(step), theme);
  }
}
