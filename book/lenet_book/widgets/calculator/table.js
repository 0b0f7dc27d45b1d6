// @ts-check
/** The calculator's table: a row for each layer, its editor, and what does not fit in place. */
import { button, element, setText } from "../shared/elements.js";
import { checkbox, textField } from "../shared/fields.js";
import { countText, shapeText } from "../shared/text.js";
import { fixItem, paragraph, reasons } from "./complaint.js";
import { parseSetting, stepped, typedText } from "./editing.js";
import { fixText, fixesHeading } from "./fixes.js";
import { KINDS, layerCode } from "./kinds.js";

export const HEADINGS = ["layer", "output shape", "parameters", "MACs", "receptive field", "jump"];

/** @param {Actions} actions */
export function shapeTable(actions) {
  const input = element("p", { class: "lenet-incoming lenet-mono" });
  const body = element("tbody", { role: "rowgroup" });
  /** The row in which the settings of a layer are typed; it stays where it is as long as they are: on its way it would lose the focus. */
  let editor = element("tr");
  const headings = HEADINGS.map((name) => element("th", { scope: "col", role: "columnheader" }, name));
  const node = element("div", { class: "lenet-layers" }, input,
    element("table", { role: "table", "aria-label": "layers and their shapes" },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...headings)), body));

  /** @param {Stack} stack @param {Findings} findings @param {number} open  the index of the edited layer @param {boolean} isTyping */
  const show = ({ layers, imageShape }, findings, open, isTyping) => {
    const layer = layers[open];
    if (layer && !isTyping) editor = wideRow("lenet-editor", editorOf(layer, open, layers.length, actions));
    for (const field of editor.querySelectorAll("input[placeholder]")) field.setAttribute("placeholder", typedText(layer?.settings.kernel_size ?? null));
    const output = findings.rows.at(-1)?.outputShape;
    const end = findings.wrong < 0 ? output && shapeText(output) : `as far as ${layers[findings.wrong].name}`;
    setText(input, `input ${shapeText(["N", ...imageShape.map(String)])}${end ? ` → ${end}` : ""}`);
    const rows = layers.flatMap((layer, index) => [
      layerRow(layer, index, findings, open === index, actions),
      ...(open === index ? [editor] : []),
      ...(findings.wrong === index ? [wideRow("lenet-explanation", ...complaint(findings, actions))] : []),
    ]);
    const at = editor.parentElement ? rows.indexOf(editor) : -1;
    if (at < 0) return body.replaceChildren(...rows);
    for (const row of [...body.children]) if (row !== editor) row.remove();
    editor.before(...rows.slice(0, at));
    editor.after(...rows.slice(at + 1));
  };
  return { node, show };
}

/** @param {Layer} layer @param {number} index @param {Findings} findings @param {boolean} isOpen @param {Actions} actions */
function layerRow(layer, index, { rows, wrong, refusal }, isOpen, actions) {
  const row = rows[index];
  const name = button(layer.name, () => actions.toggle(index), {
    class: "lenet-name", "aria-expanded": String(isOpen), "data-key": `name ${index}`,
    "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Delete",
    onkeydown: (/** @type {KeyboardEvent} */ event) => layerKey(event, index, actions),
  });
  const code = row?.operation ?? layerCode(layer);
  const head = element("th", { scope: "row", role: "rowheader" }, name, element("code", {}, code));
  for (const line of [row?.formula, row?.note]) if (line) head.append(element("span", { class: "lenet-formula" }, line));
  const instead = index !== wrong ? "not reached" : refusal ? "cannot be made" : "does not fit";
  const cells = row ? numberCells(row) : [cell(instead, 0, { colspan: HEADINGS.length - 1 })];
  const state = index === wrong ? "lenet-wrong" : row ? "" : "lenet-unreached";
  return element("tr", { role: "row", class: state }, head, ...cells);
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
export function numberCells({ outputShape, numParameters, numMacs, receptiveField, jump }) {
  const counts = [numParameters, numMacs].map((count) => (count ? countText(count) : ""));
  return [shapeText(outputShape), ...counts, sizeText(receptiveField), sizeText(jump)].map((text, at) => cell(text, at));
}

/** @param {string} text @param {number} at @param {Record<string, any>} [attributes] */
function cell(text, at, attributes) {
  const look = { "data-heading": text ? HEADINGS[at + 1] : "", class: at ? "lenet-number" : "lenet-shape" };
  return element("td", { role: "cell", ...look, ...attributes }, text);
}

/** @param {number[] | null} size */
function sizeText(size) {
  return [...new Set(size)].join("×");
}

/** @param {string} className @param {...Node} children */
function wideRow(className, ...children) {
  const content = element("td", { colspan: HEADINGS.length, role: "cell" }, ...children);
  return element("tr", { role: "row", class: className }, content);
}

/** @param {Layer} layer @param {number} index @param {number} numLayers @param {Actions} actions */
function editorOf(layer, index, numLayers, actions) {
  const shown = Object.entries(KINDS[layer.type].settings).filter(([, setting]) => setting.shown);
  const fields = shown.map(([name]) => field(layer, index, name, actions));
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
  const key = { "data-key": `${name} ${index}` };
  const set = (/** @type {Setting} */ entry) => actions.set(index, name, entry);
  if (type === "bool") return checkbox(name, set, { checked: value, ...key }).node;
  const isFloat = type === "float";
  const placeholder = name === "stride" ? typedText(layer.settings.kernel_size) : null;
  const look = { size: name.includes("features") ? 5 : 4, value: typedText(value), placeholder, inputmode: isFloat ? "decimal" : null };
  const typed = (/** @type {string} */ text) => set(text.trim() || placeholder === null ? parseSetting(text) : null);
  const input = textField({ ...look, ...key }, typed, (text, change) =>
    stepped(text || input.placeholder, isFloat ? change / 10 : change, isFloat || name.endsWith("padding") ? 0 : 1));
  return element("label", { class: "lenet-field" }, element("span", { class: "lenet-mono" }, name), input);
}

/** @param {Findings} findings @param {Actions} actions */
function complaint({ explanation, refusal }, actions) {
  if (!explanation) return [paragraph(`${refusal}.`, "lenet-what")];
  const items = explanation.fixes.map((fix) => {
    const shapes = fix.changes.flatMap(({ imageShape }) => (imageShape ? [imageShape] : []));
    const isPossible = shapes.every((shape) => shape.length === 3);
    const lines = shapes.length ? [] : fix.code?.split("\n") ?? [];
    return fixItem(fixText(fix), lines, isPossible ? () => actions.apply(fix) : null);
  });
  return [...reasons(explanation), paragraph(fixesHeading(explanation)), element("ul", {}, ...items)];
}
