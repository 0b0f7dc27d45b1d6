// @ts-check
/** Some test pictures, and how sure the network is of each class at one moment of its training. */
import { partOf } from "../shared/arrays.js";
import { element } from "../shared/elements.js";
import { paintPicture } from "../shared/pictures.js";
import { percentText } from "../shared/text.js";

const PICTURE_SIDE = 40; // CSS pixels
const SUREST = 0.9999; // a softmax never says 1; recorded halves round to it

export class AnsweredPictures {
  #classes; #labels; #cards;

  /** @param {Tensor} pictures @param {number[]} labels @param {string[]} classes */
  constructor(pictures, labels, classes) {
    this.#classes = classes;
    this.#labels = labels;
    this.#cards = labels.map((label, index) => this.#card(pictures, label, index));
    const hint = "Always these pictures. ✓ is named right; a bar per class.";
    const list = element("ul", { class: "lenet-cards" }, ...this.#cards.map((card) => card.node));
    this.node = element("div", { class: "lenet-answers" }, element("p", { class: "lenet-muted" }, hint), list);
  }

  /** @param {Tensor} pictures @param {number} label @param {number} index */
  #card(pictures, label, index) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    paintPicture(canvas, partOf(pictures, index), pictures.shape.slice(1), PICTURE_SIDE, [0, 255]);
    const bars = this.#classes.map((_, k) => element("i", { class: k === label ? "lenet-right" : null }));
    const answer = element("span", { class: "lenet-answer" });
    const top = element("div", { class: "lenet-card-top" }, canvas, element("div", { class: "lenet-bars", "aria-hidden": "true" }, ...bars));
    const name = element("span", { class: "lenet-truth" }, this.#classes[label]);
    const node = element("li", { class: "lenet-card" }, top, name, element("span", { class: "lenet-aloud" }, ": the network says "), answer);
    return { node, bars, answer };
  }

  /** @param {number[][]} probabilities  one row per picture */
  show(probabilities) {
    probabilities.forEach((shares, index) => {
      const { bars, answer } = this.#cards[index];
      const best = shares.indexOf(Math.max(...shares));
      shares.forEach((share, k) => (bars[k].style.height = `${(100 * share).toFixed(1)}%`));
      const isRight = best === this.#labels[index];
      const name = element("span", { class: isRight ? "lenet-aloud" : null }, this.#classes[best]); // right: it stands above
      answer.replaceChildren(isRight ? "✓ " : "✗ ", name, ` ${percentText(Math.min(shares[best], SUREST), 0).replace(" ", "\u00a0")}`);
    });
  }
}
