// @ts-check
/** The playground's pictures: the input with the sliding window over it, and the output. */
import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { element, svgElement, uniqueId, watchSize } from "../shared/elements.js";
import { briefly } from "./arithmetic.js";
import { WHITE } from "./values.js";

const MARGIN = 0.15; // cells around a grid, for outlines
const LEGIBLE = 12; // pixels: where a number would have to be smaller, there is none

/**
 * @param {(stop: number[]) => void} go  hears to which row and column of the output, any numbers, the window shall go
 * @param {() => void} resized  hears when there is another amount of room, and shows everything again
 */
export function sceneOf(go, resized) {
  const [input, output] = ["lenet-input", "lenet-output"].map((look) => svgElement("svg", { "aria-hidden": "true", class: look }));
  const [inputSize, outputSize] = [0, 1].map(() => element("span", { class: "lenet-mono" }));
  const hatching = uniqueId("hatching");
  /** Down and across; none when the settings do not fit. @type {SlidingWindow[]} */
  let windows = [];
  let stop = [0, 0];
  let pixels = 0; // of the screen, along a cell
  let frame = svgElement("g");

  /** Bring the window to a pointer that holds it. @param {PointerEvent} pointer */
  const centreOn = (pointer) => {
    const cell = cellUnder(input, pointer);
    go(windows.map(({ paddingBefore, span, stride }, axis) => Math.round((cell[axis] + paddingBefore - span / 2) / stride)));
  };
  input.addEventListener("pointerdown", (event) => {
    if (!windows.length || event.button || !event.isPrimary) return;
    input.setPointerCapture(event.pointerId);
    centreOn(event);
  });
  input.addEventListener("pointermove", (event) => input.hasPointerCapture(event.pointerId) && centreOn(event));
  output.addEventListener("click", (event) => {
    if (!windows.length) return;
    from.focus({ preventScroll: true });
    go(cellUnder(output, event).map(Math.floor));
  });
  const onkeydown = (/** @type {KeyboardEvent} */ event) => {
    const [row, column] = stop;
    const to = {
      ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1], ArrowDown: [row + 1, column], ArrowUp: [row - 1, column],
      Home: [0, 0], End: [Infinity, Infinity],
    }[event.key];
    if (!to || !windows.length) return;
    event.preventDefault();
    go(to);
  };
  const label = "sliding window over the input: move it with the arrow keys";
  const from = element("div", { class: "lenet-from", tabindex: 0, role: "application", "aria-label": label, onkeydown },
    element("div", {}, "input ", inputSize), input);
  const to = element("div", { class: "lenet-to" }, element("div", {}, "output ", outputSize), output);
  const measured = () => input.getBoundingClientRect().width / input.viewBox.baseVal.width || 0;

  /** Show nothing, until there is something again. */
  const clear = () => {
    windows = [];
    for (const part of [input, output, inputSize]) part.replaceChildren();
    outputSize.textContent = "none";
  };

  /** Show the input, with the window at its first stop. @param {Table} picture @param {SlidingWindow[]} shown @param {string} padding  what it holds @param {"" | "lenet-misfit"} [fit] */
  const show = (picture, shown, padding, fit = "") => {
    if (!fit) windows = shown;
    const [top, left, height, width] = extentOf(shown);
    const [rows, columns] = shown.map((window) => Math.max(1, window.outputSize));
    frame = windowOver(shown, fit);
    input.setAttribute("viewBox", viewBox(top, left, height, width));
    output.setAttribute("viewBox", viewBox(0, 0, rows, columns));
    // The root's style sheet makes all cells equally large, as large as there is room.
    const counts = { input: width, output: columns, rows: Math.max(height, rows) };
    for (const [name, count] of Object.entries(counts)) from.parentElement?.style.setProperty(`--${name}`, String(count + 2 * MARGIN));
    pixels = measured();
    input.replaceChildren(hatch(hatching), ...inputCells(picture, shown, padding, pixels), ...unseenStripes(shown, hatching), frame);
    const [own, padded] = [0, 1].map((padded) => shown.map((window) => window.inputSize + padded * window.padding).join("×"));
    inputSize.textContent = padded === own ? own : `${own}, padded ${padded}`;
  };

  /**
   * Move the window, and draw the output as far as it has come.
   *
   * @param {number[]} place  row and column of the output @param {Table} results
   * @param {boolean} isSigned  coloured by sign, else as grey pixels @param {Theme} theme
   */
  const moveTo = (place, results, isSigned, theme) => {
    stop = place;
    const [y, x] = windows.map(({ stride }, axis) => stop[axis] * stride);
    frame.style.transform = `translate(${x}px, ${y}px)`;
    const columns = results[0].length;
    const limit = Math.max(...results.flat().map(Math.abs).filter(Number.isFinite));
    const marks = results.flatMap((line, row) => line.flatMap((value, column) => {
      if (row * columns + column > stop[0] * columns + stop[1]) return [cell(row, column, "lenet-empty")];
      const colour = isSigned ? signedColour(value, limit, theme) : greyColour(value, 0, WHITE);
      return pixel(row, column, colour, [4, 2, 1, 0].map((decimals) => briefly(value, decimals)), pixels);
    }));
    output.replaceChildren(...marks, cell(stop[0], stop[1], "lenet-outline"));
    outputSize.textContent = `${results.length}×${columns}`;
  };
  const end = watchSize(input, () => Math.abs(measured() - pixels) > 0.5 && resized());
  return { from, to, clear, show, moveTo, end };
}

