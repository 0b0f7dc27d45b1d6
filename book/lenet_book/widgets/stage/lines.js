// @ts-check
/** Drawn lines: from what goes in to what comes of it, and the curve of a rule. */
import { applyTo } from "./engine.js";
import { limitOf } from "./maps.js";
import { setAttribute, svgElement } from "../shared/elements.js";

const THICKEST_TIE = 5; // CSS pixels
const SIZE = 200; // of the picture of a curve
const NUM_POINTS = 120;

/** Lines from what goes in, over the terms of the sum, to the number that comes out. */
export class Ties {
  node = svgElement("svg", { class: "lenet-ties", "aria-hidden": "true" });

  /** Draw lines between places in the window; those that stay are the browser's least work. @param {Tie[]} ties  into the sum @param {{ from: Rectangle, to: Rectangle }} [result]  from the sum to the unit */
  show(ties, result) {
    const lines = ties.length || result ? this.#lines(ties, result) : [];
    while (this.node.children.length > lines.length) this.node.lastElementChild?.remove();
    lines.forEach((line, i) => {
      const path = this.node.children[i] ?? this.node.appendChild(svgElement("path"));
      for (const [name, value] of Object.entries(line)) setAttribute(path, name, value);
    });
  }

  /** @param {Tie[]} ties @param {{ from: Rectangle, to: Rectangle }} [result] */
  #lines(ties, result) {
    const { left, top } = this.node.getBoundingClientRect();
    const largest = Math.max(...ties.map(({ size }) => Math.abs(size)), 1e-9);
    const lines = ties.map(({ from, to, size, lift }) => {
      const width = Math.max(0.5, (THICKEST_TIE * Math.abs(size)) / largest);
      return { d: bow(from, to, left, top, lift), class: size < 0 ? "lenet-tie-below" : "lenet-tie-above", "stroke-width": String(width) };
    });
    if (!result) return lines;
    const { from, to } = result;
    const end = `M${to.x - left} ${to.y + to.height / 2 - top}h0`;
    return [...lines, { d: bow(from, to, left, top), class: "lenet-tie-result" }, { d: end, class: "lenet-tie-end" }];
  }
}

/** A bow from the right edge of one place to the left edge of another. @param {Rectangle} from @param {Rectangle} to @param {number} left @param {number} top  of the drawing @param {number} [lift] */
function bow(from, to, left, top, lift = 0) {
  const [x, y] = [from.x + from.width - left, from.y + from.height / 2 - top];
  const [u, v] = [to.x - left, to.y + to.height / 2 - top];
  const middle = (x + u) / 2;
  return `M${x} ${y}C${middle} ${y - lift} ${middle} ${v - lift} ${u} ${v}`;
}

/** The rule by which every number is changed by itself, as a curve with the picked number on it. */
export class RuleCurve {
  #line = svgElement("path", { class: "lenet-curve" });
  #drop = svgElement("path", { class: "lenet-drop" });
  #dot = svgElement("circle", { r: 5, class: "lenet-dot" });
  #axes = svgElement("path", { class: "lenet-axis", d: `M0 ${SIZE / 2}H${SIZE}M${SIZE / 2} 0V${SIZE}` });
  node = svgElement("svg", { viewBox: `-6 -6 ${SIZE + 12} ${SIZE + 12}`, class: "lenet-curve-picture", "aria-hidden": "true" }, this.#axes, this.#line, this.#drop, this.#dot);

  /** @param {{ value: number, result: number }} arithmetic @param {{ state: State }} showing */
  show({ value, result }, { state: { steps, step, engine } }) {
    const reach = Math.max(limitOf(engine.values[steps[step].inputs[0]]), Math.abs(result), 1e-6);
    const x = (/** @type {number} */ number) => ((number / reach + 1) * SIZE) / 2;
    const y = (/** @type {number} */ number) => ((1 - number / reach) * SIZE) / 2;
    const points = Array.from({ length: NUM_POINTS + 1 }, (_, i) => {
      const number = (2 * i * reach) / NUM_POINTS - reach;
      return `${x(number).toFixed(1)} ${Math.min(Math.max(y(applyTo(steps[step], number)), 0), SIZE).toFixed(1)}`;
    });
    this.#line.setAttribute("d", `M${points.join("L")}`);
    this.#drop.setAttribute("d", `M${x(value)} ${y(0)}V${y(result)}H${x(0)}`);
    this.#dot.setAttribute("cx", String(x(value)));
    this.#dot.setAttribute("cy", String(y(result)));
  }
}
