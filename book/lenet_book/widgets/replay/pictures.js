// @ts-check
/** Some test pictures, and how sure the network is of each class at one moment of its training. */
import { element } from "../shared/elements.js";
import { sizeCanvas } from "../shared/pictures.js";

/** @typedef {import("../shared/arrays.js").Tensor} Tensor */

const PICTURE_SIZE = 56; // CSS pixels

/**
 * Draw a grey or coloured picture.
 *
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} pixels  0 to 255, channel after channel
 * @param {number[]} shape  channels, height, width
 */
function drawPicture(canvas, pixels, [channels, height, width]) {
  const small = document.createElement("canvas");
  [small.width, small.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (small.getContext("2d"));
  const image = context.createImageData(width, height);
  const area = width * height;
  for (let i = 0; i < area; i++) {
    for (let colour = 0; colour < 3; colour++) image.data[4 * i + colour] = pixels[(channels >= 3 ? colour * area : 0) + i];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  const scale = PICTURE_SIZE / Math.max(height, width);
  sizeCanvas(canvas, width * scale, height * scale).drawImage(small, 0, 0, width * scale, height * scale);
}

export class AnsweredPictures {
  /** @param {Tensor} pictures @param {number[]} labels @param {string[]} classes */
  constructor(pictures, labels, classes) {
    this.classes = classes;
    this.labels = labels;
    this.cards = labels.map((label, index) => this.#card(pictures, label, index));
    const hint = "The same pictures at every epoch. A bar for each class, the right one filled; below, the answer.";
    const list = element("ul", { class: "lenet-cards" }, ...this.cards.map((card) => card.node));
    this.node = element("div", { class: "lenet-answers" }, element("p", { class: "lenet-muted" }, hint), list);
  }

  /** @param {Tensor} pictures @param {number} label @param {number} index */
  #card(pictures, label, index) {
    const size = pictures.data.length / pictures.shape[0];
    const canvas = element("canvas", { "aria-hidden": "true" });
    drawPicture(canvas, pictures.data.subarray(index * size, (index + 1) * size), pictures.shape.slice(1));
    const bars = this.classes.map((_, k) => element("i", { class: k === label ? "lenet-right" : null }));
    const answer = element("span", { class: "lenet-answer" });
    const top = element("div", { class: "lenet-card-top" }, canvas, element("div", { class: "lenet-bars", "aria-hidden": "true" }, ...bars));
    const name = element("span", { class: "lenet-truth" }, this.classes[label]);
    const node = element("li", { class: "lenet-card" }, top, name, element("span", { class: "lenet-aloud" }, ": the network says "), answer);
    return { node, bars, answer };
  }

  /** @param {number[][]} probabilities  one row per picture */
  show(probabilities) {
    probabilities.forEach((shares, index) => {
      const { bars, answer } = this.cards[index];
      const best = shares.indexOf(Math.max(...shares));
      shares.forEach((share, k) => {
        bars[k].style.height = `${(100 * share).toFixed(1)}%`;
      });
      const isRight = best === this.labels[index];
      answer.textContent = `${isRight ? "✓" : "✗"} ${this.classes[best]} ${Math.round(100 * shares[best])}\u00a0%`;
      answer.classList.toggle("lenet-wrong", !isRight);
    });
  }
}
