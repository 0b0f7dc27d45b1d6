// @ts-check
/** All operations side by side, each with a small picture of what came out: a button to jump to it. */
import { Painting, arrange, tilesOf } from "./maps.js";
import { arrowKeys, element, setAttribute } from "../shared/elements.js";
import { sizeCanvas } from "../shared/pictures.js";

/** @typedef {import("./state.js").Step} Step */
/** @typedef {import("./maps.js").Scale} Scale */

const ROOM = { width: 78, height: 58 }; // for a small picture, in CSS pixels
const NARROW_ROOM = { width: 44, height: 44 };
const RAIL_GAP = 1.5;

export class Rail {
  #steps; #layouts; #paintings; #canvases; #buttons;
  #room = ROOM;

  /**
   * @param {Step[]} steps
   * @param {(step: number) => number} perLine  features in one line
   * @param {(step: number) => void} onChoose
   */
  constructor(steps, perLine, onChoose) {
    this.#steps = steps;
    this.#layouts = steps.map((step, index) => tilesOf(step.shape, perLine(index)));
    this.#paintings = this.#layouts.map((layout) => new Painting(layout));
    this.#canvases = steps.map(() => element("canvas", { "aria-hidden": "true" }));
    this.#buttons = steps.map((step, index) => this.#button(step, index, onChoose));
    const list = element("ol", {}, ...this.#buttons.map((button) => element("li", {}, button)));
    this.node = element("nav", { class: "lenet-rail", "aria-label": "Operations of the network" }, list);
    arrowKeys(list, () => this.#buttons);
  }

  /** @param {Step} step @param {number} index @param {(step: number) => void} onChoose */
  #button(step, index, onChoose) {
    const name = element("span", { class: "lenet-rail-name" }, step.name);
    const shape = element("span", { class: "lenet-rail-shape" }, step.shape.join("×"));
    const place = element("span", { class: "lenet-aloud" }, `${index}. `);
    const picture = element("span", { class: "lenet-rail-picture" }, this.#canvases[index]);
    const attributes = { type: "button", title: step.operation, onclick: () => onChoose(index), tabindex: -1 };
    return element("button", attributes, picture, place, name, " ", shape);
  }

  /** @param {boolean} isNarrow */
  layOut(isNarrow) {
    this.#room = isNarrow ? NARROW_ROOM : ROOM;
  }

  /** @param {number} current */
  mark(current) {
    this.#buttons.forEach((button, index) => {
      button.tabIndex = index === current ? 0 : -1;
      if (index === current) setAttribute(button, "aria-current", "step");
      else button.removeAttribute("aria-current");
    });
  }

  /** @param {Float32Array[]} values @param {(step: number) => Scale} scaleOf */
  draw(values, scaleOf) {
    this.#steps.forEach((_, index) => {
      const layout = this.#layouts[index];
      const painting = this.#paintings[index];
      painting.paint(values[index], scaleOf(index));
      const { cell, perRow, width, height } = arrange(layout, this.#room.width, this.#room.height, RAIL_GAP);
      const context = sizeCanvas(this.#canvases[index], width, height);
      context.imageSmoothingEnabled = cell < 1;
      const [across, down] = [layout.columns * cell, layout.rows * cell];
      for (let tile = 0; tile < layout.tiles; tile++) {
        const [x, y] = [(tile % perRow) * (across + RAIL_GAP), Math.floor(tile / perRow) * (down + RAIL_GAP)];
        context.drawImage(painting.canvas, 0, tile * layout.rows, layout.columns, layout.rows, x, y, across, down);
      }
    });
  }
}
