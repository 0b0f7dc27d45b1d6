// @ts-check
/** The calculator's table: a row for each layer, its editor, and what does not fit in place. */
import { button, element, setText } from "../shared/elements.js";
import { giveUpByEscape, stepByArrows } from "../shared/fields.js";
import { countText, shapeText } from "../shared/text.js";
import { parseSetting, typedText } from "./code.js";
import { fixCode, fixText, fixesHeading } from "./fixes.js";
import { KINDS, layerCode, settingsOf } from "./kinds.js";
import { namedShape } from "./rows.js";

/** @typedef {import("./calculator.js").Findings} Findings */
/** @typedef {import("./calculator.js").Stack} Stack */
/** @typedef {import("./fixes.js").Explanation} Explanation */
/** @typedef {import("./fixes.js").Fix} Fix */
/** @typedef {import("./kinds.js").Layer} Layer */
/** @typedef {import("./kinds.js").Setting} Setting */
/** @typedef {import("./rows.js").Row} Row */

/**
 * What the reader does to the layer at an index: open or close its editor, set, move, remove; and to all.
 *
 * @typedef {{ toggle(index: number): void, set(index: number, name: string, value: Setting): void,
 *   move(index: number, by: number): void, remove(index: number): void, apply(fix: Fix): void }} Actions
 */

const HEADINGS = ["layer", "output shape", "parameters", "MACs", "receptive field", "jump"];

