// @ts-check
/** The network in pictures: maps as large and as many as they are, by their logarithms. */
import { element, svgElement } from "../shared/elements.js";

const MOST_SHEETS = 6;
const [SHIFT, HEIGHT] = [3, 64]; // from one sheet to the next, and of a drawing, in pixels

/** @param {Reading} reading @param {(line: number) => void} picked */
export function diagram({ rows, imageShape, inputPlace, problem }, picked) {
  const isSeen = rows.map(({ sources, numMacs, isKnown, inputShape, outputShape }) =>
    sources.length > 1 || numMacs > 0 || !isKnown || String(inputShape) !== String(outputShape));
  const seen = (/** @type {number | null} */ at) => {
    while (at !== null && at >= 0 && !isSeen[at]) [at] = rows[at].sources;
    return at === null || at < 0 ? "input" : rows[at].name;
  };
  const nodes = rows.filter((_, index) => isSeen[index]).map(({ name, operation, outputShape, sources, shown }) => {
    const note = sources.length > 1 ? `of ${sources.map(seen).join(", ")}` : "";
    return node(/^\d/.test(name) ? operation.split("(")[0] : name, outputShape, note, () => picked(shown.line));
  });
  const first = inputPlace ?? rows[0]?.place;
  nodes.unshift(node("input", ["N", ...imageShape], "", () => picked(first?.line ?? 1)));
  if (problem) nodes.push(node(`${problem.name} ✗`, [], "", () => picked(problem.shown.line), "lenet-failed"));
  const items = nodes.map((each) => element("li", {}, each));
  return element("ol", { class: "lenet-diagram", "aria-label": "the network" }, ...items);
}

/** @param {string} name @param {any[]} shape @param {string} note @param {() => void} onclick @param {string} [look] */
function node(name, [, ...shape], note, onclick, look = "") {
  const words = [shape.join("×"), note].filter(Boolean).map((text) => element("span", {}, text));
  const parts = [drawing(shape.map(Number)), element("b", {}, name), ...words];
  return element("button", { type: "button", class: `lenet-node ${look}`, onclick }, ...parts);
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
