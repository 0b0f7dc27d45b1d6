// @ts-check
/** Draws the numbers of a step as maps, one tile for each channel, in which units can be picked. */
import { flatIndex, unitAt } from "./explanation.js";
import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { element, setAttribute } from "../shared/elements.js";
import { productOf } from "../shared/numbers.js";
import { sizeCanvas } from "../shared/pictures.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @typedef {import("./explanation.js").Box} Box */
/** @typedef {import("./explanation.js").Unit} Unit */

const TILE_GAP = 6; // CSS pixels between tiles
const LARGEST_CELL = 30;
const WITH_NUMBER = 22; // cells of this size have room for a number
const SHADES = 255; // on either side of zero
const RIM = 3; // around the tiles, for frames at their edges
const FINGER = 16; // how near a finger takes hold of a frame

/** @typedef {{ x: number, y: number, width: number, height: number }} Rectangle */

/**
 * How numbers become colours.
 *
 * @typedef {object} Scale
 * @property {Uint32Array} palette  from lowest to highest
 * @property {(channel: number) => [low: number, high: number]} range
 */

/** @param {import("../shared/colours.js").Colour} colour */
function packed([red, green, blue]) {
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

/** The colours from full blue over the ground to full red. @param {Theme} theme */
export function signedPalette(theme) {
  return Uint32Array.from({ length: 2 * SHADES + 1 }, (_, i) => packed(signedColour(i - SHADES, SHADES, theme)));
}

/** The greys from black to white. */
export function greyPalette() {
  return Uint32Array.from({ length: 256 }, (_, i) => packed(greyColour(i, 0, 255)));
}

/** The largest absolute value. @param {ArrayLike<number>} values */
export function limitOf(values) {
  let limit = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > limit) limit = size;
  }
  return limit || 1;
}

/**
 * Lay a shape out as tiles: channels of rows and columns. A row of features becomes one tile of
 * several lines; `perLine` says how long they are.
 *
 * @param {number[]} shape @param {number} [perLine]
 * @returns {{ tiles: number, rows: number, columns: number }}
 */
export function tilesOf(shape, perLine = 0) {
  if (shape.length >= 2) {
    const [rows, columns] = shape.slice(-2);
    return { tiles: productOf(shape.slice(0, -2)), rows, columns };
  }
  const length = shape[0] ?? 1;
  const columns = perLine || (length <= 24 ? length : length % 16 === 0 && length % 20 ? 16 : 20);
  return { tiles: 1, rows: Math.ceil(length / columns), columns };
}

/** A picture of one pixel for each number, the tiles one below the other. */
export class Painting {
  #rows; #context; #image; #pixels;

  /** @param {{ tiles: number, rows: number, columns: number }} layout */
  constructor({ tiles, rows, columns }) {
    this.#rows = rows;
    this.canvas = document.createElement("canvas");
    this.canvas.width = columns;
    this.canvas.height = Math.max(1, tiles * rows);
    this.#context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.#image = this.#context.createImageData(this.canvas.width, this.canvas.height);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
  }

  /** @param {ArrayLike<number>} values @param {Scale} scale */
  paint(values, { palette, range }) {
    const perTile = this.#rows * this.canvas.width;
    const last = palette.length - 1;
    for (let start = 0; start < values.length; start += perTile) {
      const [low, high] = range(start / perTile);
      const factor = last / (high - low || 1);
      const end = Math.min(start + perTile, values.length);
      for (let i = start; i < end; i++) {
        const shade = Math.round((values[i] - low) * factor);
        this.#pixels[i] = palette[shade < 0 ? 0 : shade > last ? last : shade];
      }
    }
    this.#context.putImageData(this.#image, 0, 0);
  }
}

/**
 * Tiles on a canvas, as large as fits.
 *
 * @param {{ tiles: number, rows: number, columns: number }} layout
 * @param {number} maxWidth @param {number} maxHeight @param {number} gap
 * @returns {{ cell: number, perRow: number, width: number, height: number }}
 */
