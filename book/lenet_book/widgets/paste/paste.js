// @ts-check
/** PastedNetwork: code that is read as it is typed, with its shapes, what does not fit, and what mends it. */
import { parseSetting } from "../calculator/editing.js";
import { copy } from "../calculator/parts.js";
import { setValue, watchValue } from "../shared/arrays.js";
import { OWN_KEYS, announcer, button, element, setText } from "../shared/elements.js";
import { choice, textField } from "../shared/fields.js";
import { answerTo, rowTable, summaryOf } from "./answer.js";
import { diagram } from "./diagram.js";
import { Editor } from "./editor.js";
import { codeWithNotes, editorLines } from "./lines.js";
import { packed, unpacked } from "./link.js";
import { meaningOf, shapeGiving, splitMessage } from "./messages.js";
import { readNetwork } from "./reader.js";
import { applyEdits, explainReading } from "./repairs.js";

const MAX_UNDO = 100;
const PAUSE = 200; // milliseconds without a key, before changes are tried
const COPY_CODE = "Copy with shapes";
const LINK = "Link";
const UNKNOWN = "This message is none of those that the page knows.";

class Paste {
  #model; #address;
  /** @type {Pasted[]} */
  #past = [];
  /** @type {Reading | null} */
  #reading = null;
  #isSaving = false;
  #isTyping = false;
  /** Was what is being put in copied with its line ends? */
  #isPasted = false;
  #network = "";
  #timer = 0;
  /** The message that was pasted, and the shape of an image with which the code gives it. */
  #guess = { quote: "", shape: /** @type {number[]} */ ([]) };
  #aloud = announcer();
  #editor = new Editor({
    "aria-label": "Python code, a message of PyTorch's, or both",
    placeholder: "Paste a network here, a message of PyTorch's, or both.",
    onpaste: (/** @type {ClipboardEvent} */ { clipboardData }) =>
      (this.#isPasted = Boolean(clipboardData?.getData("text").includes("\n"))),
  }, (text, event) => this.#typed(text, event.inputType));
  #size = textField({ size: 9, "aria-label": "shape of one image: channels × height × width" }, (text) =>
    this.#resized(text));
  #source = element("span", { class: "lenet-muted" });
  #undo = button("Undo", () => this.#takeBack());
  #copy = button(COPY_CODE, () => this.#copied(codeWithNotes(this.#lines), this.#copy));
  #link = button(LINK, () => this.#copyLink());
  #networks = element("span");
  /** What is being copied. */
  #clip = element("pre", { class: "lenet-aloud", "aria-hidden": "true" });
  #answer = element("div", { class: "lenet-answers" });
  #diagram = diagram((line) => this.#editor.reveal(line - 1, true));
  #table = rowTable();
  /** @type {EditorLine[]} */
  #lines = [];

  /** @type {(() => void)[]} */
  stops = [];

