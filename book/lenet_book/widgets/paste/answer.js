// @ts-check
/** What there is to say of pasted code: what a message means, what does not fit and what mends it, what is not read. */
import { element, setText } from "../shared/elements.js";
import { countText, shapeText } from "../shared/text.js";
import { sumOf } from "../shared/numbers.js";
import { fixItem, paragraph, quoted, reasons } from "../calculator/complaint.js";
import { fixesHeading } from "../calculator/fixes.js";
import { HEADINGS, numberCells } from "../calculator/table.js";
import { showItems } from "./items.js";
import { START } from "./tree.js";

const IN_PYTHON = "The same in Python, for anything that this page cannot read: ";
const PACKAGE = "The package does it, see below.";
const WHAT_TO_PASTE = "Paste a network here (the class, or an nn.Sequential), a message of PyTorch's, or both.";
const CLASS_TOO = "Paste the class as well, above or below the message: " +
  "then the line is found, and the change that mends it.";

/**
 * What is shown beside the editor; the explanation is null until it has been looked for.
 *
 * @param {Reading} reading @param {Meaning | null} said @param {CodeExplanation | null} explanation
 * @param {(fix: CodeFix) => void} apply
 */
export function answerTo(reading, said, explanation, apply) {
  const { refusal, problem, unread, command } = reading;
  const isEmpty = refusal?.place === START; // there is no network
  /** @type {HTMLElement[]} */
  const cards = [];
  if (said) {
    const inCode = problem ? `In your code it is line ${problem.shown.line}, ${problem.name}.` : "";
    cards.push(card("", quoted(said.quote), paragraph(said.meaning), paragraph(isEmpty ? CLASS_TOO : inCode)));
  }
  if (isEmpty && !said) cards.push(card("", paragraph(WHAT_TO_PASTE)));
  else if (refusal && !isEmpty) cards.push(card("bad", paragraph(lineText(refusal), "lenet-what")));
  else if (problem) cards.push(...problemParts(problem, explanation, !said, apply));
  for (const each of unread) cards.push(card("", paragraph(`${lineText(each)} ${PACKAGE}`)));
  if (!refusal && !problem && !unread.length) cards.push(card("good", paragraph(fitText(reading), "lenet-what")));
  const code = element("code", { class: "lenet-command" }, command);
  return isEmpty ? cards : [...cards, element("p", { class: "lenet-muted" }, IN_PYTHON, code)];
}

/** The same in one sentence, to be read aloud. @param {Reading} reading @param {Meaning | null} said */
export function summaryOf({ refusal, problem, unread, ...reading }, said) {
  if (refusal?.place === START) return said?.meaning ?? WHAT_TO_PASTE;
  const wrong = refusal ?? (problem ? { place: problem.shown, what: problem.what } : unread[0]);
  return wrong ? lineText(wrong) : fitText(reading);
}

/** A row for each operation, and the sums of all. */
export function rowTable() {
  const [totals, body] = [element("p"), element("tbody")];
  const heading = ["line", ...HEADINGS].map((name) => element("th", { scope: "col" }, name));
  const head = element("thead", {}, element("tr", {}, ...heading));
  const table = element("table", { "aria-label": "operations and their shapes" }, head, body);
  /** @param {Reading} reading */
  const show = ({ rows, numParameters, numUnusedParameters: unused }) => {
    const ofUnused = unused ? ` (${countText(unused)} of them in layers that did not run)` : "";
    const macs = countText(sumOf(rows.map((row) => row.numMacs)));
    const ofImage = `${macs} multiply-accumulates (MACs) for one image, without bias.`;
    setText(totals, `${countText(numParameters)} parameters${ofUnused}. ${ofImage}`);
    showItems(body, rows, tableRow);
  };
  return { node: element("div", { class: "lenet-whole" }, totals, table), show };
}

/** @param {CodeRow} row */
function tableRow(row) {
  const { name, operation, isKnown, outputShape, shown } = row;
  const code = element("code", {}, operation === name ? "" : operation);
  const cells = numberCells({ ...row, outputShape: isKnown ? outputShape : ["N", "?"] });
  const head = element("th", { scope: "row" }, element("b", {}, name), " ", code);
  return element("tr", {}, element("td", { class: "lenet-muted" }, shown.line), head, ...cells);
}

/** @param {Pick<Reading, "rows" | "imageShape">} reading */
function fitText({ rows, imageShape }) {
  const input = ["N", ...imageShape];
  return `It fits: ${shapeText(input)} goes in, ${shapeText(rows.at(-1)?.outputShape ?? input)} comes out.`;
}

/** @param {Unread} unread */
function lineText({ place, what }) {
  return `Line ${place.line}: ${what}.`;
}

/**
 * What does not fit; `isUnsaid`, if the reader has not pasted PyTorch's own words.
 *
 * @param {CodeProblem} problem @param {CodeExplanation | null} explanation @param {boolean} isUnsaid
 * @param {(fix: CodeFix) => void} apply
 */
function problemParts(problem, explanation, isUnsaid, apply) {
  const { fixes, error, unread, ...words } = explanation ?? { ...problem, fixes: [], error: "", unread: null };
  const untried = "No change could be tried to the end, because of";
  const blocked = unread && `${untried} line ${unread.place.line}: ${unread.what}. ${PACKAGE}`;
  const heading = blocked ?? (explanation && fixesHeading(explanation));
  const found = heading ? paragraph(heading, "lenet-what") : paragraph("Changes are being tried …", "lenet-muted");
  const items = fixes.map((fix) => fixItem(fix.text, fix.lines, () => apply(fix)));
  const parts = reasons({ ...words, error: isUnsaid ? error : "" });
  return [card("bad", ...parts), found, element("ul", { class: "lenet-fixes" }, ...items)];
}

/** @param {string} look @param {...Node} children */
function card(look, ...children) {
  return element("div", { class: `lenet-answer ${look && `lenet-${look}`}` }, ...children);
}