export function arrange({ tiles, rows, columns }, maxWidth, maxHeight, gap) {
  let best = { cell: 0, perRow: 1 };
  for (let perRow = 1; perRow <= tiles; perRow++) {
    const lines = Math.ceil(tiles / perRow);
    const across = (maxWidth - (perRow - 1) * gap) / (perRow * columns);
    const down = (maxHeight - (lines - 1) * gap) / (lines * rows);
    const cell = Math.min(across, down, LARGEST_CELL);
    if (cell > best.cell) best = { cell, perRow };
  }
  const cell = best.cell > 1 ? Math.floor(best.cell * 2) / 2 : Math.max(best.cell, 0.1);
  const lines = Math.ceil(tiles / best.perRow);
  return {
    cell,
    perRow: best.perRow,
    width: best.perRow * columns * cell + (best.perRow - 1) * gap,
    height: lines * rows * cell + (lines - 1) * gap,
  };
}

/**
 * What a reader does with maps.
 *
 * @typedef {object} Hands
 * @property {(unit: Unit) => void} pick  a click, a tap, an arrow key
 * @property {(unit: Unit | null) => void} point  the pointer moves over a unit, or leaves
 */

/** The maps of one step, with what the reader is asked to look at, and units to point at and to pick. */
export class Maps {
  #hands; #place;
  /** @type {number[]} */
  #shape = [1];
  /** @type {Unit} */
  #unit = [0];
  #layout = tilesOf([1]);
  /** @type {Painting | null} */
  #painting = null;
  /** What is framed. @type {Rectangle[]} */
  #frames = [];
  #isHeld = false;

  /** @param {string} label @param {Hands} hands @param {boolean} hasKeys  whether arrow keys pick */
  constructor(label, hands, hasKeys) {
    this.#hands = hands;
    this.#place = arrange(this.#layout, 100, 100, TILE_GAP);
    const asApplication = { role: "application", "aria-roledescription": "maps of units", tabindex: 0 };
    this.canvas = element("canvas", { class: "lenet-maps", "aria-label": label, ...(hasKeys ? asApplication : { role: "img" }) });
    this.#listen();
    if (hasKeys) this.canvas.addEventListener("keydown", (event) => this.#move(event));
  }

  /**
   * @param {number[]} shape @param {number} perLine
   * @param {number} maxWidth @param {number} maxHeight  CSS pixels
   */
  reshape(shape, perLine, maxWidth, maxHeight) {
    if (String(shape) !== String(this.#shape) || !this.#painting) this.#painting = new Painting(tilesOf(shape, perLine));
    this.#shape = shape;
    this.#layout = tilesOf(shape, perLine);
    this.#place = arrange(this.#layout, maxWidth - 2 * RIM, maxHeight - 2 * RIM, TILE_GAP);
  }

  /**
   * @param {ArrayLike<number>} values @param {Scale} scale @param {Theme} theme
   * @param {object} marks
   * @param {Unit} [marks.unit]  has a frame
   * @param {Box | null} [marks.box]  has a frame in each channel
   * @param {number} [marks.numKnown]  in each map; those behind are not computed yet
   * @param {boolean} [marks.isOnPath]  of the answer
   * @param {string} marks.label
   */
  draw(values, scale, theme, { unit, box, numKnown, isOnPath = false, label }) {
    const painting = this.#painting;
    if (!painting) return;
    painting.paint(values, scale);
    const { cell, width, height } = this.#place;
    const context = sizeCanvas(this.canvas, width + 2 * RIM, height + 2 * RIM);
    context.translate(RIM, RIM);
    this.#frames = [];
    const { tiles, rows, columns } = this.#layout;
    for (let tile = 0; tile < tiles; tile++) {
      const [x, y] = this.#corner(tile);
      context.drawImage(painting.canvas, 0, tile * rows, columns, rows, x, y, columns * cell, rows * cell);
      if (numKnown !== undefined) this.#hideFrom(context, numKnown, x, y, theme);
      context.strokeStyle = theme.line;
      context.lineWidth = 1;
      context.strokeRect(x - 0.5, y - 0.5, columns * cell + 1, rows * cell + 1);
    }
    if (numKnown === undefined) this.#writeNumbers(context, values, theme);
    if (box) this.#frameBox(context, box);
    if (unit) {
      this.#unit = unit;
      this.#frame(context, this.#rectangleAt(flatIndex(unit, this.#shape)), isOnPath ? theme.window : "#000");
    }
    setAttribute(this.canvas, "aria-label", label);
  }

  /** Where a unit stands in the window. @param {Unit} unit @returns {Rectangle} */
  rectangleOf(unit) {
    return this.#shift(this.#rectangleAt(flatIndex(unit, this.#shape)));
  }

  /** Where a box stands in the window, in one channel. @param {Box} box @param {number} channel @returns {Rectangle} */
  rectangleIn(box, channel) {
    return this.#shift(this.#rectangleOfBox(box, channel));
  }

  /** @param {Rectangle} rectangle @returns {Rectangle} */
  #shift({ x, y, width, height }) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: x + left + RIM, y: y + top + RIM, width, height };
  }

  /** @param {number} tile @returns {[number, number]} */
  #corner(tile) {
    const { cell, perRow } = this.#place;
    const { rows, columns } = this.#layout;
    return [(tile % perRow) * (columns * cell + TILE_GAP), Math.floor(tile / perRow) * (rows * cell + TILE_GAP)];
  }

  /** Where a flat index lies: tile, row and column. @param {number} index */
  #cellOf(index) {
    const { rows, columns } = this.#layout;
    const inTile = index % (rows * columns);
    return { tile: Math.floor(index / (rows * columns)), row: Math.floor(inTile / columns), column: inTile % columns };
  }

