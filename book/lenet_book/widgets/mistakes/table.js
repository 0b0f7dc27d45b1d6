// @ts-check
/** The confusion matrix as a table of buttons. */
import { cellText, confusionTable, paintConfusion } from "../shared/confusion.js";
import { element } from "../shared/elements.js";
import { rampLegend } from "../shared/legend.js";
import { sumOf } from "../shared/numbers.js";
import { countText } from "../shared/text.js";

export class MistakeTable {
  #classes; #counts; #buttons;

  /** @param {string[]} classes @param {number[][]} counts @param {(cell: Cell) => void} onChoose */
  constructor(classes, counts, onChoose) {
    this.#classes = classes;
    this.#counts = counts;
    this.#buttons = counts.map((row, truth) => row.map((_, answer) => this.#button([truth, answer], onChoose)));
    const cells = this.#buttons.map((row) => row.map((button) => element("td", {}, button)));
    const table = confusionTable(classes, cells, this.#caption());
    this.node = element("div", { class: "lenet-confusion" }, table, rampLegend("right", "mistaken", "by share of the row"));
    table.addEventListener("keydown", (event) => this.#moveByKey(event));
  }

  #caption() {
    const total = sumOf(this.#counts.flat());
    const right = sumOf(this.#counts.map((row, index) => row[index]));
    return `Confusion matrix of ${countText(total)} pictures. Each row is a true class, each column an answer; ${countText(right)} lie on the diagonal, where both agree.`;
  }

  /** @param {Cell} cell @param {(cell: Cell) => void} onChoose */
  #button(cell, onChoose) {
    const count = this.#counts[cell[0]][cell[1]];
    const name = `${cellText(this.#classes, cell)}: ${count}`;
    return element("button", { type: "button", tabindex: -1, "aria-label": name, title: name, onclick: () => onChoose(cell) }, count || "·");
  }

  /** @param {Cell} chosen */
  mark(chosen) {
    const chosenButton = this.#buttons[chosen[0]][chosen[1]];
    for (const button of this.#buttons.flat()) {
      button.tabIndex = button === chosenButton ? 0 : -1;
      button.setAttribute("aria-pressed", String(button === chosenButton));
    }
  }

  /** Colour every cell, the largest share of mistakes in full red. @param {Theme} theme */
  paint(theme) {
    const shares = this.#counts.flatMap((row, truth) => row.filter((_, answer) => answer !== truth).map((count) => count / (sumOf(row) || 1)));
    paintConfusion(this.#buttons, this.#counts, theme, Math.max(...shares, 0));
  }

  /** @param {KeyboardEvent} event */
  #moveByKey(event) {
    const last = this.#classes.length - 1;
    const at = this.#buttons.flat().indexOf(/** @type {HTMLButtonElement} */ (event.target));
    const [truth, answer] = [Math.floor(at / (last + 1)), at % (last + 1)];
    const to = {
      ArrowRight: [truth, answer + 1], ArrowLeft: [truth, answer - 1], ArrowDown: [truth + 1, answer],
      ArrowUp: [truth - 1, answer], Home: [truth, 0], End: [truth, last],
    }[event.key];
    if (at < 0 || !to) return;
    event.preventDefault();
    const [row, column] = to.map((place) => Math.min(Math.max(place, 0), last));
    this.#buttons[truth][answer].tabIndex = -1;
    this.#buttons[row][column].tabIndex = 0;
    this.#buttons[row][column].focus();
  }
}
