// @ts-check
/** The whole network in one row: a button for each step, with a small picture of what came out. */
import { Painting } from "./maps.js";
import { arrowKeys, element, setAttribute } from "../shared/elements.js";
import { sizeCanvas } from "../shared/pictures.js";

/** @typedef {import("./state.js").Step} Step */
/** @typedef {import("./maps.js").Scale} Scale */
/** @typedef {import("../shared/colours.js").Theme} Theme */

const ROOM = 56; // high, for a small picture, in CSS pixels
const MAX_CARDS = 4; // one behind the other stand for all channels
const CARD_SHIFT = 4;
const SMALLEST = 14;
const BAR_WIDTH = 10;
const LONG_NAME = 9; // letters; of a longer one, its last part is shown

/** How a step is drawn: maps as a stack of cards, features as a column. */
class Sign {
  /** @param {Step} step @param {number} largest  the side of the largest map */
  constructor({ shape }, largest) {
    this.canvas = element("canvas", { "aria-hidden": "true" });
    const isMaps = shape.length === 3 && shape[1] * shape[2] > 1;
    const length = shape.reduce((product, size) => product * size, 1);
    this.cards = isMaps ? Math.min(MAX_CARDS, shape[0]) : 1;
    this.pixels = isMaps ? { tiles: this.cards, rows: shape[1], columns: shape[2] } : { tiles: 1, rows: length, columns: 1 };
    const side = ROOM - (MAX_CARDS - 1) * CARD_SHIFT;
    const scale = side / largest;
    this.width = isMaps ? Math.max(shape[2] * scale, SMALLEST) : BAR_WIDTH;
    this.height = isMaps ? Math.max(shape[1] * scale, SMALLEST) : Math.min(16 + length / 3, ROOM);
    this.painting = new Painting(this.pixels);
  }

  /** @param {Float32Array} values @param {Scale} scale @param {Theme} theme */
  draw(values, scale, theme) {
    const { tiles, rows, columns } = this.pixels;
    this.painting.paint(values.subarray(0, tiles * rows * columns), scale);
    const shift = (this.cards - 1) * CARD_SHIFT;
    const context = sizeCanvas(this.canvas, Math.ceil(this.width + shift) + 2, Math.ceil(this.height + shift) + 2);
    context.imageSmoothingEnabled = rows > this.height;
    context.strokeStyle = theme.line;
    for (let card = this.cards - 1; card >= 0; card--) {
      const [x, y] = [card * CARD_SHIFT + 1, shift - card * CARD_SHIFT + 1];
      context.drawImage(this.painting.canvas, 0, card * rows, columns, rows, x, y, this.width, this.height);
      context.strokeRect(x - 0.5, y - 0.5, this.width + 1, this.height + 1);
    }
  }
}

export class Strip {
  #steps; #signs; #buttons;

  /** @param {Step[]} steps @param {(step: number) => void} onChoose */
  constructor(steps, onChoose) {
    this.#steps = steps;
    const sides = steps.flatMap(({ shape }) => (shape.length === 3 ? shape.slice(1) : []));
    const largest = Math.max(1, ...sides);
    this.#signs = steps.slice(1).map((step) => new Sign(step, largest)); // the pad stands beside the first
    this.#buttons = steps.map((step, index) => this.#button(step, index, onChoose));
    const list = element("ol", {}, ...this.#buttons.map((button) => element("li", {}, button)));
    this.node = element("nav", { class: "lenet-strip", "aria-label": "Operations of the network" }, list);
    arrowKeys(list, () => this.#buttons);
  }

  /** @param {Step} step @param {number} index @param {(step: number) => void} onChoose */
  #button(step, index, onChoose) {
    const { name, shape, inputs, operation } = step;
    const around = inputs.some((input) => input !== index - 1) ? `, also from ${inputs.filter((i) => i !== index - 1).map((i) => this.#steps[i].name)}` : "";
    const parts = [
      element("span", { class: "lenet-sign" }, ...(index ? [this.#signs[index - 1].canvas] : [])),
      element("span", { class: "lenet-aloud" }, `${index}. `),
      element("span", { class: "lenet-name" }, name.length > LONG_NAME ? (name.split(".").pop() ?? name) : name),
      element("span", { class: "lenet-shape" }, String(shape) === String(this.#steps[inputs[0]]?.shape) ? "" : shape.join("×")),
    ];
    const attributes = { type: "button", title: `${name}: ${operation}${around}`, onclick: () => onChoose(index), tabindex: -1 };
    return element("button", { ...attributes, class: around ? "lenet-joins" : null }, ...parts);
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
  #bringIntoView(button) {
    const [from, to] = [button.offsetLeft, button.offsetLeft + button.offsetWidth];
    const { scrollLeft, clientWidth } = this.node;
    if (from < scrollLeft) this.node.scrollLeft = from - 20;
    else if (to > scrollLeft + clientWidth) this.node.scrollLeft = to - clientWidth + 20;
  }

  /** @param {Float32Array[]} values @param {(step: number) => Scale} scaleOf @param {Theme} theme */
  draw(values, scaleOf, theme) {
    this.#signs.forEach((sign, index) => sign.draw(values[index + 1], scaleOf(index + 1), theme));
  }
}