  /** @param {number} index @returns {Rectangle} */
  #rectangleAt(index) {
    const { tile, row, column } = this.#cellOf(index);
    const [x, y] = this.#corner(tile);
    const { cell } = this.#place;
    return { x: x + column * cell, y: y + row * cell, width: cell, height: cell };
  }

  /** @param {Box} box @param {number} tile @returns {Rectangle} */
  #rectangleOfBox(box, tile) {
    const { cell, width, height } = this.#place;
    if (box.length === 1) {
      const [from, to] = box[0];
      return to - from === 1 ? this.#rectangleAt(from) : { x: 0, y: 0, width, height };
    }
    const [rows, columns] = box.slice(-2);
    const [x, y] = this.#corner(tile);
    return { x: x + columns[0] * cell, y: y + rows[0] * cell, width: (columns[1] - columns[0]) * cell, height: (rows[1] - rows[0]) * cell };
  }

  /** Write the numbers into the cells of a single line, when they are large enough. @param {CanvasRenderingContext2D} context @param {ArrayLike<number>} values @param {Theme} theme */
  #writeNumbers(context, values, theme) {
    const { cell } = this.#place;
    if (this.#shape.length !== 1 || this.#layout.rows > 1 || cell < WITH_NUMBER) return;
    const limit = limitOf(values);
    context.font = "12px sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < values.length; i++) {
      context.fillStyle = inkOn(signedColour(values[i], limit, theme));
      context.fillText(numberText(values[i], 1), (i + 0.5) * cell, cell / 2, cell - 2);
    }
  }

  /** Hide what a sweep has not reached. @param {CanvasRenderingContext2D} context @param {number} numKnown @param {number} x @param {number} y @param {Theme} theme */
  #hideFrom(context, numKnown, x, y, theme) {
    const { rows, columns } = this.#layout;
    const { cell } = this.#place;
    const [row, column] = [Math.floor(numKnown / columns), numKnown % columns];
    context.fillStyle = colourText(theme.ground);
    context.fillRect(x + column * cell, y + row * cell, (columns - column) * cell, cell);
    context.fillRect(x, y + (row + 1) * cell, columns * cell, (rows - row - 1) * cell);
  }

  /** @param {CanvasRenderingContext2D} context @param {Box} box */
  #frameBox(context, box) {
    const channels = box.length > 2 ? box[box.length - 3] : [0, 1];
    for (let tile = channels[0]; tile < channels[1]; tile++) this.#frame(context, this.#rectangleOfBox(box, tile), "#000");
  }

  /** A frame that shows on every colour: white around black. @param {CanvasRenderingContext2D} context @param {Rectangle} rectangle @param {string} colour */
  #frame(context, rectangle, colour) {
    this.#frames.push(rectangle);
    const { x, y, width, height } = rectangle;
    for (const [lineWidth, style] of /** @type {[number, string][]} */ ([[4, "#fff"], [2, colour]])) {
      Object.assign(context, { lineWidth, strokeStyle: style });
      context.strokeRect(x - 1, y - 1, width + 2, height + 2);
    }
  }

  // ------------------------------------------------------------------------ pointing and picking

  #listen() {
    const { canvas } = this;
    /** @type {{ x: number, y: number } | null} */
    let down = null;
    const at = (/** @type {PointerEvent} */ event) => this.#unitAtPoint(event.offsetX - RIM, event.offsetY - RIM);
    canvas.addEventListener("pointerdown", (event) => {
      down = { x: event.clientX, y: event.clientY };
      if (event.pointerType !== "touch") canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const unit = at(event);
      if (unit) this.#hands.point(unit);
    });
    canvas.addEventListener("pointerup", (event) => {
      const unit = at(event);
      const isTap = down && Math.hypot(event.clientX - down.x, event.clientY - down.y) < 8;
      if (down && unit && (isTap || event.pointerType !== "touch" || this.#isHeld)) this.#hands.pick(unit);
      else this.#hands.point(null);
      down = null;
    });
    for (const end of ["pointerleave", "pointercancel"]) canvas.addEventListener(end, () => this.#hands.point(null));
    canvas.addEventListener("touchstart", (event) => this.#hold(event), { passive: false });
  }

  /** A finger that takes hold of a frame moves it; anywhere else it scrolls the page, or taps. @param {TouchEvent} event */
  #hold(event) {
    const box = this.canvas.getBoundingClientRect();
    const { clientX, clientY } = event.touches[0];
    const [left, top] = [clientX - box.left - RIM, clientY - box.top - RIM];
    const isNear = (/** @type {Rectangle} */ { x, y, width, height }) => Math.abs(left - x - width / 2) < FINGER + width / 2 && Math.abs(top - y - height / 2) < FINGER + height / 2;
    this.#isHeld = event.touches.length === 1 && this.#frames.some(isNear);
    if (this.#isHeld) event.preventDefault();
  }

  /** @param {number} x @param {number} y @returns {Unit | null} */
  #unitAtPoint(x, y) {
    const { cell, perRow } = this.#place;
    const { tiles, rows, columns } = this.#layout;
    const [across, down] = [columns * cell + TILE_GAP, rows * cell + TILE_GAP];
    const tile = Math.floor(y / down) * perRow + Math.floor(x / across);
    const column = Math.floor((x - Math.floor(x / across) * across) / cell);
    const row = Math.floor((y - Math.floor(y / down) * down) / cell);
    const isHit = x >= 0 && y >= 0 && x < across * perRow && tile < tiles && column < columns && row < rows;
    return isHit ? this.#unitOf(tile, row, column) : null;
  }

  /** @param {number} tile @param {number} row @param {number} column @returns {Unit | null} */
  #unitOf(tile, row, column) {
    const { rows, columns } = this.#layout;
    const index = (tile * rows + row) * columns + column;
    return index < productOf(this.#shape) ? unitAt(index, this.#shape) : null; // a last line may be shorter
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const { rows, columns, tiles } = this.#layout;
    const { tile, row, column } = this.#cellOf(flatIndex(this.#unit, this.#shape));
    const to = {
      ArrowLeft: [tile, row, column - 1],
      ArrowRight: [tile, row, column + 1],
      ArrowUp: [tile, row - 1, column],
      ArrowDown: [tile, row + 1, column],
      PageUp: [tile - 1, row, column],
      PageDown: [tile + 1, row, column],
      Home: [tile, row, 0],
      End: [tile, row, columns - 1],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const [newTile, newRow, newColumn] = to;
    const isThere = newTile >= 0 && newTile < tiles && newRow >= 0 && newRow < rows && newColumn >= 0 && newColumn < columns;
    const unit = isThere ? this.#unitOf(newTile, newRow, newColumn) : null;
    if (unit) this.#hands.pick(unit);
  }
}
