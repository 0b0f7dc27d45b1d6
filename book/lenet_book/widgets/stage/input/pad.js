// @ts-check
/** A pad to draw on with mouse, finger or keys; it also shows samples and the reader's own pictures. */
import { DRAWN, OWN } from "./picture.js";
import { OWN_KEYS, element, setAttribute, svgElement } from "../../shared/elements.js";
import { sizeCanvas } from "../../shared/pictures.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("./drawing.js").Point} Point */
/** @typedef {import("./drawing.js").Stroke} Stroke */
/** @typedef {import("../../shared/colours.js").Theme} Theme */

const KEY_STEP = 1 / 28;
const GHOST = "M32 30C36 18 66 18 66 35C66 47 54 49 46 49C56 49 68 52 68 65C68 84 36 85 30 70"; // a 3
const HOW = "Arrow keys move the pen, the space bar puts it down and lifts it, Control Z takes a stroke back, Delete clears the pad.";

export class Pad {
  #input; #tell; #ghost;
  #side = 0;
  /** @type {Theme | undefined} */
  #theme;
  /** Where the keys have moved the pen. @type {Point} */
  #cursor = [0.5, 0.5];
  #isDown = false;
  /** The stroke that is being drawn, and the finger that draws it. @type {Stroke | null} */
  #stroke = null;
  #pointer = -1;
  #canvas = element("canvas", { class: "lenet-pad", role: "img", ...OWN_KEYS });

  /**
   * @param {State} state
   * @param {object} tell
   * @param {() => void} tell.drawn  the drawn picture has changed
   * @param {() => void} tell.lifted  a stroke is finished
   */
  constructor({ input }, tell) {
    this.#input = input;
    this.#tell = tell;
    const words = svgElement("text", { x: 50, y: 95 }, "draw here");
    const digit = input.form === "digit" ? [svgElement("path", { d: GHOST, pathLength: 1 })] : [];
    this.#ghost = svgElement("svg", { class: "lenet-ghost", viewBox: "0 0 100 100", "aria-hidden": "true" }, ...digit, words);
    this.node = element("div", { class: "lenet-pad-box" }, this.#canvas, this.#ghost);
    if (input.canDraw) this.#letDraw();
  }

  /** @param {Theme} theme */
  useTheme(theme) {
    this.#theme = theme;
  }

  /** @param {number} side  in CSS pixels */
  layOut(side) {
    this.#side = side;
  }

  /** Show the strokes or the chosen picture. */
  show() {
    const input = this.#input;
    const { sample, meta, isBlank } = input;
    if (sample === DRAWN) this.#paintStrokes();
    else input.paint(this.#canvas, this.#side);
    this.#ghost.toggleAttribute("hidden", !isBlank || input.isTouched);
    if (input.canDraw) this.#showCursor();
    const ofSample = `picture ${sample + 1}${meta.labels ? `: ${meta.classes[meta.labels[sample]]}` : ""}`;
    const shown = { [DRAWN]: isBlank ? "nothing yet" : "your drawing", [OWN]: "your picture" }[sample] ?? ofSample;
    setAttribute(this.#canvas, "aria-label", input.canDraw ? `Drawing pad, showing ${shown}. ${HOW}` : `Input, showing ${shown}`);
  }

  #paintStrokes() {
    const side = this.#side;
    const context = sizeCanvas(this.#canvas, side, side);
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    context.fillStyle = context.strokeStyle = "#fff";
    context.lineCap = context.lineJoin = "round";
    for (const { points, pen } of this.#input.strokes) {
      context.lineWidth = pen * side;
      context.beginPath();
      const [[x, y]] = points;
      context.arc(x * side, y * side, points.length > 1 ? 0 : (pen * side) / 2, 0, 2 * Math.PI); // a tap is a dot
      context.fill();
      context.beginPath();
      for (const [x, y] of points) context.lineTo(x * side, y * side);
      context.stroke();
    }
  }

  #showCursor() {
    if (!this.#canvas.matches(":focus-visible:not(.lenet-by-pen)")) return;
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    const [x, y] = this.#cursor.map((place) => place * this.#side);
    context.strokeStyle = this.#theme?.window ?? "";
    context.lineWidth = this.#isDown ? 4 : 2;
    context.beginPath();
    context.arc(x, y, (this.#input.pen * this.#side) / 2 + 2, 0, 2 * Math.PI);
    context.stroke();
  }

  // ------------------------------------------------------------------------ pen

  #letDraw() {
    const canvas = this.#canvas;
    canvas.tabIndex = 0;
    setAttribute(canvas, "role", "application");
    setAttribute(canvas, "aria-roledescription", "drawing pad");
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return; // a second finger does not draw
      event.preventDefault();
      canvas.classList.add("lenet-by-pen"); // the focus is for Control Z, and need not be seen
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.#pointer = event.pointerId;
      this.#isDown = false;
      this.#begin(this.#pointOf(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.#pointer) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      this.#extend((passed.length ? passed : [event]).map((one) => this.#pointOf(one)));
    });
    canvas.addEventListener("lostpointercapture", (event) => event.pointerId === this.#pointer && this.#lift()); // however it ended
    canvas.addEventListener("focus", () => this.show());
    canvas.addEventListener("blur", () => {
      canvas.classList.remove("lenet-by-pen");
      if (this.#isDown) this.#togglePen();
      else this.show();
    });
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {PointerEvent} event @returns {Point} */
  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  /** @param {Point} point */
  #begin(point) {
    this.#stroke = this.#input.begin(point);
    this.#tell.drawn();
  }

  /** @param {Point[]} points */
  #extend(points) {
    if (!this.#stroke) return;
    this.#input.extend(this.#stroke, points);
    this.#tell.drawn();
  }

  #lift() {
    this.#stroke = null;
    this.#pointer = -1;
    this.#isDown = false;
    this.#tell.lifted();
  }

  /** Take the last stroke back, or all. @param {boolean} all */
  takeBack(all) {
    this.#input.takeBack(all);
    this.#tell.drawn();
    this.#lift();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const [x, y] = this.#cursor;
    const to = { ArrowLeft: [x - KEY_STEP, y], ArrowRight: [x + KEY_STEP, y], ArrowUp: [x, y - KEY_STEP], ArrowDown: [x, y + KEY_STEP] }[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key === "z") this.takeBack(false);
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (to) this.#moveCursor(/** @type {Point} */ (to.map((place) => Math.min(Math.max(place, 0), 1))));
    else if (event.key === " ") this.#togglePen();
    else if (event.key === "Delete" || event.key === "Backspace") this.takeBack(true);
    else return;
    this.#canvas.classList.remove("lenet-by-pen");
    event.preventDefault();
  }

  /** @param {Point} to */
  #moveCursor(to) {
    this.#cursor = to;
    if (this.#isDown) this.#extend([to]);
    else this.show();
  }

  #togglePen() {
    this.#isDown = !this.#isDown;
    if (this.#isDown) this.#begin(this.#cursor);
    else this.#lift();
  }
}
