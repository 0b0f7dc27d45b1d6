// @ts-check
/** Curves over the time of a training: lines, bands, and a cursor that the pointer can move. */
import { element, setText, svgElement, uniqueId } from "./elements.js";
import { lineKey } from "./legend.js";
import { countText, numberText, percentText } from "./text.js";

const HEIGHT = 140;
const MARGIN = { left: 42, right: 12, top: 8, bottom: 34 };
const TICKS = 4; // about as many on each axis

/** Choose round numbers from 0 to an end. @param {number} end @param {number} [smallest]  the least distance between two */
export function roundNumbers(end, smallest = 0) {
  if (!(end > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(end / TICKS));
  const step = Math.max(smallest, power * ([1, 2, 5, 10].find((factor) => (factor * power * (TICKS + 0.5)) >= end) ?? 10));
  const count = Math.floor(end / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, index) => Number((index * step).toPrecision(12)));
}

export class Chart {
  /** @type {Curve[]} */
  #curves = [];
  /** @type {number | null} */
  #cursor = null;
  /** @type {HTMLElement[]} a curve's number at the cursor each */
  #readings = [];
  #clip = uniqueId("clip");
  #svg = svgElement("svg", { "aria-hidden": "true", height: HEIGHT });
  #legend = element("p", { class: "lenet-legend" });

