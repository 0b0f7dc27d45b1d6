// @ts-check
/** What a reader may open beside the stage: the code of the forward pass with the facts of a step, help, and the stage as wide as the window. */
import { button, element } from "../shared/elements.js";
import { countText, shapeText } from "../shared/text.js";

/** @param {string} line @param {number} number @param {CodePlace} [place] */
function codeLine(line, number, place) {
  const isLit = place && number >= place.line && number < place.line + place.num_lines;
  if (!isLit) return element("span", { class: "lenet-code-line" }, line || " ");
  const [from, to] = place.columns ?? [0, 0];
  const parts = place.columns ? [line.slice(0, from), element("mark", {}, line.slice(from, to)), line.slice(to)] : [line || " "];
  return element("span", { class: "lenet-code-line lenet-lit" }, ...parts);
}

/** The step's row of the shape table. @param {Step} step @returns {[term: string, value: string][]} */
function factsOf(step) {
  const size = (/** @type {number[]} */ pair) => [...new Set(pair)].join("×");
  const jump = step.jump ? `, moves by ${size(step.jump)}` : "";
  return [
    ["operation", step.operation],
    ["output shape", shapeText(["N", ...step.shape])],
    ["how", step.formula ?? ""],
    ["parameters", step.numParameters ? countText(step.numParameters) : ""],
    ["multiply-accumulates", step.numMacs ? countText(step.numMacs) : ""],
    ["receptive field", step.field ? `${size(step.field)} pixels wide${jump}` : ""],
    ["note", step.note ?? ""],
  ];
}

/** The code of the forward pass, the line of a step lit, and its row of the shape table. */
export class Drawer {
  #listings;
  #title = element("p", { class: "lenet-code-title lenet-mono" });
  #lines = element("pre", { class: "lenet-code lenet-mono", tabindex: 0, "aria-label": "Code of the forward pass" });
  #facts = element("dl", { class: "lenet-facts" });
  #shown = 0;
  /** The button that opens it. @type {HTMLElement | null} */
  opener = null;

  /** @param {Listing[]} listings */
  constructor(listings) {
    this.#listings = listings;
    const close = button("×", () => this.toggle(), { "aria-label": "Close the code" });
    const code = element("div", { class: "lenet-code-box", hidden: listings.length === 0 }, this.#title, this.#lines);
    this.node = element("aside", { class: "lenet-drawer", "aria-label": "Code and facts", hidden: true }, close, code, this.#facts);
  }

  get isOpen() { return !this.node.hidden; }

  toggle() {
    const hadFocus = this.node.contains(document.activeElement);
    this.node.hidden = this.isOpen;
    this.opener?.setAttribute("aria-expanded", String(this.isOpen));
    if (hadFocus) this.opener?.focus();
  }

  /** Where the stage is no screen of its own, the drawer stands open below it. @param {boolean} isBelow */
  dock(isBelow) {
    if (isBelow !== this.isOpen) this.toggle();
  }

  /** @param {Step} step */
  show(step) {
    const facts = factsOf(step).filter(([, value]) => value);
    this.#facts.replaceChildren(...facts.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))));
    this.#shown = step.place?.listing ?? this.#shown;
    const listing = this.#listings[this.#shown];
    if (!listing) return;
    this.#title.textContent = listing.title;
    this.#lines.replaceChildren(...listing.lines.map((line, number) => codeLine(line, number, step.place)));
    const lit = /** @type {HTMLElement | null} */ (this.#lines.querySelector(".lenet-lit"));
    if (lit) this.#lines.scrollTop = lit.offsetTop - this.#lines.offsetTop - this.#lines.clientHeight / 3;
  }
}

/** Help that stands beside what it is about, until it is dismissed. */
export class Help {
  #root; #tips; #layer;
  #opener = /** @type {Element | null} */ (null);

  /** @param {HTMLElement} root @param {[node: Element, x: number, y: number, text: string][]} tips  x and y: where, in shares of what it is about */
  constructor(root, tips) {
    this.#root = root;
    this.#tips = tips.map(([node, x, y, text]) => ({ node, x, y, note: element("p", { class: "lenet-tip" }, text) }));
    const close = button("Got it", () => this.toggle());
    this.#layer = element("div", { class: "lenet-help", role: "dialog", "aria-label": "Help", hidden: true }, ...this.#tips.map(({ note }) => note), close);
    this.#layer.addEventListener("click", (event) => event.target === this.#layer && this.toggle());
    root.append(this.#layer);
  }

  get isOpen() { return !this.#layer.hidden; }

  toggle() {
    this.#layer.hidden = this.isOpen;
    if (!this.isOpen) return /** @type {HTMLElement | null} */ (this.#opener)?.focus();
    this.#opener = document.activeElement;
    const place = this.#root.getBoundingClientRect();
    const within = (/** @type {number} */ wanted, /** @type {number} */ room) => `${Math.max(4, Math.min(wanted, room - 4))}px`;
    for (const { node, x, y, note } of this.#tips) {
      const box = node.getBoundingClientRect();
      note.style.left = within(box.left - place.left + x * box.width, place.width - note.offsetWidth);
      note.style.top = within(box.top - place.top + y * box.height, place.height - note.offsetHeight);
    }
    this.#layer.querySelector("button")?.focus();
  }
}

/** Show a stage as wide as the window, until the reader closes it. @param {HTMLElement} root @param {() => void} closed */
export function showWide(root, closed) {
  const place = document.createComment("");
  const close = button("Close", () => dialog.close(), { class: "lenet-button lenet-close" });
  const dialog = element("dialog", { class: "lenet-dialog", "aria-label": "Wide stage" }, close);
  root.replaceWith(place);
  dialog.append(root);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    place.replaceWith(root);
    dialog.remove();
    closed();
    /** @type {HTMLElement | null} */ (root.querySelector(".lenet-widen"))?.focus();
  });
  dialog.showModal();
}
