// @ts-check
/** The input: sample pictures to choose from, and a pad to draw on. */
import { DRAWN } from "./state.js";
import { button, element, setAttribute } from "../shared/elements.js";
import { paintPicture, sizeCanvas } from "../shared/pictures.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("../shared/colours.js").Theme} Theme */

const SIDE = 196; // of the pad, in CSS pixels
const NARROW_SIDE = 168; // where the answer stands beside it on a phone
const THUMBNAIL = 34;
const PENS = { thin: 0.045, medium: 0.07, thick: 0.11 };
const KEY_STEP = 1 / 28;

export class InputPanel {
  #state; #tell; #canDraw; #samples; #hint;
  #side = SIDE;
  #pen = PENS.medium;
  /** @type {Theme | undefined} */
  #theme;
  /** Where the keys have moved the pen. @type {[number, number]} */
  #cursor = [0.5, 0.5];
  #isDown = false;
  #canvas = element("canvas", { class: "lenet-pad" });

  /**
   * @param {State} state
   * @param {object} tell
   * @param {(sample: number) => void} tell.chosen  a sample was chosen
   * @param {() => void} tell.drawn  the drawn picture has changed
   * @param {() => void} tell.lifted  a stroke is finished
   */
  constructor(state, tell) {
    this.#state = state;
    this.#tell = tell;
    this.#canDraw = state.meta.draw && state.whyNotDraw === null;
    this.#samples = this.#makeSamples();
    this.#hint = element("p", { class: "lenet-muted lenet-hint" }, this.#hintText());
    this.node = element("div", { class: "lenet-input" }, this.#canvas, element("div", { class: "lenet-input-side" }, this.#hint, this.#tools(), this.#samples));
    if (this.#canDraw) this.#letDraw();
    else this.#canvas.setAttribute("role", "img");
  }

  #hintText() {
    const { meta, whyNotDraw } = this.#state;
    if (this.#canDraw) return "Draw a digit on the black pad.";
    return meta.draw ? `Drawing is switched off: ${whyNotDraw}.` : "Choose a picture:";
  }

  #tools() {
    const tools = element("div", { class: "lenet-tools" });
    if (!this.#canDraw) return tools;
    const pens = Object.entries(PENS).map(([name, width]) =>
      element("option", { value: width, selected: width === this.#pen }, name),
    );
    const choose = (/** @type {Event} */ event) => (this.#pen = Number(/** @type {HTMLSelectElement} */ (event.target).value));
    tools.append(
      element("label", {}, "pen ", element("select", { class: "lenet-select", onchange: choose }, ...pens)),
      button("Clear", () => this.clear()),
    );
    return tools;
  }

  #makeSamples() {
    const { pictures, meta } = this.#state;
    const buttons = Array.from({ length: pictures.shape[0] }, (_, sample) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      const name = meta.labels ? meta.classes[meta.labels[sample]] : "";
      const label = name ? `picture ${sample + 1}: ${name}` : `picture ${sample + 1}`;
      const choose = () => this.#tell.chosen(sample);
      const button = element("button", { type: "button", class: "lenet-sample", "aria-label": label, title: label, onclick: choose }, canvas);
      const size = this.#state.picture.length;
      paintPicture(canvas, pictures.data.subarray(sample * size, (sample + 1) * size), this.#state.steps[0].shape, THUMBNAIL);
      return button;
    });
    return element("div", { class: "lenet-samples", role: "group", "aria-label": "Pictures to choose from" }, ...buttons);
  }

  /** @param {Theme} theme */
  useTheme(theme) {
    this.#theme = theme;
  }

  /** @param {boolean} isNarrow */
  layOut(isNarrow) {
    this.#side = isNarrow ? NARROW_SIDE : SIDE;
  }

  /** Draw the pad or the chosen picture. */
  show() {
    const { sample, meta, steps } = this.#state;
    [...this.#samples.children].forEach((button, index) => setAttribute(button, "aria-pressed", String(index === sample)));
    if (sample === DRAWN) this.#showStrokes();
    else paintPicture(this.#canvas, this.#state.picture, steps[0].shape, this.#side);
    if (this.#canDraw) this.#showCursor();
    const drawing = this.#state.isBlank ? "nothing yet" : "your drawing";
    const shown = sample === DRAWN ? drawing : `picture ${sample + 1}${meta.labels ? `: ${meta.classes[meta.labels[sample]]}` : ""}`;
    const how = "Arrow keys move the pen, the space bar puts it down and lifts it, Delete clears the pad.";
    setAttribute(this.#canvas, "aria-label", this.#canDraw ? `Drawing pad, showing ${shown}. ${how}` : `Input, showing ${shown}`);
  }

  /** Forget the strokes. */
  clear() {
    this.#state.strokes = [];
    this.#isDown = false;
    this.#tell.drawn();
    this.#tell.lifted();
  }

  #showStrokes() {
    const side = this.#side;
    const context = sizeCanvas(this.#canvas, side, side);
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    context.strokeStyle = "#fff";
    context.lineCap = context.lineJoin = "round";
    for (const { points, pen } of this.#state.strokes) {
      context.lineWidth = pen * side;
      context.beginPath();
      context.moveTo(points[0][0] * side, points[0][1] * side);
      for (const [x, y] of points) context.lineTo(x * side, y * side);
      context.stroke();
    }
  }

  #showCursor() {
    if (document.activeElement !== this.#canvas || !this.#canvas.matches(":focus-visible")) return;
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    const [x, y] = this.#cursor.map((place) => place * this.#side);
    context.strokeStyle = this.#theme?.window ?? "";
    context.lineWidth = this.#isDown ? 4 : 2;
    context.beginPath();
    context.arc(x, y, (this.#pen * this.#side) / 2 + 2, 0, 2 * Math.PI);
    context.stroke();
  }

  // ------------------------------------------------------------------------ pen

  #letDraw() {
    const canvas = this.#canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "drawing pad");
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return; // a second finger does not draw
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this.#begin(this.#pointOf(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      this.#extend((passed.length ? passed : [event]).map((one) => this.#pointOf(one)));
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.#tell.lifted());
    canvas.addEventListener("focus", () => this.show());
    canvas.addEventListener("blur", () => (this.#isDown ? this.#togglePen() : this.show()));
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  /** @param {[number, number]} point */
  #begin(point) {
    if (this.#state.sample !== DRAWN) this.#state.strokes = [];
    this.#state.strokes.push({ points: [point], pen: this.#pen });
    this.#tell.drawn();
  }

  /** @param {[number, number][]} points */
  #extend(points) {
    this.#state.strokes.at(-1)?.points.push(...points);
    this.#tell.drawn();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const [x, y] = this.#cursor;
    const to = { ArrowLeft: [x - KEY_STEP, y], ArrowRight: [x + KEY_STEP, y], ArrowUp: [x, y - KEY_STEP], ArrowDown: [x, y + KEY_STEP] }[event.key];
    if (to) this.#moveCursor([Math.min(Math.max(to[0], 0), 1), Math.min(Math.max(to[1], 0), 1)]);
    else if (event.key === " ") this.#togglePen();
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
  }

  /** @param {[number, number]} to */
  #moveCursor(to) {
    this.#cursor = to;
    if (this.#isDown) this.#extend([to]);
    else this.show();
  }

  #togglePen() {
    this.#isDown = !this.#isDown;
    if (this.#isDown) this.#begin(this.#cursor);
    else {
      this.#tell.lifted();
      this.show();
    }
  }
}
