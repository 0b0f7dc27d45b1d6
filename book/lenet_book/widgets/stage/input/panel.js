// @ts-check
/** Everything by which a picture comes in: a pad with its pens, samples, and pictures of the reader's own. */
import { Pad } from "./pad.js";
import { OWN, PENS } from "./picture.js";
import { prepare, readPicture } from "./preparing.js";
import { arrowKeys, button, element, setAttribute, setText, uniqueId } from "../../shared/elements.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../../shared/colours.js").Theme} Theme */

const THUMBNAIL = 30; // CSS pixels, here and below
const TOOLS_WIDTH = 116;
const BELOW_HEIGHT = 92; // of samples and message
const LARGEST_PAD = 420;

export class InputPanel {
  #input; #tell; #pad; #samples; #tools;
  #message = element("p", { class: "lenet-input-message lenet-muted lenet-hint", role: "status" });

  /**
   * @param {State} state
   * @param {object} tell
   * @param {(sample: number) => void} tell.chosen  a sample, or a new picture of the reader's own
   * @param {() => void} tell.drawn  the drawn picture has changed
   * @param {() => void} tell.lifted  a stroke is finished
   */
  constructor(state, tell) {
    this.#input = state.input;
    this.#tell = tell;
    this.#pad = new Pad(state, tell);
    this.#tools = this.#makeTools();
    this.#samples = this.#makeSamples();
    this.node = element("div", { class: "lenet-input-panel" }, this.#pad.node, this.#tools, this.#samples, this.#message);
    this.#hint();
  }

  #hint() {
    const { canDraw, canBring, meta, whyNotDraw, form } = this.#input;
    const drawing = canDraw ? [`Draw ${form === "digit" ? "a digit" : "a picture"} on the pad.`] : [];
    const bringing = canBring ? ["Drop or paste a picture, or open one."] : [];
    const off = meta.draw && !canDraw ? [`Drawing is switched off: ${whyNotDraw}.`] : [];
    this.#say([...off, ...drawing, ...bringing].join(" ") || "Choose a picture.", false);
  }

  /** @param {string} text @param {boolean} isWrong */
  #say(text, isWrong) {
    setText(this.#message, text);
    this.#message.classList.toggle("lenet-input-wrong", isWrong);
  }

  #makeTools() {
    const { canDraw, canBring } = this.#input;
    const open = (/** @type {string} */ text, /** @type {Record<string, string>} */ attributes) => {
      const onchange = (/** @type {Event} */ { target }) => {
        const chooser = /** @type {HTMLInputElement} */ (target);
        this.take(chooser.files?.[0]).then(() => (chooser.value = "")); // the same file may be chosen again
      };
      const chooser = element("input", { type: "file", accept: "image/*", class: "lenet-aloud", onchange, ...attributes });
      return element("label", { class: `lenet-button ${attributes.capture ? "lenet-camera" : ""}` }, text, chooser);
    };
    const drawing = [this.#makePens(), button("Undo", () => this.#pad.takeBack(false)), button("Clear", () => this.#pad.takeBack(true))];
    const bringing = [open("Picture …", {}), open("Camera …", { capture: "environment" })];
    return element("div", { class: "lenet-input-tools" }, ...(canDraw ? drawing : []), ...(canBring ? bringing : []));
  }

  #makePens() {
    const group = uniqueId("pen");
    const pens = Object.entries(PENS).map(([name, width]) => {
      const choose = () => (this.#input.pen = width);
      const attributes = { type: "radio", name: group, class: "lenet-aloud", checked: width === this.#input.pen, onchange: choose };
      const dot = element("span", { class: "lenet-pen", style: `--share: ${width}` });
      return element("label", { title: `${name} pen` }, element("input", { ...attributes, "aria-label": `${name} pen` }), dot);
    });
    return element("div", { class: "lenet-pens", role: "radiogroup", "aria-label": "Pen" }, ...pens);
  }

  #makeSamples() {
    const { pictures, meta } = this.#input;
    const buttons = Array.from({ length: pictures.shape[0] }, (_, sample) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      this.#input.paint(canvas, THUMBNAIL, sample);
      const label = `picture ${sample + 1}${meta.labels ? `: ${meta.classes[meta.labels[sample]]}` : ""}`;
      const choose = () => this.#choose(sample);
      return element("button", { type: "button", class: "lenet-sample", "aria-label": label, title: label, onclick: choose }, canvas);
    });
    const row = element("div", { class: "lenet-samples", role: "group", "aria-label": "Pictures to choose from" }, ...buttons);
    arrowKeys(row, () => buttons);
    return row;
  }

  /** @param {number} sample */
  #choose(sample) {
    this.#input.isTouched = true;
    this.#hint();
    this.#tell.chosen(sample);
  }

  /** @param {Theme} theme */
  useTheme(theme) {
    this.#pad.useTheme(theme);
  }

  /** Fit into a room of this size. @param {number} width @param {number} height */
  layOut(width, height) {
    const side = Math.min(height - BELOW_HEIGHT, width - TOOLS_WIDTH, LARGEST_PAD);
    this.node.style.setProperty("--side", `${side}px`);
    this.#pad.layOut(side);
  }

  show() {
    const { sample } = this.#input;
    this.#pad.show();
    [...this.#samples.children].forEach((node, index) => {
      setAttribute(node, "aria-pressed", String(index === sample));
      setAttribute(node, "tabindex", index === Math.max(sample, 0) ? "0" : "-1");
    });
  }

  /** Take pictures that are dropped on an element, or pasted while it is pointed at or has the focus. @param {HTMLElement} root @returns {() => void}  stops it */
  accept(root) {
    if (!this.#input.canBring) return () => {};
    const drag = (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      root.classList.toggle("lenet-dropping", event.type === "dragover");
      if (event.type === "drop") this.take(event.dataTransfer?.files[0]);
    };
    const paste = (/** @type {ClipboardEvent} */ event) => {
      const { activeElement: active } = document;
      const isMeant = root.contains(active) || (active === document.body && root.matches(":hover"));
      if (!isMeant || !event.clipboardData?.files.length) return;
      event.preventDefault();
      this.take(event.clipboardData.files[0]);
    };
    root.addEventListener("dragover", drag);
    root.addEventListener("dragleave", drag);
    root.addEventListener("drop", drag);
    document.addEventListener("paste", paste);
    return () => document.removeEventListener("paste", paste);
  }

  /** Prepare a picture file and show it, or say what is wrong with it. @param {File | undefined} file */
  async take(file) {
    try {
      this.#say("Preparing your picture …", false);
      const { shape, form } = this.#input;
      this.#input.own = prepare(await readPicture(file), shape, form);
      this.#choose(OWN);
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error), true);
    }
  }
}
