// @ts-check
/** What there is to say of pasted code: what a message means, what does not fit and what mends it, what was not understood. */
import { button, element } from "../shared/elements.js";
import { countText, shapeText } from "../shared/text.js";
import { sumOf } from "../shared/numbers.js";
import { fixesHeading } from "../calculator/fixes.js";
import { HEADINGS, numberCells } from "../calculator/table.js";
import { shownPlace } from "./lines.js";

/** @param {Reading} reading @param {Meaning | null} said @param {CodeExplanation | null} explanation  null until it has been looked for @param {(fix: CodeFix) => void} apply @returns {HTMLElement[]} */
export function answerTo(reading, said, explanation, apply) {
  const { refusal, problem, unread, command } = reading;
  const isBlank = !reading.code.trim();
  /** @type {HTMLElement[]} */
  const cards = said ? [card("", ...messageParts(said, reading, isBlank))] : [];
  if (isBlank && !said) cards.push(card("", paragraph("Paste a network, a message of PyTorch's, or both.")));
  else if (refusal && !isBlank) cards.push(card("bad", paragraph(`${placeText(refusal.place)}: ${refusal.what}.`, "lenet-what")));
  else if (problem) cards.push(...problemParts(problem, explanation, !said, apply));
  for (const { place, what } of unread) cards.push(card("", paragraph(`${placeText(place)}: ${what}. The package does it, see below.`)));
  if (!refusal && !problem && !unread.length) cards.push(card("good", paragraph(fitText(reading), "lenet-what")));
  if (!isBlank) cards.push(element("p", { class: "lenet-muted" }, "The same in Python, for anything that this page cannot read: ", element("code", { class: "lenet-command" }, command)));
  return cards;
}

/** The same in one sentence, to be read aloud. @param {Reading} reading @param {Meaning | null} said */
export function summaryOf({ code, refusal, problem, unread, ...reading }, said) {
  if (!code.trim()) return said?.meaning ?? "";
  if (refusal) return `${placeText(refusal.place)}: ${refusal.what}.`;
  if (problem) return `${placeText(shownPlace(problem))}: ${problem.what}.`;
  return unread.length ? `${placeText(unread[0].place)}: ${unread[0].what}.` : fitText(reading);
}

/** A row for each operation, and the sums of all. @param {Reading} reading */
export function rowTable({ rows, numParameters, numUnusedParameters }) {
  const heading = ["line", ...HEADINGS].map((name) => element("th", { scope: "col" }, name));
  const lines = rows.map(({ name, operation, isKnown, ...row }) => element("tr", {},
    element("td", { class: "lenet-muted" }, shownPlace(row).line), element("th", { scope: "row" }, element("b", {}, name), " ", element("code", {}, operation === name ? "" : operation)),
    ...numberCells({ name, operation, ...row, outputShape: isKnown ? row.outputShape : ["N", "?"] })));
  const unused = numUnusedParameters ? ` (${countText(numUnusedParameters)} of them in layers that did not run)` : "";
  const macs = countText(sumOf(rows.map((row) => row.numMacs)));
  const totals = `${countText(numParameters)} parameters${unused}. ${macs} multiply-accumulates (MACs) for one image, without bias.`;
  return element("div", {}, element("p", {}, totals), element("table", { "aria-label": "operations and their shapes" },
    element("thead", {}, element("tr", {}, ...heading)), element("tbody", {}, ...lines)));
}

/** @param {Pick<Reading, "rows" | "imageShape">} reading */
function fitText({ rows, imageShape }) {
  return `It fits: ${shapeText(["N", ...imageShape])} goes in, ${shapeText(rows.at(-1)?.outputShape ?? ["N", ...imageShape])} comes out.`;
}

/** @param {SourcePlace} place */
function placeText({ line }) {
  return `Line ${line}`;
}

/** @param {Meaning} said @param {Reading} reading @param {boolean} isBlank */
function messageParts({ quote, meaning }, { problem }, isBlank) {
  const where = problem ? `In your code it is line ${shownPlace(problem).line}, ${problem.name}.` : "";
  return [
    element("p", { class: "lenet-muted" }, "PyTorch says: ", element("code", {}, quote)),
    paragraph(meaning),
    paragraph(isBlank ? "Paste the class as well, above or below the message: then the line is found, and the change that mends it." : where),
  ];
}

/** @param {NonNullable<Reading["problem"]>} problem @param {CodeExplanation | null} explanation @param {boolean} isUnsaid  by the reader: PyTorch's own words @param {(fix: CodeFix) => void} apply */
function problemParts(problem, explanation, isUnsaid, apply) {
  const { what, why, fixes, error, unread } = explanation ?? { ...problem, fixes: [], error: "", unread: null };
  const parts = [paragraph(`${what}.`, "lenet-what"), ...(why ? [paragraph(`Why: ${why}.`)] : [])];
  if (error && isUnsaid) parts.push(element("p", { class: "lenet-muted" }, "PyTorch says: ", element("code", {}, error)));
  const heading = unread ? `No change could be tried to the end, because of line ${unread.place.line}: ${unread.what}. The package does it, see below.` : explanation && fixesHeading(explanation);
  const found = heading ? paragraph(heading, "lenet-what") : paragraph("Changes are being tried …", "lenet-muted");
  return [card("bad", ...parts), found, element("ul", { class: "lenet-fixes" }, ...fixes.map((fix) => repairItem(fix, apply)))];
}

/** @param {CodeFix} fix @param {(fix: CodeFix) => void} apply */
function repairItem(fix, apply) {
  const { text, lines } = fix;
  const code = lines.map((line) => element("code", {}, line.trim()));
  return element("li", {}, element("span", {}, ...code, text), button("Apply", () => apply(fix), { "aria-label": `Apply: ${text}` }));
}

/** @param {string} look @param {...Node} children */
function card(look, ...children) {
  return element("div", { class: `lenet-answer ${look && `lenet-${look}`}` }, ...children);
}

/** @param {string} text @param {string} [look] */
function paragraph(text, look) {
  return element("p", { class: look }, text);
}
