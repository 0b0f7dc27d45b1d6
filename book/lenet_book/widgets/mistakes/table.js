// @ts-check
/** The confusion matrix as a table of buttons. */
import { cellText, confusionTable, paintConfusion } from "../shared/confusion.js";
import { element } from "../shared/elements.js";
import { rampLegend } from "../shared/legend.js";
import { sumOf } from "../shared/numbers.js";
import { countText } from "../shared/text.js";

/** @param {ExplorerMeta} meta @param {(cell: Cell) => void} onChoose */
export function mistakeTable({ classes, counts }, onChoose) {
  const buttons = counts.map((row, truth) => row.map((count, answer) => {
    const name = `${cellText(classes, [truth, answer])}: ${count}`;
    return element("button", { type: "button", tabindex: -1, "aria-label": name, title: name, onclick: () => onChoose([truth, answer]) }, count || "·");
  }));
  const all = buttons.flat();
  const right = sumOf(counts.map((row, index) => row[index]));
  const table = confusionTable(classes, buttons.map((row) => row.map((button) => element("td", {}, button))),
    `Confusion matrix of ${countText(sumOf(counts.flat()))} pictures. Each row is a true class, each column an answer; ` +
    `${countText(right)} lie on the diagonal, where both agree.`);
  table.addEventListener("keydown", (event) => {
    const at = all.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    const to = cellBeside(event.key, Math.floor(at / classes.length), at % classes.length, classes.length - 1);
    if (at < 0 || !to) return;
    event.preventDefault();
    const next = buttons[to[0]][to[1]];
    for (const button of all) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  });
  /** @param {Cell} cell */
  const mark = ([truth, answer]) => {
    for (const button of all) {
      const isChosen = button === buttons[truth][answer];
      button.tabIndex = isChosen ? 0 : -1;
      button.setAttribute("aria-pressed", String(isChosen));
    }
  };
  const shares = counts.flatMap((row, truth) => row.filter((_, answer) => answer !== truth).map((count) => count / (sumOf(row) || 1)));
  /** Colour every cell, the largest share of mistakes in full red. @param {Theme} theme */
  const paint = (theme) => paintConfusion(buttons, counts, theme, Math.max(...shares, 0));
  return { node: element("div", { class: "lenet-confusion" }, table, rampLegend("right", "mistaken", "by share of the row")), mark, paint };
}

/** Where a key leads from a cell, if anywhere. @param {string} key @param {number} row @param {number} column @param {number} last  row and column */
function cellBeside(key, row, column, last) {
  return {
    ArrowRight: [row, Math.min(column + 1, last)], ArrowLeft: [row, Math.max(column - 1, 0)],
    ArrowDown: [Math.min(row + 1, last), column], ArrowUp: [Math.max(row - 1, 0), column], Home: [row, 0], End: [row, last],
  }[key];
}
