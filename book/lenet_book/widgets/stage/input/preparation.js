// @ts-check
/** From strokes or a file to what the network sees: a small picture with a caption for each step. */
import { element } from "../../shared/elements.js";
import { paintPixels } from "../../shared/pictures.js";

const CAPTION_HEIGHT = 54; // CSS pixels, here and below
const GAP = 10;

export class Preparation {
  #input;
  #room = [0, 0];
  /** @type {HTMLCanvasElement[]} */
  #pictures = [];
  #captions = "";
  node = element("ol", { class: "lenet-preparation", "aria-label": "How the picture is prepared" });

  /** @param {import("./picture.js").Picture} input */
  constructor(input) {
    this.#input = input;
  }

  /** Fit into a room of this size. @param {number} width @param {number} height */
  layOut(width, height) { this.#room = [width, height]; }

  show() {
    const { stages, isBlank } = this.#input;
    const sides = stages.map((_, more) => {
      const [width, height] = [more + 1, Math.ceil(stages.length / (more + 1))].map((number, axis) => (this.#room[axis] - GAP * (number - 1)) / number);
      return Math.min(width, height - CAPTION_HEIGHT);
    });
    const side = Math.max(...sides, stages.length ? 20 : this.#room[0]); // words alone have all of it
    this.node.style.setProperty("--side", `${side}px`);
    this.node.style.setProperty("--columns", String(sides.indexOf(side) + 1 || 1));
    while (this.#pictures.length < stages.length) this.#pictures.push(element("canvas", { "aria-hidden": "true" }));
    stages.forEach(({ values, shape, white }, i) => paintPixels(this.#pictures[i], values, shape, side, [0, white]));
    const none = isBlank ? "Nothing is drawn yet." : "This picture came prepared: the network sees it as it is.";
    const captions = stages.length ? stages.map(({ caption }) => caption) : [none];
    if (captions.join() === this.#captions) return; // a pen that moves changes the pictures alone
    this.#captions = captions.join();
    this.node.replaceChildren(...captions.map((caption, i) => element("li", {}, stages.length ? this.#pictures[i] : "", element("span", {}, caption))));
  }
}
