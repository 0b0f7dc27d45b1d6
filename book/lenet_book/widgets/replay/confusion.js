// @ts-check
/** A confusion matrix as a table that follows the training. */
import { colourText, inkOn, signedColour } from "../shared/colours.js";
import { element } from "../shared/elements.js";
import { countText } from "../shared/text.js";

/** @typedef {import("../shared/colours.js").Theme} Theme */
/** @typedef {{ truth: number, answer: number, count: number, total: number }} Mistake */

const MOST_WITH_NUMBERS = 12; // classes; the cells of a larger table are too narrow for numbers

export class ConfusionTable {
  /** @param {string[]} classes */
  constructor(classes) {
    this.classes = classes;
    /** @type {number[][]} */
    this.counts = classes.map(() => classes.map(() => 0));
    this.cells = classes.map(() => classes.map(() => element("td")));
    const columns = classes.map((name) => element("th", { scope: "col" }, element("span", {}, name)));
    const header = element("tr", {}, element("td", { class: "lenet-corner" }, "is ↓ called →"), ...columns);
    const rows = classes.map((name, truth) =>
      element("tr", {}, element("th", { scope: "row" }, element("span", {}, name)), ...this.cells[truth]));
    const caption = element("caption", {}, "Test pictures by class (row) and answer (column)");
    const table = element("table", {}, caption, element("thead", {}, header), element("tbody", {}, ...rows));
    this.note = element("p", { class: "lenet-mistakes" });
    this.node = element("div", { class: "lenet-confusion" },
      element("div", { class: "lenet-sideways", role: "region", tabindex: 0, "aria-label": "Confusion matrix" }, table), this.note);
    this.node.classList.toggle("lenet-narrow", classes.length > MOST_WITH_NUMBERS);
  }

  /** @param {number[][]} counts  rows are true classes, columns answers */
  show(counts) {
    this.counts = counts;
    counts.forEach((row, truth) => row.forEach((count, answer) => {
      this.cells[truth][answer].textContent = count ? String(count) : "";
    }));
    this.note.textContent = this.inWords();
  }

  /** Colour cells by their share of the row: right answers blue, mistakes red. @param {Theme} theme */
  paint(theme) {
    this.counts.forEach((row, truth) => {
      const total = row.reduce((sum, count) => sum + count, 0) || 1;
      row.forEach((count, answer) => {
        const colour = signedColour((truth === answer ? -count : count) / total, 1, theme);
        const { style } = this.cells[truth][answer];
        style.backgroundColor = count ? colourText(colour) : "";
        style.color = count ? inkOn(colour) : "";
      });
    });
  }

  /** The cell beside the diagonal with the highest count, or null if all answers are right. @returns {Mistake | null} */
  get worst() {
    /** @type {Mistake | null} */
    let worst = null;
    this.counts.forEach((row, truth) => row.forEach((count, answer) => {
      if (truth === answer || count <= (worst?.count ?? 0)) return;
      worst = { truth, answer, count, total: row.reduce((sum, number) => sum + number, 0) };
    }));
    return worst;
  }

  inWords() {
    const { worst } = this;
    if (!worst) return "No mistake on the test pictures.";
    const [truth, answer] = [this.classes[worst.truth], this.classes[worst.answer]];
    return `Most frequent mistake: ${truth} called ${answer}, ${countText(worst.count)} of ${countText(worst.total)}.`;
  }
}
