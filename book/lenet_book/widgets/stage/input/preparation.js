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
    const columns = Math.min(stages.length || 1, 3);
    const [width, height] = [columns, Math.ceil(stages.length / columns)].map((number, axis) => (this.#room[axis] - GAP * (number - 1)) / number);
    const side = Math.max(20, Math.min(width, height - CAPTION_HEIGHT));
    this.node.style.setProperty("--side", `${side}px`);
    const items = stages.map(({ caption, values, shape, white }) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      paintPicture(canvas, values, shape, side, [0, white]);
      return element("li", {}, canvas, element("span", {}, caption));
    });
    const none = element("li", {}, isBlank ? "Nothing is drawn yet." : "This picture came prepared: the network sees it as it is.");
    this.node.replaceChildren(...(items.length ? items : [none]));
  }
}
