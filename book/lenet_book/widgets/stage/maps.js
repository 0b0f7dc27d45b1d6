// @ts-check
/** Draws the numbers of a step as maps, one tile for each channel, in which units can be picked. */
import { flatIndex, unitAt } from "./explanation.js";
import { colourText, greyColour, inkOn, signedColour } from "../shared/colours.js";
import { element, setAttribute } from "../shared/elements.js";
import { productOf } from "../shared/numbers.js";
import { sizeCanvas } from "../shared/pictures.js";
import { numberText } from "../shared/text.js";

const TILE_GAP = 6; // CSS pixels between tiles
const MANY_TILES = 200; // have a pixel alone between them
const LARGEST_CELL = 30;
const WITH_NUMBER = 22; // cells of this size have room for a number
const SHADES = 255; // on either side of zero
const RIM = 3; // around the tiles, for frames at their edges
const FINGER = 16; // how near a finger takes hold of a frame

/** @param {Colour} colour */
function packed([red, green, blue]) {
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

/** The colours from full blue over the ground to full red. @param {Theme} theme */
export function signedPalette(theme) {
  return Uint32Array.from({ length: 2 * SHADES + 1 }, (_, i) => packed(signedColour(i - SHADES, SHADES, theme)));
}

/** Colours for numbers on both sides of 0, as far as a limit. @param {Uint32Array} palette @param {number} limit @returns {Scale} */
export function symmetricScale(palette, limit) {
  return { palette, range: () => [-limit, limit] };
}

/** How the numbers of each step become colours. */
export class Scales {
  #state;
  #greys = Uint32Array.from({ length: 256 }, (_, i) => packed(greyColour(i, 0, 255)));
  /** Colours below and above zero, in the theme of the page. */
  signed = new Uint32Array(1);

  /** @param {State} state */
  constructor(state) {
    this.#state = state;
  }

  /** Of what a step shows: its activations, or gradients. @param {number} step @param {Float32Array[]} [gradients]  by step @returns {Scale} */
  of(step, gradients) {
    if (gradients) return this.around0(gradients[step]);
    if (step === 0) {
      const ranges = /** @type {[number, number][]} */ (this.#state.input.pixelRange);
      return { palette: this.#greys, range: (channel) => ranges[channel] ?? ranges[0] ?? [0, 1] };
    }
    return symmetricScale(this.signed, this.#state.limits[step]);
  }

  /** As far on both sides of 0 as some numbers reach. @param {ArrayLike<number>} values */
  around0(values) { return symmetricScale(this.signed, limitOf(values)); }
}

/** The largest absolute value. @param {ArrayLike<number>} values */
export function limitOf(values) {
  let limit = 0;
  for (let i = 0; i < values.length; i++) limit = Math.max(limit, Math.abs(values[i]));
  return limit || 1;
}

/** A picture of one pixel for each number, the tiles one below the other. */
export class Painting {
  #perTile; #context; #image; #pixels;

  /** @param {{ tiles: number, rows: number, columns: number }} layout */
  constructor({ tiles, rows, columns }) {
    this.#perTile = rows * columns;
    this.canvas = element("canvas", { width: columns, height: Math.max(1, tiles * rows) });
    this.#context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.#image = this.#context.createImageData(this.canvas.width, this.canvas.height);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
  }

  /** @param {ArrayLike<number>} values @param {Scale} scale */
  paint(values, { palette, range }) {
    const last = palette.length - 1;
    for (let start = 0; start < values.length; start += this.#perTile) {
      const [low, high] = range(start / this.#perTile);
      const factor = last / (high - low || 1);
      const end = Math.min(start + this.#perTile, values.length);
      for (let i = start; i < end; i++) {
        const shade = Math.round((values[i] - low) * factor);
        this.#pixels[i] = palette[shade < 0 ? 0 : shade > last ? last : shade];
      }
    }
    this.#context.putImageData(this.#image, 0, 0);
    return this.canvas;
  }
}

/** Where the numbers of a step stand: tiles of rows and columns, as large as fits. Features are one tile of several lines. */
class Tiling {
  tiles = 1;
  cell = 0.1;
  perRow = 1;

  /** @param {number[]} shape @param {number} perLine  of features, or 0 @param {number} maxWidth @param {number} maxHeight  CSS pixels */
  constructor(shape, perLine, maxWidth, maxHeight) {
    const length = shape[0] ?? 1;
    this.shape = shape;
    this.columns = perLine || (length <= 24 ? length : length % 16 === 0 && length % 20 ? 16 : 20);
    this.rows = Math.ceil(length / this.columns);
    if (shape.length > 1) {
      [this.rows, this.columns] = shape.slice(-2);
      this.tiles = productOf(shape.slice(0, -2));
    }
    this.gap = this.tiles > MANY_TILES ? 1 : TILE_GAP;
    this.#arrange(maxWidth, maxHeight);
    const lines = Math.ceil(this.tiles / this.perRow);
    this.width = this.perRow * this.across - this.gap;
    this.height = lines * this.down - this.gap;
  }

  /** @param {number} maxWidth @param {number} maxHeight */
  #arrange(maxWidth, maxHeight) {
    for (let perRow = 1; perRow <= this.tiles; perRow++) {
      const lines = Math.ceil(this.tiles / perRow);
      const wide = (maxWidth - (perRow - 1) * this.gap) / (perRow * this.columns);
      const tall = (maxHeight - (lines - 1) * this.gap) / (lines * this.rows);
      const cell = Math.min(wide, tall, LARGEST_CELL);
      if (cell > this.cell) Object.assign(this, { cell, perRow });
    }
    if (this.cell > 1) this.cell = Math.floor(this.cell * 2) / 2;
  }

  /** From the left of a tile to the left of the next. */
  get across() { return this.columns * this.cell + this.gap; }

  get down() { return this.rows * this.cell + this.gap; }

  /** Tile, row and column of a unit. @param {Unit} unit */
  placeOf(unit) {
    const index = flatIndex(unit, this.shape);
    const inTile = index % (this.rows * this.columns);
    return [Math.floor(index / (this.rows * this.columns)), Math.floor(inTile / this.columns), inTile % this.columns];
  }

  /** The unit at a place, if there is one. @param {number} tile @param {number} row @param {number} column @returns {Unit | null} */
  unitOf(tile, row, column) {
    if ([[tile, this.tiles], [row, this.rows], [column, this.columns]].some(([place, size]) => place < 0 || place >= size)) return null;
    const index = (tile * this.rows + row) * this.columns + column;
    return index < productOf(this.shape) ? unitAt(index, this.shape) : null; // a last line may be shorter
  }

  /** @param {number} x @param {number} y @returns {Unit | null} */
  unitAtPoint(x, y) {
    const [right, below] = [Math.floor(x / this.across), Math.floor(y / this.down)];
    if (x < 0 || right >= this.perRow) return null;
    return this.unitOf(below * this.perRow + right, Math.floor((y - below * this.down) / this.cell), Math.floor((x - right * this.across) / this.cell));
  }

  /** @param {number} tile @param {number} [row] @param {number} [column] @param {number} [rows] @param {number} [columns] @returns {Rectangle} */
  rectangle(tile, row = 0, column = 0, rows = 1, columns = 1) {
    const [x, y] = [(tile % this.perRow) * this.across, Math.floor(tile / this.perRow) * this.down];
    return { x: x + column * this.cell, y: y + row * this.cell, width: columns * this.cell, height: rows * this.cell };
  }

  /** Where a box stands in a tile. @param {Box} box @param {number} tile @returns {Rectangle} */
  rectangleOf(box, tile) {
    if (box.every(([from, to]) => to - from === 1)) return this.rectangleOfUnit(box.map(([from]) => from));
    if (box.length === 1) return { x: 0, y: 0, width: this.width, height: this.height };
    const [[top, bottom], [left, right]] = box.slice(-2);
    return this.rectangle(tile, top, left, bottom - top, right - left);
  }

  /** @param {Unit} unit */
  rectangleOfUnit(unit) {
    const [tile, row, column] = this.placeOf(unit);
    return this.rectangle(tile, row, column);
  }
}

/** The maps of one step, with what the reader is asked to look at, and units to point at and to pick. */
export class Maps {
  #hands;
  #tiling = new Tiling([1], 0, 100, 100);
  #painting = new Painting(this.#tiling);
  /** @type {Unit} */
  #unit = [0];
  /** What is framed. @type {Rectangle[]} */
  #frames = [];
  #isHeld = false;

  /** @param {string} label @param {Hands} hands @param {boolean} hasKeys  whether arrow keys pick */
  constructor(label, hands, hasKeys) {
    this.#hands = hands;
    const asApplication = { role: "application", "aria-roledescription": "maps of units", tabindex: 0 };
    this.canvas = element("canvas", { class: "lenet-maps", "aria-label": label, ...(hasKeys ? asApplication : { role: "img" }) });
    this.#listen();
    if (hasKeys) this.canvas.addEventListener("keydown", (event) => this.#move(event));
  }

  /** @param {number[]} shape @param {number} perLine @param {number} maxWidth @param {number} maxHeight  CSS pixels */
  reshape(shape, perLine, maxWidth, maxHeight) {
    this.#tiling = new Tiling(shape, perLine, maxWidth - 2 * RIM, maxHeight - 2 * RIM);
    this.#painting = new Painting(this.#tiling);
  }

  /** @param {ArrayLike<number>} values @param {Scale} scale @param {Theme} theme @param {Marks} marks */
  draw(values, scale, theme, { unit, box, numKnown, isOnPath = false, label }) {
    const { width, height, tiles, rows, columns } = this.#tiling;
    this.#painting.paint(values, scale);
    const context = sizeCanvas(this.canvas, width + 2 * RIM, height + 2 * RIM);
    context.translate(RIM, RIM);
    Object.assign(context, { strokeStyle: theme.line, fillStyle: colourText(theme.ground) });
    for (let tile = 0; tile < tiles; tile++) {
      const { x, y, width: wide, height: tall } = this.#tiling.rectangle(tile, 0, 0, rows, columns);
      context.drawImage(this.#painting.canvas, 0, tile * rows, columns, rows, x, y, wide, tall);
      if (numKnown !== undefined) this.#hideFrom(context, tile, numKnown);
      context.strokeRect(x - 0.5, y - 0.5, wide + 1, tall + 1);
    }
    if (numKnown === undefined) this.#writeNumbers(context, values, scale, theme);
    this.#frames = [];
    if (box) this.#frameBox(context, box);
    if (unit) this.#frame(context, this.#tiling.rectangleOfUnit(unit), isOnPath ? theme.window : "#000");
    this.#unit = unit ?? this.#unit;
    setAttribute(this.canvas, "aria-label", label);
  }

  /** Where a unit stands in the window. @param {Unit} unit */
  rectangleOf(unit) { return this.#inWindow(this.#tiling.rectangleOfUnit(unit)); }

  /** Where a box stands in the window, in one channel. @param {Box} box @param {number} channel */
  rectangleIn(box, channel) { return this.#inWindow(this.#tiling.rectangleOf(box, channel)); }

  /** @param {Rectangle} rectangle @returns {Rectangle} */
  #inWindow({ x, y, width, height }) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: x + left + RIM, y: y + top + RIM, width, height };
  }

  /** Write the numbers into the cells of a single line, when they are large enough. @param {CanvasRenderingContext2D} context @param {ArrayLike<number>} values @param {Scale} scale @param {Theme} theme */
  #writeNumbers(context, values, scale, theme) {
    const { cell, rows, shape } = this.#tiling;
    if (shape.length !== 1 || rows > 1 || cell < WITH_NUMBER || limitOf(values) < 0.1) return; // else all would read 0.0
    const [, limit] = scale.range(0);
    Object.assign(context, { font: "12px sans-serif", textAlign: "center", textBaseline: "middle" });
    for (let i = 0; i < values.length; i++) {
      context.fillStyle = inkOn(signedColour(values[i], limit, theme));
      context.fillText(numberText(values[i], 1), (i + 0.5) * cell, cell / 2, cell - 2);
    }
  }

  /** Hide what a sweep has not reached. @param {CanvasRenderingContext2D} context @param {number} tile @param {number} numKnown */
  #hideFrom(context, tile, numKnown) {
    const { rows, columns } = this.#tiling;
    const [row, column] = [Math.floor(numKnown / columns), numKnown % columns];
    for (const { x, y, width, height } of [this.#tiling.rectangle(tile, row, column, 1, columns - column), this.#tiling.rectangle(tile, row + 1, 0, rows - row - 1, columns)]) {
      context.fillRect(x, y, width, height);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Box} box */
  #frameBox(context, box) {
    const [from, to] = box.length > 2 ? box[box.length - 3] : [0, 1];
    for (let tile = from; tile < to; tile++) this.#frame(context, this.#tiling.rectangleOf(box, tile), "#000");
  }

  /** A frame that shows on every colour: white around black. @param {CanvasRenderingContext2D} context @param {Rectangle} rectangle @param {string} colour */
  #frame(context, rectangle, colour) {
    this.#frames.push(rectangle);
    const { x, y, width, height } = rectangle;
    for (const [lineWidth, strokeStyle] of [[4, "#fff"], [2, colour]]) {
      Object.assign(context, { lineWidth, strokeStyle });
      context.strokeRect(x - 1, y - 1, width + 2, height + 2);
    }
  }

  // ------------------------------------------------------------------------ pointing and picking

  #listen() {
    const { canvas } = this;
    /** @type {{ x: number, y: number } | null} */
    let down = null;
    const at = (/** @type {PointerEvent} */ event) => this.#tiling.unitAtPoint(event.offsetX - RIM, event.offsetY - RIM);
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
    const { left, top } = this.canvas.getBoundingClientRect();
    const { clientX, clientY } = event.touches[0];
    const isNear = (/** @type {number} */ place, /** @type {number} */ start, /** @type {number} */ size) => place > start - FINGER && place < start + size + FINGER;
    const isFinger = (/** @type {Rectangle} */ { x, y, width, height }) => isNear(clientX - left - RIM, x, width) && isNear(clientY - top - RIM, y, height);
    this.#isHeld = event.touches.length === 1 && this.#frames.some(isFinger);
    if (this.#isHeld) event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const [tile, row, column] = this.#tiling.placeOf(this.#unit);
    const to = {
      ArrowLeft: [tile, row, column - 1],
      ArrowRight: [tile, row, column + 1],
      ArrowUp: [tile, row - 1, column],
      ArrowDown: [tile, row + 1, column],
      PageUp: [tile - 1, row, column],
      PageDown: [tile + 1, row, column],
      Home: [tile, row, 0],
      End: [tile, row, this.#tiling.columns - 1],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const unit = this.#tiling.unitOf(to[0], to[1], to[2]);
    if (!unit) return;
    this.#unit = unit; // the next key may come before this one is drawn
    this.#hands.pick(unit);
  }
}
