// @ts-check
// The playground's pictures: the input with the sliding window over it, and the output.

import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { WHITE, startOf, unseenPixels } from "./values.js";

/** @typedef {import("../shared/colours.js").Colour} Colour */
/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @typedef {import("../shared/windows.js").SlidingWindow} SlidingWindow */
/** @typedef {import("./values.js").Grid} Grid */

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 0.15; // cells around a grid, for outlines

/**
 * @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children
 */
export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/**
 * @param {number} row @param {number} column @param {string} className @param {string} [fill]
 */
function cell(row, column, className, fill) {
  const square = shape("rect", { x: column, y: row, width: 1, height: 1, class: className });
  if (fill) square.setAttribute("style", `fill: ${fill}`);
  return square;
}

/** @param {number} row @param {number} column @param {string} text @param {string} ink */
function number(row, column, text, ink) {
  const size = Math.min(0.5, 1.5 / (text.length + 0.6));
  const place = { x: column + 0.5, y: row + 0.5 + size * 0.36, "font-size": size };
  return shape("text", { ...place, style: `fill: ${ink}` }, text);
}

/** Write a result briefly. @param {number} value */
export function briefly(value) {
  if (value === -Infinity) return "−∞";
  const text = Number.isInteger(value) ? String(value) : value.toFixed(1);
  return text.replace("-", "−");
}

/**
 * The cells that the input's picture covers: rows and columns from the first padded one to the
 * last, or to the end of a window that reaches past them.
 *
 * @param {SlidingWindow[]} windows
 * @returns {number[]} top, left, height, width
 */
export function extentOf(windows) {
  const first = windows.map((window) => -startOf(window));
  const sizes = windows.map((window) => {
    const padded = window.inputSize + window.padding;
    const positions = Math.max(1, window.outputSize);
    return Math.max(padded, (positions - 1) * window.stride + window.span);
  });
  return [...first, ...sizes];
}

/**
 * Draw the input: its pixels, its padding, and hatched what no window sees.
 *
 * @param {Element} svg @param {Grid} picture @param {SlidingWindow[]} windows @param {string} padding
 * @param {string} hatching the id of the pattern
 */
export function drawInput(svg, picture, windows, padding, hatching) {
  const [top, left, height, width] = extentOf(windows);
  svg.setAttribute("viewBox", viewBox(top, left, height, width));
  const [down, across] = windows;
  const cells = [];
  for (let row = top; row < top + down.inputSize + down.padding; row++) {
    for (let column = left; column < left + across.inputSize + across.padding; column++) {
      const value = picture[row]?.[column];
      if (value === undefined) {
        cells.push(cell(row, column, "padding"), number(row, column, padding, "var(--lenet-muted)"));
      } else {
        const colour = greyColour(value, 0, WHITE);
        cells.push(cell(row, column, "pixel", colourText(colour)), number(row, column, String(value), inkOn(colour)));
      }
    }
  }
  svg.replaceChildren(hatch(hatching), ...cells, ...hatchedStripes(windows, hatching));
}

/** @param {string} id */
function hatch(id) {
  const lines = shape("path", { d: "M-0.1 0.1 0.1 -0.1M0 0.4 0.4 0M0.3 0.5 0.5 0.3", class: "hatch" });
  const ground = shape("rect", { width: 0.4, height: 0.4, class: "hatch-ground" });
  return shape("pattern", { id, width: 0.4, height: 0.4, patternUnits: "userSpaceOnUse" }, ground, lines);
}

/** @param {SlidingWindow[]} windows @param {string} hatching */
function hatchedStripes([down, across], hatching) {
  const [top, left] = [-startOf(down), -startOf(across)];
  const height = down.inputSize + down.padding;
  const width = across.inputSize + across.padding;
  const fill = `url(#${hatching})`;
  if (Math.min(down.outputSize, across.outputSize) < 1) return [];
  const rows = unseenPixels(down).map((y) => shape("rect", { x: left, y, width, height: 1, fill, class: "unseen" }));
  const columns = unseenPixels(across).map((x) => shape("rect", { x, y: top, width: 1, height, fill, class: "unseen" }));
  return [...rows, ...columns];
}

/**
 * The window: its outline and a frame around each weight, drawn at the first position.
 *
 * @param {SlidingWindow[]} windows
 */
export function makeWindow(windows) {
  const group = /** @type {SVGGElement} */ (shape("g", { class: "window" }));
  if (!windows.length) return group;
  const [down, across] = windows;
  const [y, x] = windows.map((window) => -startOf(window));
  const outline = { x, y, width: across.span, height: down.span };
  group.append(shape("rect", { ...outline, class: "grip" }));
  if (down.dilation > 1 || across.dilation > 1) {
    for (let row = 0; row < down.kernelSize; row++) {
      for (let column = 0; column < across.kernelSize; column++) {
        group.append(cell(y + row * down.dilation, x + column * across.dilation, "tap"));
      }
    }
  }
  group.append(shape("rect", { ...outline, class: "outline" }));
  return group;
}

/**
 * Draw the output as far as it has been computed.
 *
 * @param {Element} svg @param {Grid} results @param {number} upTo the index of the present position
 * @param {boolean} signed colour by sign, else as grey pixels @param {Theme} theme
 */
export function drawOutput(svg, results, upTo, signed, theme) {
  const columns = results[0].length;
  svg.setAttribute("viewBox", viewBox(0, 0, results.length, columns));
  const limit = Math.max(1, ...results.flat().map(Math.abs).filter(Number.isFinite));
  const marks = results.flatMap((line, row) => line.flatMap((value, column) => {
    if (row * columns + column > upTo) return [cell(row, column, "empty")];
    const colour = signed ? signedColour(value, limit, theme) : greyColour(value, 0, WHITE);
    return [cell(row, column, "pixel", colourText(colour)), number(row, column, briefly(value), inkOn(colour))];
  }));
  const present = cell(Math.floor(upTo / columns), upTo % columns, "outline");
  svg.replaceChildren(...marks, present);
}

/** @param {number} top @param {number} left @param {number} height @param {number} width */
function viewBox(top, left, height, width) {
  return [left - MARGIN, top - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN].join(" ");
}

/**
 * Where on a picture a pointer is, in cells.
 *
 * @param {SVGSVGElement} svg @param {{clientX: number, clientY: number}} pointer
 * @returns {number[]} row and column, with fractions
 */
export function cellUnder(svg, { clientX, clientY }) {
  const box = svg.getBoundingClientRect();
  const { x, y, width, height } = svg.viewBox.baseVal;
  const scale = Math.min(box.width / width, box.height / height);
  const [marginX, marginY] = [(box.width - scale * width) / 2, (box.height - scale * height) / 2];
  return [y + (clientY - box.top - marginY) / scale, x + (clientX - box.left - marginX) / scale];
}
