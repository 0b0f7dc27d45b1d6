// @ts-check
/** From strokes or a file to what the network sees: a small picture with a caption for each step. */
import { element } from "../../shared/elements.js";
import { paintPicture } from "../../shared/pictures.js";

/** @typedef {import("../state.js").State} State */

const CAPTION_HEIGHT = 54; // CSS pixels, here and below
const GAP = 10;

export class Preparation {
  #input;
  #room = [0, 0];
  node = element("ol", { class: "lenet-preparation", "aria-label": "How the picture is prepared" });

  /** @param {State} state */
  constructor({ input }) {
    this.#input = input;
  }

  /** Fit into a room of this size. @param {number} width @param {number} height */
  layOut(width, height) {
    this.#room = [width, height];
  }

  show() {
    const { stages, isBlank } = this.#input;
    const sides = stages.map((_, more) => {
      const [width, height] = [more + 1, Math.ceil(stages.length / (more + 1))].map((number, axis) => (this.#room[axis] - GAP * (number - 1)) / number);
      return Math.min(width, height - CAPTION_HEIGHT);
    });
    const side = Math.max(...sides, 20);
    this.node.style.setProperty("--side", `${side}px`);
    this.node.style.setProperty("--columns", String(sides.indexOf(side) + 1 || 1));
    const items = stages.map(({ caption, values, shape, white }) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      paintPicture(canvas, values, shape, side, [0, white]);
      return element("li", {}, canvas, element("span", {}, caption));
    });
    const none = element("li", {}, isBlank ? "Nothing is drawn yet." : "This picture came prepared: the network sees it as it is.");
    this.node.replaceChildren(...(items.length ? items : [none]));
  }
}
