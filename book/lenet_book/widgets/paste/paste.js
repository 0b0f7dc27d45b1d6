// @ts-check
/** PastedNetwork: code that is read as it is typed, with its shapes, what does not fit, and what mends it. */
import { parseSetting } from "../calculator/editing.js";
import { History } from "../calculator/history.js";
import { copyButton } from "../calculator/parts.js";
import { OWN_KEYS, announcer, button, element, setText } from "../shared/elements.js";
import { choice, textField } from "../shared/fields.js";
import { mounting } from "../shared/mounting.js";
import { answerTo, rowTable, summaryOf } from "./answer.js";
import { diagram } from "./diagram.js";
import { Editor } from "./editor.js";
import { codeWithNotes, editorLines } from "./lines.js";
import { packed, unpacked } from "./link.js";
import { meaningOf, shapeGiving, splitMessage } from "./messages.js";
import { readNetwork } from "./reader.js";
import { START } from "./tree.js";
import { applyEdits, explainReading } from "./repairs.js";

const PAUSE = 200; // milliseconds without a key, before changes are tried
const OTHER_CODE = "with no square picture does this code give your message: write the size above, " +
  "or paste the code as it was";
const UNKNOWN = "This message is none of those that the page knows.";

class Paste {
  #history;
  /** @type {Reading | null} */
  #reading = null;
  #network = "";
  #timer = 0;
  /** The message that was pasted, and the shape of an image with which the code gives it. */
  #guess = { quote: "", shape: /** @type {number[]} */ ([]) };
  #aloud = announcer();
  #editor = new Editor({
    "aria-label": "Python code, a message of PyTorch's, or both",
    placeholder: "Paste a network here, a message of PyTorch's, or both.",
  }, (text, event) => this.#typed(text, event));
  #size = textField({ size: 9, "aria-label": "shape of one image: channels × height × width" }, (text) =>
    this.#resized(text));
  #source = element("span", { class: "lenet-muted" });
  #undo = button("Undo", () => this.#history.takeBack());
  #copy = copyButton("Copy with shapes", () => codeWithNotes(this.#lines), () => this.#aloud.say("Copied."));
  #link = copyButton("Link", () => this.#ownLink(), () => this.#aloud.say("Copied."));
  #networks = element("span");
  #answer = element("div", { class: "lenet-answers" });
  #diagram = diagram((line) => this.#editor.reveal(line - 1, true));
  #table = rowTable();
  /** @type {EditorLine[]} */
  #lines = [];

  /** @param {Model} model */
  constructor(model) {
    this.#history = new History(model, { code: "code", shape: "input_shape" }, (isOwn) => this.show(isOwn));
    const clear = button("Clear", () => this.#history.change({ code: "", shape: [] }));
    const commands = [this.#undo, clear, this.#copy.node, this.#link.node];
    const strip = element("div", { class: "lenet-strip" },
      element("label", { class: "lenet-choice" }, "picture", this.#size), this.#source, this.#networks,
      element("span", { class: "lenet-commands" }, ...commands));
    const card = element("div", { class: "lenet-card" }, strip, this.#editor.node);
    const below = [this.#answer, this.#diagram.node, this.#table.node];
    const board = element("div", { class: "lenet-board" }, card, ...below);
    const onfocusout = () => (this.#history.field = "");
    const attributes = { class: "lenet-widget lenet-paste", ...OWN_KEYS, onfocusout };
    this.root = element("div", attributes, board, this.#aloud.node);
    const follow = () => this.#followLink();
    addEventListener("hashchange", follow);
    const unfollow = () => removeEventListener("hashchange", follow);
    this.stops = [...this.#history.stops, unfollow, () => clearTimeout(this.#timer)];
    queueMicrotask(follow); // once it is in its place
  }

  /** The name of links into this widget; empty where it has none. */
  get #address() {
    return this.root.parentElement?.id ?? "";
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {string} code @param {InputEvent} event */
  #typed(code, { inputType, data }) {
    if (code === this.#history.now.code) return; // it was put in here
    const isNew = inputType === "insertFromPaste" && data?.includes("\n"); // whole lines
    const isTyping = /^insert(Text|LineBreak|Composition)|^delete/.test(inputType);
    this.#history.change({ code, ...(isNew && { shape: [] }) }, isTyping ? "code" : "");
  }

  /** @param {string} text */
  #resized(text) {
    const entry = parseSetting(text);
    this.#history.change({ shape: entry === "" ? [] : [entry].flat() }, "picture");
  }

  /** @param {CodeFix} fix */
  #apply({ edits, imageShape }) {
    const code = applyEdits(this.#history.now.code, edits);
    this.#history.change({ code, ...(imageShape && { shape: imageShape }) });
    if (matchMedia("(pointer: coarse)").matches) this.#undo.focus(); // else a keyboard would cover the screen
  }

  async #ownLink() {
    const size = this.#reading?.imageShape.join("x");
    history.replaceState(history.state, "", `#${this.#address}:${size}.${await packed(this.#history.now.code)}`);
    return location.href;
  }

  async #followLink() {
    const [, name, size, sent] = /^#([^:]*):([\dx]*)\.(.*)$/.exec(location.hash) ?? [];
    const code = name === this.#address && sent ? await unpacked(sent) : null;
    if (code) this.#history.change({ code, shape: size.split("x").map(Number) });
  }

  // ------------------------------------------------------------------------ what is shown

  /** @param {string} code @param {Meaning | null} said @param {number[]} shape @returns {Reading} */
  #read(code, said, shape) {
    const read = (/** @type {number[]} */ imageShape) => readNetwork(code, { imageShape, network: this.#network });
    if (shape.length) return read(shape);
    const reading = readNetwork(code, { network: this.#network });
    if (!said?.needed || !reading.imageShape.length) return reading;
    const { quote } = said;
    if (this.#guess.quote !== quote) this.#guess = { quote, shape: shapeGiving(said, reading.imageShape, read) };
    const refusal = { what: OTHER_CODE, place: reading.inputPlace ?? START };
    if (!this.#guess.shape.length) return reading.problem || reading.unread.length ? reading : { ...reading, refusal };
    return { ...read(this.#guess.shape), imageSource: "as your message says" };
  }

  /** @param {boolean} [isOwn]  what is shown was changed here */
  show(isOwn = false) {
    const { code: text, shape } = /** @type {Pasted} */ (this.#history.now);
    if (isOwn) this.#editor.replace(text);
    const { code, message, lines } = splitMessage(text);
    const said = message ? meaningOf(message) ?? { quote: message.split("\n").at(-1) ?? "", meaning: UNKNOWN } : null;
    const isPossible = shape.every((size) => Number.isInteger(size) && size > 0);
    const reading = this.#read(code, said, isPossible ? shape : []);
    this.#reading = reading;
    this.#lines = editorLines(text, lines, reading);
    this.#editor.set(text);
    this.#editor.show(this.#lines);
    const size = reading.refusal ? "" : reading.imageShape.join("×");
    if (isPossible && document.activeElement !== this.#size) this.#size.value = size;
    setText(this.#source, isPossible ? reading.imageSource : "Write it as 1×28×28.");
    this.#undo.setAttribute("aria-disabled", String(this.#history.isEmpty));
    this.#copy.show();
    this.#link.show();
    this.#link.node.hidden = !this.#address;
    this.#showNetworks(reading);
    for (const { node, show } of [this.#diagram, this.#table]) {
      show(reading);
      node.hidden = reading.refusal !== null;
    }
    this.#explain(reading, said, null);
    clearTimeout(this.#timer);
    const explain = () => this.#explain(reading, said, explainReading(reading));
    this.#timer = window.setTimeout(explain, this.#history.field ? PAUSE : 0);
  }

  /** @param {Reading} reading @param {Meaning | null} said @param {CodeExplanation | null} explanation */
  #explain(reading, said, explanation) {
    this.#answer.replaceChildren(...answerTo(reading, said, explanation, (fix) => this.#apply(fix)));
    if (explanation || !reading.problem) this.#aloud.say(summaryOf(reading, said));
    const place = reading.refusal?.place ?? reading.problem?.shown;
    if (place && !this.#history.field) this.#editor.reveal(place.line - 1, false);
  }

  /** @param {Reading} reading */
  #showNetworks({ networks, network }) {
    const { box, node } = choice("network", networks, (index) => {
      this.#network = networks[index];
      this.show();
    });
    box.selectedIndex = networks.indexOf(network);
    this.#networks.replaceChildren(...(networks.length > 1 ? [node] : []));
  }
}

export default { render: mounting(Paste) };
