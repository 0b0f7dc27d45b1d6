// @ts-check
/** The network in pictures: maps as large and as many as they are, by their logarithms. */
import { element, svgElement } from "../shared/elements.js";
import { showItems } from "./items.js";

const MOST_SHEETS = 6;
const [SHIFT, HEIGHT] = [3, 64]; // from one sheet to the next, and of a drawing, in pixels

/** @param {(line: number) => void} picked */
export function diagram(picked) {
  const list = element("ol", { class: "lenet-diagram", "aria-label": "the network" });
  const item = (/** @type {DiagramNode} */ each) => element("li", {}, node(each, picked));
  const show = (/** @type {Reading} */ reading) => showItems(list, nodesOf(reading), item);
  return { node: element("div", { class: "lenet-drawn" }, list), show };
}

/** The images, the operations that change them, and what fails. @param {Reading} reading @returns {DiagramNode[]} */
function nodesOf({ rows, imageShape, inputPlace, problem }) {
  const isSeen = rows.map(({ sources, numMacs, isKnown, inputShape, outputShape }) =>
    sources.length > 1 || numMacs > 0 || !isKnown || String(inputShape) !== String(outputShape));
  const seen = (/** @type {number | null} */ at) => {
    while (at !== null && at >= 0 && !isSeen[at]) [at] = rows[at].sources;
    return at === null || at < 0 ? "input" : rows[at].name;
  };
  const { line } = inputPlace ?? rows[0]?.place ?? { line: 1 };
  const drawn = rows.filter((_, index) => isSeen[index]);
  const operations = drawn.map(({ name, operation, outputShape, sources, shown }) => ({
    name: /^\d/.test(name) ? operation.split("(")[0] : name, shape: outputShape, line: shown.line,
    note: sources.length > 1 ? `of ${sources.map(seen).join(", ")}` : "",
  }));
  /** @type {DiagramNode[]} */
  const all = [{ name: "input", shape: ["N", ...imageShape], line }, ...operations];
  if (problem) all.push({ name: `${problem.name} ✗`, shape: [], line: problem.shown.line, look: "lenet-failed" });
  return all;
}

/** @param {DiagramNode} drawn @param {(line: number) => void} picked */
function node({ name, shape: [, ...shape], line, note = "", look = "" }, picked) {
  const words = [shape.join("×"), note].filter(Boolean).map((text) => element("span", {}, text));
  const parts = [drawing(shape.map(Number)), element("b", {}, name), ...words];
  return element("button", { type: "button", class: `lenet-node ${look}`, onclick: () => picked(line) }, ...parts);
}

/** Sheets one behind the other, as wide and high as maps; a bar for a row of features. @param {number[]} shape */
function drawing(shape) {
  const [channels, height, width = 1] = shape.length > 1 ? shape : [1, ...shape];
  const sheets = height ? Math.min(MOST_SHEETS, Math.ceil(Math.log2(channels + 1))) : 0;
  const [high, wide] = [height || 1, width].map((size) => Math.round(3 + 5 * Math.log2(size)));
  const room = SHIFT * sheets;
  const rects = Array.from({ length: sheets }, (_, index) => index * SHIFT).map((by) =>
    svgElement("rect", { x: room - by, y: HEIGHT - high - room + by, width: wide, height: high }));
  return svgElement("svg", { width: wide + room + 1, height: HEIGHT, "aria-hidden": "true" }, ...rects);
}
