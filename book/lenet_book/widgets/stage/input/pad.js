// @ts-check
/** A pad to draw on with mouse, finger or keys; it also shows samples and the reader's own pictures. */
import { DRAWN } from "./picture.js";
import { OWN_KEYS, element, setAttribute, svgElement } from "../../shared/elements.js";
import { sizeCanvas } from "../../shared/pictures.js";

/** @type {Record<string, number[]>} */
const KEY_STEPS = { ArrowLeft: [-1 / 28, 0], ArrowRight: [1 / 28, 0], ArrowUp: [0, -1 / 28], ArrowDown: [0, 1 / 28] };
const HOW = "Arrow keys move the pen, the space bar puts it down and lifts it, Control Z takes a stroke back, Delete clears the pad.";
const GHOST = "M32 30C36 18 66 18 66 35C66 47 54 49 46 49C56 49 68 52 68 65C68 84 36 85 30 70"; // a 3

export class Pad {
  #input; #tell; #canvas; #ghost;
  /** In CSS pixels. */
  side = 0;
  /** Where the keys have moved the pen. @type {Point} */
  #cursor = [0.5, 0.5];
  /** The stroke that is being drawn. @type {Stroke | null} */
  #stroke = null;
  /** The finger that draws it, or null for the keys. @type {number | null} */
  #finger = null;

  /** @param {import("./picture.js").Picture} input @param {Omit<InputListener, "chosen">} tell */
  constructor(input, tell) {
    this.#input = input;
    this.#tell = tell;
    const role = input.canDraw ? { role: "application", tabindex: 0, "aria-roledescription": "drawing pad" } : { role: "img" };
    this.#canvas = element("canvas", { class: "lenet-pad", ...role, ...OWN_KEYS });
    const ghost = [...(input.form === "digit" ? [svgElement("path", { d: GHOST, pathLength: 1 })] : []), svgElement("text", { x: 50, y: 95 }, "draw here")];
    this.#ghost = svgElement("svg", { class: "lenet-ghost", viewBox: "0 0 100 100", "aria-hidden": "true" }, ...ghost);
    this.node = element("div", { class: "lenet-pad-box" }, this.#canvas, this.#ghost);
    if (input.canDraw) this.#letDraw();
  }

  /** Show the strokes or the chosen picture. */
  show() {
    const { sample, isBlank, isTouched, canDraw } = this.#input;
    if (sample === DRAWN) this.#paintStrokes();
    else this.#input.paint(this.#canvas, this.side);
    this.#ghost.toggleAttribute("hidden", !isBlank || isTouched || !canDraw);
    this.#showCursor();
    const shown = sample === DRAWN ? (isBlank ? "nothing yet" : "your drawing") : this.#input.nameOf(sample);
    setAttribute(this.#canvas, "aria-label", canDraw ? `Drawing pad, showing ${shown}. ${HOW}` : `Input, showing ${shown}`);
  }

  #paintStrokes() {
    const { side } = this;
    const context = sizeCanvas(this.#canvas, side, side);
    context.fillRect(0, 0, side, side);
    context.strokeStyle = "#fff";
    context.lineCap = context.lineJoin = "round";
    for (const { points, pen } of this.#input.strokes) {
      const line = new Path2D();
      line.moveTo(points[0][0] * side - 0.01, points[0][1] * side); // a tap, too, has a length
      for (const [x, y] of points) line.lineTo(x * side, y * side);
      context.lineWidth = pen * side;
      context.stroke(line);
    }
  }

  #showCursor() {
    if (!this.#canvas.matches(":focus-visible:not(.lenet-by-pen)")) return;
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    const [x, y] = this.#cursor.map((place) => place * this.side);
    context.strokeStyle = getComputedStyle(this.#canvas).getPropertyValue("--lenet-window");
    context.lineWidth = this.#stroke ? 4 : 2;
    context.beginPath();
    context.arc(x, y, (this.#input.pen * this.side) / 2 + 2, 0, 2 * Math.PI);
    context.stroke();
  }

  // ------------------------------------------------------------------------ pen

  #letDraw() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return; // a second finger does not draw
      event.preventDefault();
      canvas.classList.add("lenet-by-pen"); // the focus is for Control Z, and need not be seen
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.#begin(this.#pointOf(event), event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.#finger) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      this.#extend((passed.length ? passed : [event]).map((one) => this.#pointOf(one)));
    });
    canvas.addEventListener("lostpointercapture", ({ pointerId }) => pointerId === this.#finger && this.#lift()); // however it ended
    canvas.addEventListener("focus", () => this.show());
    canvas.addEventListener("blur", () => {
      canvas.classList.remove("lenet-by-pen");
      this.#stroke ? this.#lift() : this.show();
    });
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {PointerEvent} event @returns {Point} */
  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  /** @param {Point} point @param {number | null} finger */
  #begin(point, finger) {
    this.#finger = finger;
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
    this.#stroke = this.#finger = null;
    this.#tell.lifted();
  }

  /** Take back what was done last, or all strokes. @param {boolean} all */
  takeBack(all) {
    this.#input.takeBack(all);
    this.#tell.drawn();
    this.#lift();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const step = KEY_STEPS[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key === "z") this.takeBack(false);
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (step) this.#moveCursor(step);
    else if (event.key === " " && this.#stroke) this.#lift();
    else if (event.key === " ") this.#begin(this.#cursor, null);
    else if (event.key === "Delete" || event.key === "Backspace") this.takeBack(true);
    else return;
    event.preventDefault();
    this.#canvas.classList.remove("lenet-by-pen");
    this.show();
  }

  /** @param {number[]} step */
  #moveCursor(step) {
    const [x, y] = this.#cursor.map((place, axis) => Math.min(Math.max(place + step[axis], 0), 1));
    this.#cursor = [x, y];
    this.#extend([this.#cursor]);
  }
}
