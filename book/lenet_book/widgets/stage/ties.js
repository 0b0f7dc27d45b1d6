// @ts-check
/** Lines from what goes in, over the terms of the sum, to the number that comes out. */
import { svgElement } from "../shared/elements.js";

/** @typedef {import("./maps.js").Rectangle} Rectangle */
/** @typedef {{ from: Rectangle, to: Rectangle, size: number }} Tie  size: how much it adds */

const THICKEST_TIE = 5; // CSS pixels

export class Ties {
  #lines = svgElement("g");
  #result = svgElement("path", { class: "lenet-tie-result" });
  #spot = svgElement("circle", { class: "lenet-tie-end", r: 3 });

  constructor() {
    this.node = svgElement("svg", { class: "lenet-ties", "aria-hidden": "true" }, this.#lines, this.#result, this.#spot);
  }

  /** Draw lines between places in the window. @param {Tie[]} ties  into the sum @param {{ from: Rectangle, to: Rectangle } | null} result  from the sum to the unit */
  show(ties, result) {
    const { left, top } = this.node.getBoundingClientRect();
    for (const part of [this.#lines, this.#result, this.#spot]) part.setAttribute("transform", `translate(${-left} ${-top})`);
    const largest = Math.max(...ties.map(({ size }) => Math.abs(size)), 1e-9);
    while (this.#lines.childElementCount < ties.length) this.#lines.append(svgElement("path"));
    [...this.#lines.children].forEach((line, i) => {
      const tie = ties[i];
      line.setAttribute("d", tie ? pathOf(tie.from, tie.to) : "");
      line.setAttribute("class", tie && tie.size < 0 ? "lenet-tie-below" : "lenet-tie-above");
      line.setAttribute("stroke-width", String(tie ? Math.max(0.5, (THICKEST_TIE * Math.abs(tie.size)) / largest) : 0));
    });
    this.#result.setAttribute("d", result ? pathOf(result.from, result.to) : "");
    this.#spot.setAttribute("cx", String(result ? result.to.x : -10));
    this.#spot.setAttribute("cy", String(result ? result.to.y + result.to.height / 2 : -10));
  }
}

/** A bow from the right edge of one place to the left edge of another. @param {Rectangle} from @param {Rectangle} to */
function pathOf(from, to) {
  const [x, y] = [from.x + from.width, from.y + from.height / 2];
  const [u, v] = [to.x, to.y + to.height / 2];
  const middle = (x + u) / 2;
  return `M${x} ${y}C${middle} ${y} ${middle} ${v} ${u} ${v}`;
}
