// @ts-check
/** ShapeCalculator: a stack of layers to build, with the table of lenet.shapes beside it. */
import { OWN_KEYS, announcer, button, element } from "../shared/elements.js";
import { mounting } from "../shared/mounting.js";
import { sumOf } from "../shared/numbers.js";
import { countText, shapeText } from "../shared/text.js";
import { applyChanges } from "./changes.js";
import { checkInput, firstProblem, freshLayer } from "./editing.js";
import { explain } from "./fixes.js";
import { History } from "./history.js";
import { KINDS } from "./kinds.js";
import { numParameters, runStack } from "./layers.js";
import { codeBox, inputFields, presetChoice } from "./parts.js";
import { lastShape, namedShape, networkCode, tabulate } from "./rows.js";
import { shapeTable } from "./table.js";

const CONVENTION =
  "Multiply-accumulates (MACs) are counted for one image, in convolutions and linear layers: one " +
  "for each weight used for each output. All else counts none.";

/** Run a stack on shapes, as far as its settings allow. @param {Stack} stack @returns {Findings} */
export function analyse({ layers, imageShape }) {
  const unfit = checkInput(imageShape);
  const impossible = unfit ? { index: 0, refusal: unfit } : firstProblem(layers);
  const possible = impossible ? layers.slice(0, impossible.index) : layers;
  const sizes = unfit ? [1, 1, 1] : /** @type {number[]} */ (imageShape);
  const pass = runStack(possible, sizes);
  const explanation = explain(possible, sizes, pass);
  const wrong = explanation?.index ?? (impossible && !unfit ? impossible.index : -1);
  return { sizes, pass, rows: tabulate(pass.steps), explanation, refusal: (!explanation && impossible?.refusal) || "", wrong };
}

/** @implements {Actions} */
class Calculator {
  #history;
  /** The index of the layer that is being edited. */
  #open = -1;
  #aloud = announcer();
  #presets;
  #input = inputFields((axis, entry) => this.#history.change({ imageShape: this.#history.now.imageShape.with(axis, entry) }, `input ${axis}`));
  #undo = button("Undo", () => this.#takeBack());
  #problem = element("p", { class: "lenet-explanation" });
  #totals = element("p", { class: "lenet-totals" });
  #code = codeBox(() => this.#aloud.say("The code is copied."));
  #table = shapeTable(this);
  /** Of the stack that is shown. */
  #findings = analyse({ layers: [], imageShape: [1, 1, 1] });

