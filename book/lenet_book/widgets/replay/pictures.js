// @ts-check
/** Some test pictures, and how sure the network is of each class at one moment of its training. */
import { partOf } from "../shared/arrays.js";
import { element } from "../shared/elements.js";
import { paintPixels } from "../shared/pictures.js";
import { percentText } from "../shared/text.js";

const PICTURE_SIDE = 40; // CSS pixels
const SUREST = 0.9999; // a softmax never says 1; recorded halves round to it

/** @param {Tensor} pictures @param {number[]} labels @param {string[]} classes */
export function answeredPictures(pictures, labels, classes) {
  const cards = labels.map((label, index) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    paintPixels(canvas, partOf(pictures, index), pictures.shape.slice(1), PICTURE_SIDE, [0, 255]);
    const bars = classes.map((_, k) => element("i", { class: k === label ? "lenet-right" : null }));
    const answer = element("span", { class: "lenet-answer" });
    const node = element("li", { class: "lenet-card" },
      element("div", { class: "lenet-card-top" }, canvas, element("div", { class: "lenet-bars", "aria-hidden": "true" }, ...bars)),
      element("span", { class: "lenet-truth" }, classes[label]), element("span", { class: "lenet-aloud" }, ": the network says "), answer);
    return { node, bars, answer };
  });
  /** @param {number[][]} probabilities  one row per picture */
  const show = (probabilities) => probabilities.forEach((shares, index) => {
    const { bars, answer } = cards[index];
    shares.forEach((share, k) => (bars[k].style.height = `${(100 * share).toFixed(1)}%`));
    const best = shares.indexOf(Math.max(...shares));
    const isRight = best === labels[index];
    const name = element("span", { class: isRight ? "lenet-aloud" : null }, classes[best]); // right: it stands above
    answer.replaceChildren(isRight ? "✓ " : "✗ ", name, ` ${percentText(Math.min(shares[best], SUREST), 0).replace(" ", "\u00a0")}`);
  });
  const hint = element("p", { class: "lenet-muted" }, "Always these pictures. ✓ is named right; a bar per class.");
  return { node: element("div", { class: "lenet-answers" }, hint, element("ul", { class: "lenet-cards" }, ...cards.map((card) => card.node))), show };
}
