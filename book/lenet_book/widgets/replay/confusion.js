// @ts-check
/** A confusion matrix as a table that follows the training. */
import { confusionTable, frequentMistakes, paintConfusion } from "../shared/confusion.js";
import { element } from "../shared/elements.js";
import { rampLegend } from "../shared/legend.js";
import { sumOf } from "../shared/numbers.js";
import { countText } from "../shared/text.js";

const MOST_WITH_NUMBERS = 12; // classes; the cells of a larger table are too narrow for numbers

/** @param {string[]} classes */
export function followingTable(classes) {
  const cells = classes.map(() => classes.map(() => element("td")));
  const note = element("p", { class: "lenet-mistakes" });
  const node = element("div", { class: `lenet-confusion${classes.length > MOST_WITH_NUMBERS ? " lenet-narrow" : ""}` },
    element("div", { class: "lenet-sideways", role: "region", tabindex: 0, "aria-label": "Confusion matrix" },
      confusionTable(classes, cells, "Test pictures by class and answer")),
    rampLegend("right", "mistaken", "by share of the row"), note);
  /** @param {number[][]} counts  rows are true classes, columns answers @param {Theme} theme */
  const show = (counts, theme) => {
    counts.forEach((row, truth) => row.forEach((count, answer) => (cells[truth][answer].textContent = count ? String(count) : "")));
    paintConfusion(cells, counts, theme);
    note.textContent = worstText(classes, counts);
  };
  return { node, note, show };
}

/** @param {string[]} classes @param {number[][]} counts */
function worstText(classes, counts) {
  const [worst] = frequentMistakes(counts);
  if (!worst) return "No mistake on the test pictures.";
  const [truth, answer] = worst;
  return `Most frequent mistake: ${classes[truth]} called ${classes[answer]}, ${countText(counts[truth][answer])} of ${countText(sumOf(counts[truth]))}.`;
}
