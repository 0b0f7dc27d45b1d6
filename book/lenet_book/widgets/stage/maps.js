// @ts-check
/** Draws the numbers of a step as maps, one tile for each channel, in which units can be picked. */
import { flatIndex } from "./explanation.js";
import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { element, setAttribute } from "../shared/elements.js";
import { productOf } from "../shared/numbers.js";
import { sizeCanvas } from "../shared/pictures.js";
import { numberText } from "../shared/text.js";

/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @typedef {import("./explanation.js").Box} Box */
/** @typedef {import("./explanation.js").Unit} Unit */

const GAP = 6; // CSS pixels between tiles
const LARGEST_CELL = 30;
const WITH_NUMBER = 22; // cells of this size have room for a number
const SHADES = 255; // on either side of zero

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

/** The maps of one step, with what the reader is asked to look at, and a unit to pick. */
export class Maps {
  #onPick; #place;
  /** @type {number[]} */
  #shape = [1];
  /** @type {Unit} */
  #unit = [0];
  #layout = tilesOf([1]);
  /** @type {Painting | null} */
  #painting = null;

  /**
   * @param {object} options
   * @param {(unit: Unit) => void} [options.onPick]
   * @param {string} options.label
   */
  constructor({ onPick, label }) {
    this.#onPick = onPick;
    this.#place = arrange(this.#layout, 100, 100, GAP);
    this.canvas = element("canvas", { class: "lenet-maps", role: "img", "aria-label": label });
    if (onPick) this.#letPick();
  }

  /**
   * @param {number[]} shape @param {number} perLine
   * @param {number} maxWidth @param {number} maxHeight  CSS pixels
   */
  reshape(shape, perLine, maxWidth, maxHeight) {
    this.#shape = shape;
    this.#layout = tilesOf(shape, perLine);
    this.#painting = new Painting(this.#layout);
    this.#place = arrange(this.#layout, maxWidth - 4, maxHeight - 4, GAP);
  }

  /**
   * @param {ArrayLike<number>} values @param {Scale} scale @param {Theme} theme
   * @param {{ unit?: Unit, box?: Box | null, label: string }} marks
   */
  draw(values, scale, theme, { unit, box, label }) {
    const painting = this.#painting;
    if (!painting) return;
    painting.paint(values, scale);
    const { cell, width, height } = this.#place;
    const context = sizeCanvas(this.canvas, width + 4, height + 4);
    context.translate(2, 2);
    const { tiles, rows, columns } = this.#layout;
    for (let tile = 0; tile < tiles; tile++) {
      const [x, y] = this.#corner(tile);
      context.drawImage(painting.canvas, 0, tile * rows, columns, rows, x, y, columns * cell, rows * cell);
      context.strokeStyle = theme.line;
      context.lineWidth = 1;
      context.strokeRect(x - 0.5, y - 0.5, columns * cell + 1, rows * cell + 1);
    }
    this.#writeNumbers(context, values, theme);
    if (box) this.#frameBox(context, box, theme);
    if (unit) {
      this.#unit = unit;
      this.#frameIndex(context, flatIndex(unit, this.#shape), theme);
    }
    setAttribute(this.canvas, "aria-label", label);
  }

  /** @param {number} tile @returns {[number, number]} */
  #corner(tile) {
    const { cell, perRow } = this.#place;
    const { rows, columns } = this.#layout;
    return [(tile % perRow) * (columns * cell + GAP), Math.floor(tile / perRow) * (rows * cell + GAP)];
  }

  /** Where a flat index lies: tile, row and column. @param {number} index */
  #cellOf(index) {
    const { rows, columns } = this.#layout;
    const inTile = index % (rows * columns);
    return { tile: Math.floor(index / (rows * columns)), row: Math.floor(inTile / columns), column: inTile % columns };
  }

  /** Write the numbers into the cells of a single line, when they are large enough. @param {CanvasRenderingContext2D} context @param {ArrayLike<number>} values @param {Theme} theme */
  #writeNumbers(context, values, theme) {
    const { cell } = this.#place;
    if (this.#shape.length !== 1 || this.#layout.rows > 1 || cell < WITH_NUMBER) return;
    const limit = limitOf(values);
    context.font = "10px sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < values.length; i++) {
      context.fillStyle = inkOn(signedColour(values[i], limit, theme));
      context.fillText(numberText(values[i], 1), (i + 0.5) * cell, cell / 2, cell - 2);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Box} box @param {Theme} theme */
  #frameBox(context, box, theme) {
    const { cell } = this.#place;
    if (box.length === 1) {
      if (box[0][1] - box[0][0] === 1) this.#frameIndex(context, box[0][0], theme);
      else this.#frame(context, 0, 0, this.#place.width, this.#place.height, theme);
      return;
    }
    const [rows, columns] = box.slice(-2);
    const channels = box.length > 2 ? box[box.length - 3] : [0, 1];
    for (let tile = channels[0]; tile < channels[1]; tile++) {
      const [x, y] = this.#corner(tile);
      const [across, down] = [columns[1] - columns[0], rows[1] - rows[0]];
      this.#frame(context, x + columns[0] * cell, y + rows[0] * cell, across * cell, down * cell, theme);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} index @param {Theme} theme */
  #frameIndex(context, index, theme) {
    const { cell } = this.#place;
    const { tile, row, column } = this.#cellOf(index);
    const [x, y] = this.#corner(tile);
    this.#frame(context, x + column * cell, y + row * cell, cell, cell, theme);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} width @param {number} height @param {Theme} theme */
  #frame(context, x, y, width, height, theme) {
    context.lineWidth = 4.5;
    context.strokeStyle = colourText(theme.ground);
    context.strokeRect(x, y, width, height);
    context.lineWidth = 2.5;
    context.strokeStyle = theme.window;
    context.strokeRect(x, y, width, height);
  }

  // ------------------------------------------------------------------------ picking

  #letPick() {
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "maps of units");
    canvas.addEventListener("pointerdown", (event) => {
      const unit = this.#unitAtPoint(event.offsetX - 2, event.offsetY - 2);
      if (unit) this.#onPick?.(unit);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons || event.pointerType === "touch") return;
      const unit = this.#unitAtPoint(event.offsetX - 2, event.offsetY - 2);
      if (unit && String(unit) !== String(this.#unit)) this.#onPick?.(unit);
    });
    canvas.addEventListener("keydown", (event) => this.#move(event));
  }

  /** @param {number} x @param {number} y @returns {Unit | null} */
  #unitAtPoint(x, y) {
    const { cell, perRow } = this.#place;
    const { tiles, rows, columns } = this.#layout;
    const [across, down] = [columns * cell + GAP, rows * cell + GAP];
    const tile = Math.floor(y / down) * perRow + Math.floor(x / across);
    const column = Math.floor((x - Math.floor(x / across) * across) / cell);
    const row = Math.floor((y - Math.floor(y / down) * down) / cell);
    const isHit = x >= 0 && y >= 0 && x < across * perRow && tile < tiles && column < columns && row < rows;
    return isHit ? this.#unitOf(tile, row, column) : null;
  }

  /** @param {number} tile @param {number} row @param {number} column @returns {Unit | null} */
  #unitOf(tile, row, column) {
    const { rows, columns } = this.#layout;
    let index = (tile * rows + row) * columns + column;
    const unit = [...this.#shape];
    for (let axis = unit.length - 1; axis >= 0; axis--) {
      unit[axis] = index % this.#shape[axis];
      index = Math.floor(index / this.#shape[axis]);
    }
    return index === 0 ? unit : null; // a last line may be shorter than the others
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
    if (unit) this.#onPick?.(unit);
  }
}