  /** @param {ChartOptions} options */
  constructor(options) {
    this.options = options;
    const title = element("p", { class: "lenet-chart-title" }, options.title);
    this.node = element("div", { class: "lenet-chart" }, title, this.#legend, this.#svg);
    if (options.onPoint) this.#listen(options.onPoint);
  }

  /** @param {(x: number) => void} onPoint */
  #listen(onPoint) {
    const svg = this.#svg;
    const point = (/** @type {PointerEvent} */ { clientX }) => {
      const inside = clientX - svg.getBoundingClientRect().left - MARGIN.left;
      onPoint(Math.min(1, Math.max(0, inside / this.#width)) * this.#end);
    };
    svg.classList.add("lenet-scrub");
    svg.addEventListener("pointerdown", (event) => {
      svg.setPointerCapture(event.pointerId);
      point(event);
    });
    svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && point(event));
  }

  /** Draw these curves from now on. @param {Curve[]} curves */
  show(curves) {
    this.#curves = curves;
    this.#readings = curves.map(() => element("b", { class: "lenet-value" }));
    const { guide } = this.options;
    const keys = curves.map(({ look, name }, index) => lineKey(look, name, this.#readings[index]));
    this.#legend.replaceChildren(...keys, ...(guide ? [lineKey("guide", guide.name)] : []));
    this.draw();
  }

  /** Put the cursor there. @param {number} x */
  mark(x) {
    this.#cursor = x;
    const { exact } = this.options;
    if (exact) this.#curves.forEach(({ xs, ys }, index) => setText(this.#readings[index], exact(ys[Array.from(xs).indexOf(x)])));
    this.#svg.querySelector(".lenet-cursor")?.remove();
    if (this.#width > 0) this.#svg.append(this.#makeCursor(x));
  }

  get #width() {
    return this.node.clientWidth - MARGIN.left - MARGIN.right;
  }

  /** The last x of all curves. */
  get #end() {
    return Math.max(1, ...this.#curves.map(({ xs }) => xs[xs.length - 1]));
  }

  get #top() {
    const values = this.#curves.flatMap(({ ys }) => Array.from(ys).filter(Number.isFinite));
    return this.options.top ?? 1.08 * Math.max(this.options.guide?.at ?? 0, ...values);
  }

  /** @param {number} x */
  #across(x) {
    return MARGIN.left + (x / this.#end) * this.#width;
  }

  /** @param {number} y */
  #down(y) {
    const high = HEIGHT - MARGIN.top - MARGIN.bottom;
    return MARGIN.top + high * (1 - Math.min(Math.max(y / this.#top, -1), 100));
  }

  /** Draw everything anew, in the width that there is. */
  draw() {
    if (this.#width <= 0) return;
    const [right, high] = [MARGIN.left + this.#width, HEIGHT - MARGIN.top - MARGIN.bottom];
    this.#svg.setAttribute("width", String(this.node.clientWidth));
    this.#svg.setAttribute("viewBox", `0 0 ${this.node.clientWidth} ${HEIGHT}`); // a narrower sheet of paper shrinks it
    const inside = svgElement("rect", { x: MARGIN.left, y: MARGIN.top - 2, width: this.#width + 2, height: high + 3 });
    const clip = svgElement("clipPath", { id: this.#clip }, inside);
    const lines = svgElement("g", { "clip-path": `url(#${this.#clip})` }, ...this.#curves.flatMap((curve) => this.#curve(curve)));
    const { guide } = this.options;
    if (guide) {
      const y = this.#down(guide.at);
      lines.prepend(svgElement("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: "lenet-line guide" }));
    }
    this.#svg.replaceChildren(clip, ...this.#axes(right), lines);
    if (this.#cursor !== null) this.mark(this.#cursor);
  }

  /** @param {number} right */
  #axes(right) {
    const bottom = HEIGHT - MARGIN.bottom;
    const rows = roundNumbers(this.#top).flatMap((value) => [
      svgElement("line", { x1: MARGIN.left, x2: right, y1: this.#down(value), y2: this.#down(value), class: "lenet-grid" }),
      svgElement("text", { x: MARGIN.left - 6, y: this.#down(value) + 4, "text-anchor": "end" }, this.options.text(value)),
    ]);
    const columns = roundNumbers(this.#end, 1).map((value) =>
      svgElement("text", { x: this.#across(value), y: bottom + 15, "text-anchor": "middle" }, countText(value)));
    const name = svgElement("text", { x: (MARGIN.left + right) / 2, y: bottom + 31, "text-anchor": "middle" }, this.options.xLabel);
    return [...rows, ...columns, name];
  }

  /** @param {Curve} curve @returns {Node[]} */
  #curve({ look, xs, ys, band }) {
    const parts = [];
    if (band) {
      const [low, high] = band.map((edge) => this.#points(xs, edge));
      parts.push(svgElement("polygon", { points: [...high, ...low.reverse()].join(" "), class: `lenet-band ${look}` }));
    }
    parts.push(svgElement("polyline", { points: this.#points(xs, ys).join(" "), class: `lenet-line ${look}` }));
    return parts;
  }

  /** @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys */
  #points(xs, ys) {
    const points = Array.from(xs, (x, index) => [this.#across(x), this.#down(ys[index])]);
    return points.filter((point) => point.every(Number.isFinite)).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
  }

  /** @param {number} x */
  #makeCursor(x) {
    const at = this.#across(x);
    const bar = svgElement("rect", { x: at - 0.75, y: MARGIN.top, width: 1.5, height: HEIGHT - MARGIN.top - MARGIN.bottom, class: "lenet-cursor-bar" });
    const dots = this.#curves.flatMap(({ look, xs, ys }) => {
      const y = ys[Array.from(xs).indexOf(x)];
      return y === undefined ? [] : [svgElement("circle", { cx: at, cy: this.#down(y), r: 4, class: `lenet-dot ${look}` })];
    });
    return svgElement("g", { class: "lenet-cursor" }, bar, ...dots);
  }
}

/**
 * The two charts of a training, with what guessing among the classes gives.
 *
 * @param {number} numClasses @param {Pick<ChartOptions, "xLabel" | "onPoint">} both
 * @param {Partial<ChartOptions> & { title: string }} loss @param {Partial<ChartOptions> & { title: string }} accuracy
 */
export function trainingCharts(numClasses, both, loss, accuracy) {
  const guessing = (/** @type {number} */ at) => ({ at, name: "guessing" });
  return {
    loss: new Chart({ text: (value) => numberText(value, value % 1 ? 1 : 0), guide: guessing(Math.log(numClasses)), ...both, ...loss }),
    accuracy: new Chart({ text: (value) => percentText(value, 0), guide: guessing(1 / numClasses), top: 1, ...both, ...accuracy }),
  };
}