  /** @param {Model} model */
  constructor(model) {
    this.#history = new History(model, { layers: "layers", imageShape: "input_shape" }, () => this.show());
    this.stops = this.#history.stops;
    this.#presets = presetChoice(model.get("meta").presets, (preset) => {
      this.#open = -1;
      this.#history.change({ layers: preset.layers, imageShape: preset.input_shape });
    });
    const onkeydown = (/** @type {KeyboardEvent} */ { key }) => key === "Escape" && this.#open >= 0 && this.#closeEditor();
    const onfocusout = () => (this.#history.field = "");
    const adding = Object.keys(KINDS).filter((type) => KINDS[type].stem).map((type) => button(type, () => this.#add(type)));
    this.root = element("div", { class: "lenet-widget lenet-calculator", ...OWN_KEYS, onkeydown, onfocusout },
      element("div", { class: "lenet-board" },
        element("div", {},
          element("div", { class: "lenet-strip" }, this.#presets.node, this.#input.node, this.#undo), this.#problem, this.#table.node,
          element("div", { class: "lenet-strip lenet-adding", role: "group", "aria-label": "add a layer" }, element("span", {}, "Add"), ...adding),
          this.#totals, element("p", { class: "lenet-muted lenet-convention" }, CONVENTION)),
        this.#code.node), this.#aloud.node);
  }

  #closeEditor() {
    this.#focus(`name ${this.#open}`);
    this.toggle(this.#open);
  }

  #takeBack() {
    this.#open = -1;
    this.#history.takeBack();
  }

  /** @param {string} type */
  #add(type) {
    const { layers } = this.#history.now;
    const { sizes, pass } = this.#findings;
    const at = this.#open < 0 ? layers.length : this.#open + 1;
    const shape = lastShape(sizes, pass.steps.slice(0, at)); // or the last one known
    this.#open = at;
    this.#history.change({ layers: layers.toSpliced(at, 0, freshLayer(type, layers, shape)) });
    this.#focus(`name ${at}`);
  }

  /** @param {number} index @param {string} name @param {Setting} value */
  set(index, name, value) {
    const { layers } = this.#history.now;
    const layer = { ...layers[index], settings: { ...layers[index].settings, [name]: value } };
    this.#history.change({ layers: layers.with(index, layer) }, `${name} ${index}`);
  }

  /** @param {number} index @param {number} by */
  move(index, by) {
    const { layers } = this.#history.now;
    const to = index + by;
    if (to < 0 || to >= layers.length) return;
    if (this.#open === index) this.#open = to;
    this.#history.change({ layers: layers.toSpliced(index, 1).toSpliced(to, 0, layers[index]) });
    this.#focus(`name ${to}`);
  }

  /** @param {number} index */
  remove(index) {
    this.#open = -1;
    this.#history.change({ layers: this.#history.now.layers.toSpliced(index, 1) });
    this.#focus(`name ${Math.min(index, this.#history.now.layers.length - 1)}`);
  }

  /** @param {number} index */
  toggle(index) {
    this.#open = this.#open === index ? -1 : index;
    this.show();
  }

  /** @param {Fix} fix */
  apply({ changes }) {
    const { wrong } = this.#findings;
    this.#history.change(applyChanges(this.#history.now, changes));
    this.#focus(`name ${wrong}`);
  }

  /** Give the focus to what has this key or, where it is gone, to the first button that adds a layer: it stands behind all. @param {string} key */
  #focus(key) {
    /** @type {HTMLElement} */ (this.root.querySelector(`[data-key="${key}"], .lenet-adding button`)).focus();
  }

  /** Show the present stack. */
  show() {
    const stack = this.#history.now;
    const findings = this.#findings = analyse(stack);
    const { sizes, pass, refusal, wrong } = findings;
    this.#presets.show(stack);
    this.#input.show(stack.imageShape);
    this.#undo.setAttribute("aria-disabled", String(this.#history.isEmpty));
    this.#problem.textContent = wrong < 0 && refusal ? `${refusal}.` : "";
    const key = this.root.contains(document.activeElement) && document.activeElement?.getAttribute("data-key");
    this.#table.show(stack, findings, this.#open, this.#history.field !== "");
    if (key && !this.root.contains(document.activeElement)) this.#focus(key);
    this.#totals.textContent = totalsText(stack.layers, findings);
    this.#code.show(refusal || firstProblem(stack.layers) ? null : networkCode(stack.layers, sizes, pass));
    this.#aloud.say(summary(stack, findings));
  }
}

/** Parameters and multiply-accumulates of a whole stack, as lenet.shapes says them. @param {Layer[]} layers @param {Pick<Findings, "rows">} findings */
export function totalsText(layers, { rows }) {
  const possible = firstProblem(layers) ? layers.slice(0, rows.length) : layers;
  const all = sumOf(possible.map(numParameters));
  const unused = all - sumOf(rows.map((row) => row.numParameters));
  const macs = sumOf(rows.map((row) => row.numMacs));
  const additions = sumOf(rows.map((row) => row.numBiasAdditions));
  const unreached = unused ? `${countText(unused)} of the parameters below were not reached. ` : "";
  return `${unreached}${countText(all)} parameters. ${countText(macs)} multiply-accumulates without bias, ` +
    `${countText(macs + additions)} with one addition per output for the bias.`;
}

/** What the table shows, in one sentence to be read aloud. @param {Stack} stack @param {Findings} findings */
function summary({ layers }, { sizes, pass, explanation, refusal }) {
  if (refusal) return `${refusal}.`;
  if (explanation) return `${explanation.what}.`;
  const output = shapeText(namedShape(lastShape(sizes, pass.steps)));
  return `${layers.length} layers fit. The output is ${output}, with ${countText(sumOf(layers.map(numParameters)))} parameters.`;
}

export default { render: mounting(Calculator) };