export class ShapeTable {
  #actions;
  #input = element("p", { class: "lenet-incoming lenet-mono" });
  #body = element("tbody", { role: "rowgroup" });
  /** The row in which the settings of a layer are typed; it stays where it is as long as they are. */
  #editor = element("tr");
  #isTyping = false;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = { ...actions, set: (/** @type {Parameters<Actions["set"]>} */ ...typed) => {
      this.#isTyping = true;
      actions.set(...typed);
      this.#isTyping = false;
    } };
    const heading = HEADINGS.map((name) => element("th", { scope: "col", role: "columnheader" }, name));
    this.node = element("div", { class: "lenet-layers" }, this.#input,
      element("table", { role: "table", "aria-label": "layers and their shapes" },
        element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heading)), this.#body));
  }

  /** @param {Stack} stack @param {Findings} findings @param {number} open  the index of the edited layer */
  show({ layers, imageShape }, findings, open) {
    const layer = layers[open];
    if (layer && !this.#isTyping) this.#editor = wideRow("lenet-editor", editor(layer, open, layers.length, this.#actions));
    for (const input of this.#editor.querySelectorAll("input[placeholder]")) {
      input.setAttribute("placeholder", typedText(layer?.settings.kernel_size ?? null));
    }
    const output = findings.rows.at(-1)?.outputShape;
    const end = findings.wrong < 0 ? output && shapeText(output) : `as far as ${layers[findings.wrong].name}`;
    setText(this.#input, `input ${shapeText(namedShape([0, .../** @type {number[]} */ (imageShape)]))}${end ? ` → ${end}` : ""}`);
    this.#put(layers.flatMap((layer, index) => {
      const parts = [layerRow(layer, index, findings, open === index, this.#actions)];
      if (open === index) parts.push(this.#editor);
      if (findings.wrong === index) parts.push(wideRow("lenet-explanation", ...complaint(findings, this.#actions)));
      return parts;
    }));
  }

  /** Put rows into the table; the editor stays where it is, because it would lose the focus on its way. @param {HTMLElement[]} rows */
  #put(rows) {
    const at = this.#editor.parentElement ? rows.indexOf(this.#editor) : -1;
    if (at < 0) return this.#body.replaceChildren(...rows);
    for (const row of [...this.#body.children]) if (row !== this.#editor) row.remove();
    this.#editor.before(...rows.slice(0, at));
    this.#editor.after(...rows.slice(at + 1));
  }
}

/** @param {Layer} layer @param {number} index @param {Findings} findings @param {boolean} isOpen @param {Actions} actions */
function layerRow(layer, index, { rows, wrong, refusal }, isOpen, actions) {
  const row = rows[index];
  const name = button(layer.name, () => actions.toggle(index), {
    class: "lenet-name", "aria-expanded": String(isOpen), "data-key": `name ${index}`,
    "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Delete",
    onkeydown: (/** @type {KeyboardEvent} */ event) => layerKey(event, index, actions),
  });
  const code = row?.operation ?? layerCode(layer.type, settingsOf(layer));
  const head = element("th", { scope: "row", role: "rowheader" }, name, element("code", {}, code));
  for (const line of [row?.formula, row?.note]) if (line) head.append(element("span", { class: "lenet-formula" }, line));
  const instead = refusal ? "cannot be made" : "does not fit";
  const cells = row ? numberCells(row) : [index === wrong ? instead : "not reached"];
  const state = index === wrong ? "lenet-wrong" : row ? "" : "lenet-unreached";
  const made = cells.map((text, at) => cell(text, at));
  if (!row) made[0].setAttribute("colspan", String(HEADINGS.length - 1));
  return element("tr", { role: "row", class: state }, head, ...made);
}

/** @param {KeyboardEvent} event @param {number} index @param {Actions} actions */
function layerKey(event, index, actions) {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (event.altKey && by) actions.move(index, by);
  else if (event.key === "Delete") actions.remove(index);
  else return;
  event.preventDefault();
}

/** @param {Row} row */
function numberCells(row) {
  return [
    shapeText(row.outputShape), counted(row.numParameters), counted(row.numMacs), sizeText(row.receptiveField),
    sizeText(row.jump),
  ];
}

/** @param {string} text @param {number} at */
function cell(text, at) {
  const attributes = { role: "cell", "data-heading": text ? HEADINGS[at + 1] : "", class: at ? "lenet-number" : "lenet-shape" };
  return element("td", attributes, text);
}

/** @param {number} count */
function counted(count) {
  return count ? countText(count) : "";
}

/** @param {number[] | null} size */
function sizeText(size) {
  if (!size) return "";
  return size[0] === size[1] ? String(size[0]) : size.join("×");
}

/** @param {string} className @param {...Node} children */
function wideRow(className, ...children) {
  const content = element("td", { colspan: HEADINGS.length, role: "cell" }, ...children);
  return element("tr", { role: "row", class: className }, content);
}

// ---------------------------------------------------------------------------- editing

/** @param {Layer} layer @param {number} index @param {number} numLayers @param {Actions} actions */
function editor(layer, index, numLayers, actions) {
  const fields = Object.keys(KINDS[layer.type].settings).map((name) => field(layer, index, name, actions));
  const command = (/** @type {string} */ text, /** @type {() => void} */ onclick, disabled = false) =>
    button(text, onclick, { disabled, "aria-label": `${text} ${layer.name}`, "data-key": `${text} ${index}` });
  return element("div", { class: "lenet-strip" }, ...fields, element("span", { class: "lenet-strip" },
    command("Move up", () => actions.move(index, -1), index === 0),
    command("Move down", () => actions.move(index, 1), index === numLayers - 1),
    command("Delete", () => actions.remove(index))));
}

/** @param {Layer} layer @param {number} index @param {string} name @param {Actions} actions */
function field(layer, index, name, actions) {
  const { type, default: otherwise } = KINDS[layer.type].settings[name];
  const value = layer.settings[name] ?? otherwise;
  const key = `${name} ${index}`;
  if (type === "bool") {
    const box = element("input", {
      type: "checkbox", checked: value, "data-key": key, onchange: () => actions.set(index, name, box.checked),
    });
    return element("label", { class: "lenet-check" }, box, name);
  }
  const placeholder = name === "stride" ? typedText(layer.settings.kernel_size) : null;
  const input = element("input", {
    type: "text", size: name.includes("features") ? 5 : 4, value: typedText(value), "data-key": key, autocomplete: "off",
    placeholder, inputmode: type === "float" ? "decimal" : null,
  });
  const enter = () => {
    const entry = parseSetting(input.value);
    actions.set(index, name, entry === "" && placeholder !== null ? null : entry);
  };
  input.addEventListener("input", enter);
  giveUpByEscape(input);
  stepByArrows(input, (change) => {
    const smallest = type === "float" || name.endsWith("padding") ? 0 : 1;
    input.value = stepped(input.value || placeholder || "", smallest, type === "float" ? change / 10 : change);
    enter();
  });
  return element("label", { class: "lenet-field" }, element("span", { class: "lenet-mono" }, name), input);
}

/** The next possible value of a setting. @param {string} text @param {number} smallest @param {number} change */
function stepped(text, smallest, change) {
  const entry = parseSetting(text);
  const next = (/** @type {unknown} */ value) => Math.max(smallest, Number(((Number(value) || 0) + change).toFixed(1)));
  return typedText(Array.isArray(entry) ? entry.map(next) : next(entry));
}

// ---------------------------------------------------------------------------- what does not fit

/** @param {Findings} findings @param {Actions} actions */
function complaint({ explanation, refusal }, actions) {
  if (!explanation) return [element("p", { class: "lenet-what" }, `${refusal}.`)];
  const { what, why, fixes, error } = explanation;
  /** @type {HTMLElement[]} */
  const parts = [element("p", { class: "lenet-what" }, `${what}.`)];
  if (why) parts.push(element("p", {}, `Why: ${why}.`));
  parts.push(element("p", {}, fixesHeading(fixes)));
  if (fixes.length) parts.push(element("ul", {}, ...fixes.map((fix, index) => fixItem(fix, index, actions))));
  if (error) parts.push(element("p", { class: "lenet-muted" }, "PyTorch says: ", element("code", {}, error)));
  return parts;
}

/** @param {Fix} fix @param {number} index @param {Actions} actions */
function fixItem(fix, index, actions) {
  const flat = fix.changes.some((change) => change.imageShape && change.imageShape.length !== 3);
  const text = element("span", {}, fixText(fix));
  const item = element("li", {}, text);
  if (!flat) item.prepend(button("Apply", () => actions.apply(fix), { "data-key": `fix ${index}`, "aria-label": `Apply: ${fixText(fix)}` }));
  const isAboutImages = fix.changes.some((change) => change.imageShape);
  if (fixCode(fix) && !isAboutImages) item.append(element("code", {}, fixCode(fix)));
  return item;
}
