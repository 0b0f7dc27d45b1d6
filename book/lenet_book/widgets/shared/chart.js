// @ts-check
/** Curves over the time of a training: lines, bands, and a cursor that the pointer can move. */
import { element, setText, svgElement, uniqueId } from "./elements.js";
import { lineKey } from "./legend.js";
import { countText, numberText, percentText } from "./text.js";

const HEIGHT = 140;
const MARGIN = { left: 42, right: 12, top: 8, bottom: 34 };
const PLOT_HEIGHT = HEIGHT - MARGIN.top - MARGIN.bottom; // between the axes
const TICKS = 4; // about as many on each axis

/** Choose round numbers from 0 to an end. @param {number} end @param {number} [smallest]  the least distance between two */
function roundNumbers(end, smallest = 0) {
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
    this.node = element("div", { class: "lenet-chart" }, element("p", { class: "lenet-chart-title" }, options.title), this.#legend, this.#svg);
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

  /** Put the cursor there: a bar, a dot on every curve, and what these read. @param {number} x */
  mark(x) {
    this.#cursor = x;
    const [at, { exact }] = [this.#across(x), this.options];
    const dots = this.#curves.flatMap(({ look, xs, ys }, index) => {
      const y = ys[Array.from(xs).indexOf(x)];
      if (exact) setText(this.#readings[index], exact(y));
      return y === undefined ? [] : [svgElement("circle", { cx: at, cy: this.#down(y), r: 4, class: `lenet-dot ${look}` })];
    });
    this.#svg.querySelector(".lenet-cursor")?.remove();
    if (this.#width <= 0) return;
    const bar = svgElement("rect", { x: at - 0.75, y: MARGIN.top, width: 1.5, height: PLOT_HEIGHT, class: "lenet-cursor-bar" });
    this.#svg.append(svgElement("g", { class: "lenet-cursor" }, bar, ...dots));
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
    return MARGIN.top + PLOT_HEIGHT * (1 - Math.min(Math.max(y / this.#top, -1), 100));
  }

  /** Draw everything anew, in the width that there is. */
  draw() {
    const [left, wide] = [MARGIN.left, this.#width];
    if (wide <= 0) return;
    this.#svg.setAttribute("width", String(this.node.clientWidth));
    this.#svg.setAttribute("viewBox", `0 0 ${this.node.clientWidth} ${HEIGHT}`); // a narrower sheet of paper shrinks it
    const inside = svgElement("rect", { x: left, y: MARGIN.top - 2, width: wide + 2, height: PLOT_HEIGHT + 3 });
    const lines = svgElement("g", { "clip-path": `url(#${this.#clip})` }, ...this.#curves.flatMap((curve) => this.#curve(curve)));
    const { guide } = this.options;
    if (guide) lines.prepend(levelLine("lenet-line guide", left + wide, this.#down(guide.at)));
    this.#svg.replaceChildren(svgElement("clipPath", { id: this.#clip }, inside), ...this.#axes(left + wide), lines);
    if (this.#cursor !== null) this.mark(this.#cursor);
  }

  /** @param {number} right */
  #axes(right) {
    const bottom = HEIGHT - MARGIN.bottom;
    const rows = roundNumbers(this.#top).flatMap((value) => [
      levelLine("lenet-grid", right, this.#down(value)),
      svgElement("text", { x: MARGIN.left - 6, y: this.#down(value) + 4, "text-anchor": "end" }, this.options.text(value)),
    ]);
    const under = (/** @type {number} */ x, /** @type {number} */ below, /** @type {string} */ text) =>
      svgElement("text", { x, y: bottom + below, "text-anchor": "middle" }, text);
    const columns = roundNumbers(this.#end, 1).map((value) => under(this.#across(value), 15, countText(value)));
    return [...rows, ...columns, under((MARGIN.left + right) / 2, 31, this.options.xLabel)];
  }

  /** @param {Curve} curve @returns {Node[]} */
  #curve({ look, xs, ys, band }) {
    const line = svgElement("polyline", { points: this.#points(xs, ys).join(" "), class: `lenet-line ${look}` });
    if (!band) return [line];
    const [low, high] = band.map((edge) => this.#points(xs, edge));
    return [svgElement("polygon", { points: [...high, ...low.reverse()].join(" "), class: `lenet-band ${look}` }), line];
  }

  /** @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys */
  #points(xs, ys) {
    const points = Array.from(xs, (x, index) => [this.#across(x), this.#down(ys[index])]);
    return points.filter((point) => point.every(Number.isFinite)).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
  }
}

/** A line across. @param {string} look @param {number} right @param {number} y */
function levelLine(look, right, y) {
  return svgElement("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: look });
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
