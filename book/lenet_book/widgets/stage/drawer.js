// @ts-check
/** A drawer: the code of the forward pass, the line of a step lit, and its row of the shape table. */
import { button, element } from "../shared/elements.js";
import { countText, shapeText } from "../shared/text.js";

/** @typedef {import("./state.js").Step} Step */
/** @typedef {import("./state.js").Listing} Listing */

class Code {
  #listings;
  #title = element("p", { class: "lenet-code-title lenet-mono" });
  #lines = element("pre", { class: "lenet-code lenet-mono", tabindex: 0, "aria-label": "Code of the forward pass" });
  #shown = -1;

  /** @param {Listing[]} listings */
  constructor(listings) {
    this.#listings = listings;
    this.node = element("div", { class: "lenet-code-box" }, this.#title, this.#lines);
    this.node.hidden = listings.length === 0;
  }

  /** @param {Step} step */
  show(step) {
    const { place } = step;
    const index = place ? place.listing : Math.max(this.#shown, 0);
    const listing = this.#listings[index];
    if (!listing) return;
    this.#shown = index;
    this.#title.textContent = listing.title;
    this.#lines.replaceChildren(...listing.lines.map((line, number) => codeLine(line, number, place)));
    const lit = /** @type {HTMLElement | null} */ (this.#lines.querySelector(".lenet-lit"));
    if (lit) this.#lines.scrollTop = lit.offsetTop - this.#lines.offsetTop - this.#lines.clientHeight / 3;
  }
}

/** @param {string} line @param {number} number @param {Step["place"]} place */
function codeLine(line, number, place) {
  const isLit = place && number >= place.line && number < place.line + place.num_lines;
  const attributes = { class: isLit ? "lenet-code-line lenet-lit" : "lenet-code-line" };
  if (!isLit || !place.columns) return element("span", attributes, line || " ");
  const [from, to] = place.columns;
  const lit = element("mark", {}, line.slice(from, to));
  return element("span", attributes, line.slice(0, from), lit, line.slice(to));
}

/** The step's row of the shape table, as terms and their values. */
class Facts {
  constructor() {
    this.node = element("dl", { class: "lenet-facts" });
  }

  /** @param {Step} step */
  show(step) {
    const rows = factsOf(step).filter(([, value]) => value);
    this.node.replaceChildren(...rows.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))));
  }
}

/** @param {Step} step @returns {[term: string, value: string][]} */
function factsOf(step) {
  const size = (/** @type {number[] | null | undefined} */ pair) =>
    pair ? (new Set(pair).size === 1 ? String(pair[0]) : pair.join("×")) : "";
  const jump = size(step.jump);
  return [
    ["operation", step.operation],
    ["output shape", shapeText(["N", ...step.shape])],
    ["how", step.formula ?? ""],
    ["parameters", step.numParameters ? countText(step.numParameters) : ""],
    ["multiply-accumulates", step.numMacs ? countText(step.numMacs) : ""],
    ["receptive field", step.field ? `${size(step.field)} pixels wide${jump ? `, moves by ${jump}` : ""}` : ""],
    ["note", step.note ?? ""],
  ];
}

export class Drawer {
  #code; #facts = new Facts();
  /** The button that opens it. @type {HTMLElement | null} */
  opener = null;

  /** @param {Listing[]} listings */
  constructor(listings) {
    this.#code = new Code(listings);
    const close = button("×", () => this.toggle(), { "aria-label": "Close the code" });
    this.node = element("aside", { class: "lenet-drawer", "aria-label": "Code and facts", hidden: true }, close, this.#code.node, this.#facts.node);
  }

  get isOpen() {
    return !this.node.hidden;
  }

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

  /** @param {import("./state.js").Step} step */
  show(step) {
    this.#code.show(step);
    this.#facts.show(step);
  }
}
