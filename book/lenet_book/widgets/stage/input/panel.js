// @ts-check
/** Everything by which a picture comes in: a pad with its pens, samples, and pictures of the reader's own. */
import { HAS_CAMERA, takePhoto } from "./camera.js";
import { Pad } from "./pad.js";
import { OWN, PENS } from "./picture.js";
import { prepare, readPhoto } from "./preparing.js";
import { arrowKeys, button, element, setAttribute, setText, uniqueId } from "../../shared/elements.js";

const THUMBNAIL = 28; // CSS pixels, here and below
const TOOLS_WIDTH = 116;
const TOOLS_HEIGHT = 216; // of all in one column
const BELOW_HEIGHT = 92; // of samples and message
const LARGEST_PAD = 420;

export class InputPanel {
  #input; #tell; #pad; #samples;
  #message = element("p", { class: "lenet-input-message lenet-muted", role: "status" });

  /** @param {import("./picture.js").Picture} input @param {InputListener} tell */
  constructor(input, tell) {
    this.#input = input;
    this.#tell = tell;
    this.#pad = new Pad(input, tell);
    this.#samples = this.#makeSamples();
    this.node = element("div", { class: "lenet-input-panel" }, this.#pad.node, this.#makeTools(), this.#samples, this.#message);
    this.#say(this.#hint);
  }

  get #hint() {
    const { canDraw, canBring, meta, whyNotDraw, form } = this.#input;
    if (meta.draw && whyNotDraw) return `Drawing is switched off: ${whyNotDraw}.`;
    const own = matchMedia("(pointer: coarse)").matches ? "open or take" : "drop, paste or open";
    const [first, one] = canDraw && form !== "picture" ? [`Draw a ${form}`, "a picture of one"] : [canDraw ? "Draw" : "Choose a picture", "one"];
    return `${first}${canBring ? `, or ${own} ${one}` : ""}.`;
  }

  /** @param {string} text */
  #say(text, isWrong = false) {
    setText(this.#message, text);
    this.#message.classList.toggle("lenet-input-wrong", isWrong);
  }

  #makeTools() {
    const { canDraw, canBring } = this.#input;
    const drawing = canDraw ? [this.#makePens(), button("Undo", () => this.#pad.takeBack(false)), button("Clear", () => this.#pad.takeBack(true))] : [];
    const webcam = HAS_CAMERA ? [button("Camera …", () => this.#photograph(), { class: "lenet-button lenet-webcam" })] : [];
    const bringing = canBring ? [this.#opener("Picture …", {}), this.#opener("Camera …", { capture: "environment" }), ...webcam] : [];
    return element("div", { class: "lenet-input-tools" }, ...drawing, ...bringing);
  }

  /** @param {string} text @param {Record<string, string>} attributes */
  #opener(text, attributes) {
    const onchange = async () => {
      await this.#take(chooser.files?.[0]);
      chooser.value = ""; // the same file may be chosen again
    };
    const chooser = element("input", { type: "file", accept: "image/*", class: "lenet-aloud", onchange, ...attributes });
    return element("label", { class: `lenet-button ${attributes.capture ? "lenet-camera" : ""}` }, text, chooser);
  }

  #makePens() {
    const name = uniqueId("pen");
    const pens = Object.entries(PENS).map(([word, width]) => {
      const onchange = () => (this.#input.pen = width);
      const choice = element("input", { type: "radio", name, class: "lenet-aloud", "aria-label": `${word} pen`, checked: width === this.#input.pen, onchange });
      return element("label", { title: `${word} pen` }, choice, element("span", { class: "lenet-pen", style: `--share: ${width}` }));
    });
    return element("div", { class: "lenet-pens", role: "radiogroup", "aria-label": "Pen" }, ...pens);
  }

  #makeSamples() {
    const choose = (/** @type {number} */ sample) => {
      this.#say(this.#hint);
      this.#tell.chosen(sample);
    };
    const buttons = Array.from({ length: this.#input.pictures.shape[0] }, (_, sample) => {
      const [canvas, title] = [element("canvas", { "aria-hidden": "true" }), this.#input.nameOf(sample)];
      this.#input.paint(canvas, THUMBNAIL, sample);
      return element("button", { type: "button", class: "lenet-sample", "aria-label": title, title, onclick: () => choose(sample) }, canvas);
    });
    const row = element("div", { class: "lenet-samples", role: "group", "aria-label": "Pictures to choose from" }, ...buttons);
    arrowKeys(row, () => buttons);
    return row;
  }

  /** Fit into a room of this size. @param {number} width @param {number} height */
  layOut(width, height) {
    const beside = height - BELOW_HEIGHT;
    const isLow = beside < TOOLS_HEIGHT;
    this.node.classList.toggle("lenet-low", isLow);
    this.#pad.side = Math.min(beside, width - (isLow ? 1.7 : 1) * TOOLS_WIDTH, LARGEST_PAD);
    this.node.style.setProperty("--side", `${this.#pad.side}px`);
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
      if (event.type === "drop") this.#take(event.dataTransfer?.files[0]);
    };
    const paste = (/** @type {ClipboardEvent} */ event) => {
      const isMeant = root.matches(":focus-within") || (document.activeElement === document.body && root.matches(":hover"));
      if (!isMeant || !event.clipboardData?.files.length) return;
      event.preventDefault();
      this.#take(event.clipboardData.files[0]);
    };
    for (const type of /** @type {const} */ (["dragover", "dragleave", "drop"])) root.addEventListener(type, drag);
    document.addEventListener("paste", paste);
    return () => document.removeEventListener("paste", paste);
  }

  async #photograph() {
    try {
      const photo = await takePhoto();
      if (photo) await this.#take(photo);
    } catch (error) {
      this.#say(`The camera gives no picture: ${/** @type {Error} */ (error).message}.`, true);
    }
  }

  /** Prepare a picture and show it, or say what is wrong with it. @param {File | ImageBitmap | undefined} picture */
  async #take(picture) {
    const input = this.#input;
    try {
      this.#say("Preparing your picture …");
      input.own = prepare(await readPhoto(picture), input.shape, input.form);
    } catch (error) {
      return this.#say(/** @type {Error} */ (error).message, true);
    }
    this.#say(this.#hint);
    input.choose(OWN);
    this.#tell.drawn();
    this.#tell.lifted();
  }
}
