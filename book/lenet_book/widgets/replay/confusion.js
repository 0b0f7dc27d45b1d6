// @ts-check
/** A confusion matrix as a table that follows the training. */
import { confusionTable, frequentMistakes, paintConfusion } from "../shared/confusion.js";
import { element } from "../shared/elements.js";
import { rampLegend } from "../shared/legend.js";
import { sumOf } from "../shared/numbers.js";
import { countText } from "../shared/text.js";

const MOST_WITH_NUMBERS = 12; // classes; the cells of a larger table are too narrow for numbers

export class ConfusionTable {
  #classes; #counts; #cells;
  #note = element("p", { class: "lenet-mistakes" });

  /** @param {string[]} classes */
  constructor(classes) {
    this.#classes = classes;
    this.#counts = classes.map(() => classes.map(() => 0));
    this.#cells = classes.map(() => classes.map(() => element("td")));
    const table = confusionTable(classes, this.#cells, "Test pictures by class and answer");
    this.node = element("div", { class: "lenet-confusion" },
      element("div", { class: "lenet-sideways", role: "region", tabindex: 0, "aria-label": "Confusion matrix" }, table),
      rampLegend("right", "mistaken", "by share of the row"), this.#note);
    this.node.classList.toggle("lenet-narrow", classes.length > MOST_WITH_NUMBERS);
  }

  /** @param {number[][]} counts  rows are true classes, columns answers */
  show(counts) {
    this.#counts = counts;
    counts.forEach((row, truth) => row.forEach((count, answer) => (this.#cells[truth][answer].textContent = count ? String(count) : "")));
    this.#note.textContent = this.inWords();
  }

  /** @param {Theme} theme */
  paint(theme) {
    paintConfusion(this.#cells, this.#counts, theme);
  }

  inWords() {
    const [worst] = frequentMistakes(this.#counts);
    if (!worst) return "No mistake on the test pictures.";
    const [truth, answer] = worst;
    const row = this.#counts[truth];
    return `Most frequent mistake: ${this.#classes[truth]} called ${this.#classes[answer]}, ${countText(row[answer])} of ${countText(sumOf(row))}.`;
  }
}
