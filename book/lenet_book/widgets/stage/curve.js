// @ts-check
/** The rule by which every number is changed by itself, as a curve with the picked number on it. */
import { applyTo } from "./engine.js";
import { svgElement } from "../shared/elements.js";

/** @typedef {import("./engine.js").Instruction} Instruction */

const SIZE = 200;
const NUM_POINTS = 120;

export class Curve {
  #instruction; #line; #dot; #drop;

  /** @param {Instruction} instruction */
  constructor(instruction) {
    this.#instruction = instruction;
    const axis = { class: "lenet-axis" };
    this.#line = svgElement("path", { class: "lenet-curve" });
    this.#drop = svgElement("path", { class: "lenet-drop" });
    this.#dot = svgElement("circle", { r: 5, class: "lenet-dot" });
    const axes = [svgElement("path", { ...axis, d: `M0 ${SIZE / 2}H${SIZE}` }), svgElement("path", { ...axis, d: `M${SIZE / 2} 0V${SIZE}` })];
    this.node = svgElement("svg", { viewBox: `-6 -6 ${SIZE + 12} ${SIZE + 12}`, class: "lenet-curve-picture", "aria-hidden": "true" }, ...axes, this.#line, this.#drop, this.#dot);
  }

  /** @param {number} value  what goes in @param {number} result @param {number} limit  the largest of all that goes in */
  show(value, result, limit) {
    const reach = Math.max(limit, Math.abs(result), 1e-6);
    const x = (/** @type {number} */ number) => ((number / reach + 1) * SIZE) / 2;
    const y = (/** @type {number} */ number) => ((1 - number / reach) * SIZE) / 2;
    const points = Array.from({ length: NUM_POINTS + 1 }, (_, i) => {
      const number = (2 * i * reach) / NUM_POINTS - reach;
      return `${x(number).toFixed(1)} ${Math.min(Math.max(y(applyTo(this.#instruction, number)), 0), SIZE).toFixed(1)}`;
    });
    this.#line.setAttribute("d", `M${points.join("L")}`);
    this.#drop.setAttribute("d", `M${x(value)} ${y(0)}V${y(result)}H${x(0)}`);
    this.#dot.setAttribute("cx", String(x(value)));
    this.#dot.setAttribute("cy", String(y(result)));
  }
}