  /** @param {Model} model @param {string} address  the name of links into this widget; "" for none */
  constructor(model, address) {
    this.#model = model;
    this.#address = address;
    const clear = button("Clear", () => this.#change({ code: "", shape: [] }));
    const commands = [this.#undo, clear, this.#copy, ...(address ? [this.#link] : [])];
    const strip = element("div", { class: "lenet-strip" },
      element("label", { class: "lenet-choice" }, "picture", this.#size), this.#source, this.#networks,
      element("span", { class: "lenet-commands" }, ...commands));
    const card = element("div", { class: "lenet-card" }, strip, this.#editor.node);
    const below = [this.#answer, this.#diagram.node, this.#table.node];
    const board = element("div", { class: "lenet-board" }, card, ...below);
    const onfocusout = () => (this.#isTyping = false);
    const attributes = { class: "lenet-widget lenet-paste", ...OWN_KEYS, onfocusout };
    this.root = element("div", attributes, board, this.#clip, this.#aloud.node);
  }

  start() {
    const follow = () => this.#followLink();
    addEventListener("hashchange", follow);
    this.stops = [...["code", "input_shape"].map((name) => watchValue(this.#model, name, () => this.show())),
      () => removeEventListener("hashchange", follow), () => clearTimeout(this.#timer)];
    this.show();
    follow();
  }

  /** @returns {Pasted} */
  get #now() {
    return { code: this.#model.get("code"), shape: this.#model.get("input_shape") };
  }

  // ------------------------------------------------------------------------ what the reader does

  /** @param {Pasted} after @param {boolean} [isTyping]  one edit, until something else is done */
  #change(after, isTyping = false) {
    if (!isTyping || !this.#isTyping) this.#past = [...this.#past.slice(-MAX_UNDO), this.#now];
    this.#isTyping = isTyping;
    this.#save(after);
  }

  /** @param {Pasted} after */
  #save({ code, shape }) {
    this.#isSaving = true;
    setValue(this.#model, "code", code);
    setValue(this.#model, "input_shape", shape);
    this.#isSaving = false;
    this.#editor.replace(code);
    this.show();
  }

  #takeBack() {
    const before = this.#past.pop();
    this.#isTyping = false;
    if (before) this.#save(before);
  }

  /** @param {string} code @param {string} how */
  #typed(code, how) {
    if (code === this.#now.code) return; // it was put in here
    const isNew = how === "insertFromPaste" && this.#isPasted;
    const isTyping = /^insert(Text|LineBreak|Composition)|^delete/.test(how);
    this.#change({ code, shape: isNew ? [] : this.#now.shape }, isTyping);
  }

  /** @param {string} text */
  #resized(text) {
    const entry = parseSetting(text);
    this.#change({ ...this.#now, shape: entry === "" ? [] : /** @type {number[]} */ ([entry].flat()) }, true);
  }

  /** @param {CodeFix} fix */
  #apply({ edits, imageShape }) {
    const { code, shape } = this.#now;
    this.#change({ code: applyEdits(code, edits), shape: imageShape ?? shape });
    if (matchMedia("(pointer: coarse)").matches) this.#undo.focus(); // else a keyboard would cover the screen
  }

  /** @param {string} text @param {HTMLButtonElement} control */
  async #copied(text, control) {
    setText(this.#clip, text);
    await copy(this.#clip);
    setText(this.#clip, "");
    setText(control, "Copied");
    this.#aloud.say("Copied.");
  }

  async #copyLink() {
    const size = this.#reading?.imageShape.join("x");
    history.replaceState(history.state, "", `#${this.#address}:${size}.${await packed(this.#now.code)}`);
    await this.#copied(location.href, this.#link);
  }

  async #followLink() {
    const [, name, size, sent] = /^#([^:]*):([\dx]*)\.(.*)$/.exec(location.hash) ?? [];
    const code = name === this.#address && sent ? await unpacked(sent) : null;
    if (code) this.#change({ code, shape: size.split("x").map(Number) });
  }

  // ------------------------------------------------------------------------ what is shown

  /** @param {string} code @param {Meaning | null} said @param {number[]} shape @returns {Reading} */
  #read(code, said, shape) {
    const read = (/** @type {number[]} */ imageShape) => readNetwork(code, { imageShape, network: this.#network });
    if (shape.length) return read(shape);
    const reading = readNetwork(code, { network: this.#network });
    if (!said?.needed || reading.refusal) return reading;
    const { quote } = said;
    if (this.#guess.quote !== quote) this.#guess = { quote, shape: shapeGiving(said, reading.imageShape, read) };
    if (!this.#guess.shape.length) return reading;
    return { ...read(this.#guess.shape), imageSource: "as your message says" };
  }

  show() {
    if (this.#isSaving) return;
    const { code: text, shape } = this.#now;
    const { code, message, lines } = splitMessage(text);
    const said = message ? meaningOf(message) ?? { quote: message.split("\n").at(-1) ?? "", meaning: UNKNOWN } : null;
    const isPossible = shape.every((size) => Number.isInteger(size) && size > 0);
    const reading = this.#read(code, said, isPossible ? shape : []);
    this.#reading = reading;
    this.#lines = editorLines(text, lines, reading);
    this.#editor.set(text);
    this.#editor.show(this.#lines);
    if (isPossible && document.activeElement !== this.#size) this.#size.value = reading.imageShape.join("×");
    setText(this.#source, isPossible ? reading.imageSource : "Write it as 1×28×28.");
    this.#undo.setAttribute("aria-disabled", String(!this.#past.length));
    setText(this.#copy, COPY_CODE);
    setText(this.#link, LINK);
    this.#showNetworks(reading);
    for (const { node, show } of [this.#diagram, this.#table]) {
      show(reading);
      node.hidden = reading.refusal !== null;
    }
    this.#explain(reading, said, null);
    clearTimeout(this.#timer);
    const explain = () => this.#explain(reading, said, explainReading(reading));
    this.#timer = window.setTimeout(explain, this.#isTyping ? PAUSE : 0);
  }

  /** @param {Reading} reading @param {Meaning | null} said @param {CodeExplanation | null} explanation */
  #explain(reading, said, explanation) {
    this.#answer.replaceChildren(...answerTo(reading, said, explanation, (fix) => this.#apply(fix)));
    if (explanation || !reading.problem) this.#aloud.say(summaryOf(reading, said));
    const place = reading.refusal?.place ?? reading.problem?.shown;
    if (place && !this.#isTyping) this.#editor.reveal(place.line - 1, false);
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

/** @param {{ model: Model, el: HTMLElement }} context */
export function render({ model, el }) {
  const paste = new Paste(model, el.id);
  el.append(paste.root);
  paste.start();
  return () => paste.stops.forEach((stop) => stop());
}

export default { render };