/** @param {number} row @param {number} column @param {string} className @param {Record<string, any>} [more] */
function cell(row, column, className, more) {
  return svgElement("rect", { x: column, y: row, width: 1, height: 1, class: className, ...more });
}

/** @param {number} row @param {number} column @param {Colour} colour @param {string[]} texts @param {number} pixels  of a cell */
function pixel(row, column, colour, texts, pixels) {
  const square = cell(row, column, "lenet-pixel", { style: `fill: ${colourText(colour)}` });
  square.append(svgElement("title", {}, texts[0]));
  return [square, ...figure(row, column, texts, inkOn(colour), pixels)];
}

/** Write the first of some texts that is legible. @param {number} row @param {number} column @param {string[]} texts @param {string} ink @param {number} pixels  of a cell */
function figure(row, column, texts, ink, pixels) {
  const sizeOf = (/** @type {string} */ text) => Math.min(0.8, 1.6 / text.length, Math.max(0.5, LEGIBLE / pixels));
  const text = texts.find((text) => sizeOf(text) * pixels >= LEGIBLE - 0.01);
  if (text === undefined) return [];
  const place = { x: column + 0.5, y: row + 0.5 + sizeOf(text) * 0.36, "font-size": sizeOf(text) };
  return [svgElement("text", { ...place, style: `fill: ${ink}` }, text)];
}

/** Top, left, height and width of all padded cells, and of a window that reaches past them. @param {SlidingWindow[]} windows */
function extentOf(windows) {
  const sizes = windows.map(({ inputSize, padding, outputSize, stride, span }) =>
    Math.max(inputSize + padding, (Math.max(1, outputSize) - 1) * stride + span));
  return [...windows.map((window) => -window.paddingBefore), ...sizes];
}

/** The pixels and their padding. @param {Table} picture @param {SlidingWindow[]} windows @param {string} padding @param {number} pixels  of a cell */
function inputCells(picture, windows, padding, pixels) {
  const [rows, columns] = windows.map(({ inputSize, padding, paddingBefore }) =>
    Array.from({ length: inputSize + padding }, (_, pixel) => pixel - paddingBefore));
  return rows.flatMap((row) => columns.flatMap((column) => {
    const value = picture[row]?.[column];
    if (value !== undefined) return pixel(row, column, greyColour(value, 0, WHITE), [String(value)], pixels);
    return [cell(row, column, "lenet-padding"), ...figure(row, column, [padding], "var(--lenet-muted)", pixels)];
  }));
}

/** A pattern of stripes. @param {string} id */
function hatch(id) {
  const lines = svgElement("path", { d: "M-0.1 0.1 0.1 -0.1M0 0.4 0.4 0M0.3 0.5 0.5 0.3", class: "lenet-hatch" });
  const ground = svgElement("rect", { width: 0.4, height: 0.4, class: "lenet-hatch-ground" });
  return svgElement("pattern", { id, width: 0.4, height: 0.4, patternUnits: "userSpaceOnUse" }, ground, lines);
}

/** The rows and columns that no window sees. @param {SlidingWindow[]} windows @param {string} hatching  the id of the pattern */
function unseenStripes(windows, hatching) {
  if (windows.some((window) => window.outputSize < 1)) return [];
  const [rows, columns] = windows.map(({ paddingBefore, inputSize, padding }) => [-paddingBefore, inputSize + padding]);
  const stripe = (/** @type {number[]} */ [x, width], /** @type {number[]} */ [y, height]) =>
    svgElement("rect", { class: "lenet-unseen", fill: `url(#${hatching})`, x, width, y, height });
  const [unseenRows, unseenColumns] = windows.map((window) => window.unseenPixels);
  return [...unseenRows.map((row) => stripe(columns, [row, 1])), ...unseenColumns.map((column) => stripe([column, 1], rows))];
}

/** The window at its first stop: its outline and, where they stand apart, a frame around each weight. @param {SlidingWindow[]} windows @param {string} fit */
function windowOver([down, across], fit) {
  const outline = { x: -across.paddingBefore, y: -down.paddingBefore, width: across.span, height: down.span };
  const rows = down.dilation > 1 || across.dilation > 1 ? down.pixelsAt(0) : [];
  const weights = rows.flatMap((row) => across.pixelsAt(0).map((column) => cell(row, column, "lenet-tap")));
  return svgElement("g", { class: `lenet-window ${fit}` },
    svgElement("rect", { ...outline, class: "lenet-grip" }), ...weights, svgElement("rect", { ...outline, class: "lenet-outline" }));
}

/** @param {number} top @param {number} left @param {number} height @param {number} width */
function viewBox(top, left, height, width) {
  return [left - MARGIN, top - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN].join(" ");
}

/** On which row and column of a picture a pointer is, with fractions. @param {SVGSVGElement} svg @param {MouseEvent} pointer */
function cellUnder(svg, { clientX, clientY }) {
  const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM()?.inverse());
  return [y, x];
}
