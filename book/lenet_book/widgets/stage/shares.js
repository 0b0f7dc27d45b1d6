// @ts-check
/** A softmax, class by class: score, power of e, share. */
import { addUp } from "./sums.js";
import { element, setText } from "../shared/elements.js";
import { numberText } from "../shared/text.js";

/** @typedef {Extract<import("./explanation.js").Arithmetic, { kind: "softmax" }>} Softmax */

const MOST = 12;

/** A power of e, however small. @param {number} value */
export function powerText(value) {
  if (value === 0 || value >= 0.001) return numberText(value, 3);
  const exponent = Math.floor(Math.log10(value));
  const digits = [...String(-exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
  return `${numberText(value / 10 ** exponent, 1)}·10⁻${digits}`;
}

export class Shares {
  #rows; #power; #total;

  /** @param {Softmax} softmax @param {number} height */
  constructor({ scores }, height) {
    const count = Math.min(scores.length, MOST);
    this.#rows = Array.from({ length: count }, () => {
      const name = element("th", { scope: "row" });
      const cells = [element("td", {}), element("td", {}), element("td", {})];
      const bar = element("i", { class: "lenet-above", style: "left: 0" });
      const total = element("td", {}, element("span", { class: "lenet-total", "aria-hidden": "true" }, bar));
      return { node: element("tr", {}, name, ...cells, total), name, cells, bar };
    });
    this.#power = element("th", { scope: "col" });
    this.#total = element("td", {});
    const head = [element("th", { scope: "col" }, "class"), element("th", { scope: "col" }, "score"), this.#power, element("th", { scope: "col" }, "share"), element("td", {})];
    const foot = element("tr", {}, element("th", { scope: "row" }, "sum"), element("td", {}), this.#total, element("td", {}, "100.0 %"), element("td", {}));
    const body = element("tbody", {}, ...this.#rows.map(({ node }) => node));
    const parts = [element("thead", {}, element("tr", {}, ...head)), body, element("tfoot", {}, foot)];
    this.node = element("table", { class: "lenet-terms", style: `--row: ${Math.min(27, (height - 4) / (count + 2))}px` }, ...parts);
  }

  /** @param {Softmax} softmax @param {string[]} classes */
  show({ scores, largest, exponentials, total, unit }, classes) {
    setText(this.#power, `e^(score − ${numberText(largest, 2)})`);
    setText(this.#total, powerText(total));
    const shares = addUp(exponentials.map((value) => (100 * value) / total), 100, 1).terms;
    const powers = addUp(exponentials, total, 3).terms;
    const order = scores.map((_, i) => i);
    const shown = scores.length > MOST ? order.sort((a, b) => scores[b] - scores[a]).slice(0, MOST) : order;
    this.#rows.forEach(({ node, name, cells, bar }, place) => {
      const i = shown[place];
      setText(name, classes[i] ?? String(i));
      [numberText(scores[i], 2), exponentials[i] < 0.001 ? powerText(exponentials[i]) : numberText(powers[i], 3), `${numberText(shares[i], 1)} %`].forEach((text, k) => setText(cells[k], text));
      bar.style.width = `${(100 * exponentials[i]) / total}%`;
      node.className = i === unit ? "lenet-lit" : "";
    });
  }
}
