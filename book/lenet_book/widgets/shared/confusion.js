// @ts-check
/** Confusion matrices as tables: rows are true classes, columns answers. */
import { colourText, inkOn, signedColour } from "./colours.js";
import { element } from "./elements.js";
import { sumOf } from "./numbers.js";

/** All cells with mistakes in them, the most frequent first. @param {number[][]} counts */
export function frequentMistakes(counts) {
  const cells = counts.flatMap((row, truth) => row.map((_, answer) => /** @type {Cell} */ ([truth, answer])));
  const mistakes = cells.filter(([truth, answer]) => truth !== answer && counts[truth][answer]);
  return mistakes.sort(([a, b], [c, d]) => counts[c][d] - counts[a][b]);
}

/** What a cell holds, in words. @param {string[]} classes @param {Cell} cell */
export function cellText(classes, [truth, answer]) {
  return truth === answer ? `${classes[truth]}, recognised` : `${classes[truth]}, called ${classes[answer]}`;
}

/** @param {string[]} classes @param {HTMLTableCellElement[][]} cells @param {string} caption */
export function confusionTable(classes, cells, caption) {
  const heading = (/** @type {string} */ scope, /** @type {string} */ name) => element("th", { scope }, element("span", {}, name));
  const corner = element("td", { class: "lenet-corner" }, "called →", element("br"), "it is ↓");
  const header = element("tr", {}, corner, ...classes.map((name) => heading("col", name)));
  const rows = classes.map((name, truth) => element("tr", {}, heading("row", name), ...cells[truth]));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, header), element("tbody", {}, ...rows));
}

/** Colour cells by their share of the row: right answers blue, mistakes red, in full at `worst`. @param {HTMLElement[][]} cells @param {number[][]} counts @param {Theme} theme @param {number} [worst] */
export function paintConfusion(cells, counts, theme, worst = 1) {
  counts.forEach((row, truth) => {
    const total = sumOf(row) || 1;
    row.forEach((count, answer) => {
      const share = count / total;
      const colour = truth === answer ? signedColour(-share, 1, theme) : signedColour(share, worst, theme);
      const { style } = cells[truth][answer];
      style.background = count ? colourText(colour) : "";
      style.color = count ? inkOn(colour) : "";
    });
  });
}
