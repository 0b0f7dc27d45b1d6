// @ts-check
/** What the network answers: in words, and as bars from one baseline. */
import { softmaxParts } from "./engine.js";
import { button, element, setText } from "../shared/elements.js";
import { numberText, percentText } from "../shared/text.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {{ index: number, share: number, score: number }} Entry */

const NUM_SHOWN = 10;

export class Answer {
  #state; #rows; #switch;
  #showsScores = false;
  #choice = element("strong", { class: "lenet-choice" });
  #words = element("span", { class: "lenet-words" });
  #aside = element("span", { class: "lenet-muted lenet-must" });

  /** @param {State} state */
  constructor(state) {
    this.#state = state;
    const { classes } = state.meta;
    this.#rows = classes.slice(0, NUM_SHOWN).map(() => {
      const name = element("span", { class: "lenet-score-name" });
      const fill = element("span", { class: "lenet-score-fill" });
      const figure = element("span", { class: "lenet-score-figure" });
      const row = element("li", {}, name, element("span", { class: "lenet-score-bar" }, fill), figure);
      return { row, name, fill, figure };
    });
    const isLong = element("span", { class: "lenet-in-full" }, "It ");
    this.#aside.append(isLong, `must choose one of ${classes.length}; cannot say “none”`);
    this.#switch = button("scores", () => this.#change(), { class: "lenet-link", title: "Change between shares and scores" });
    const said = element("div", { class: "lenet-said" }, this.#choice, this.#words, this.#switch);
    const list = element("ol", {}, ...this.#rows.map(({ row }) => row));
    this.node = element("section", { class: "lenet-answer", "aria-label": "The answer" }, said, list, this.#aside);
    this.node.hidden = classes.length === 0;
  }

  #change() {
    this.#showsScores = !this.#showsScores;
    this.#switch.textContent = this.#showsScores ? "shares" : "scores";
    this.show();
  }

  /** @returns {Entry[]} */
  #entries() {
    const { steps, engine } = this.#state;
    const last = steps.length - 1;
    const end = steps[last];
    const scores = engine.values[end.kind === "softmax" ? end.inputs[0] : last];
    const { exponentials, total } = softmaxParts(scores);
    return Array.from(scores, (score, index) => ({ index, score, share: exponentials[index] / total }));
  }

  show() {
    if (this.node.hidden) return;
    const entries = this.#entries();
    const ranked = [...entries].sort((a, b) => b.share - a.share);
    const shown = entries.length > NUM_SHOWN ? ranked : entries;
    const { isBlank } = this.#state.input;
    const { classes } = this.#state.meta;
    setText(this.#choice, isBlank ? "?" : classes[ranked[0].index]);
    this.#choice.classList.toggle("lenet-long", classes[ranked[0].index].length > 2);
    setText(this.#words, this.#inWords(ranked));
    const highest = Math.max(...entries.map(({ score }) => Math.abs(score))) || 1;
    this.#rows.forEach(({ row, name, fill, figure }, place) => {
      const { index, share, score } = shown[place];
      setText(name, classes[index]);
      setText(figure, isBlank ? "" : this.#showsScores ? numberText(score, 2) : percentText(share));
      fill.style.transform = isBlank ? "scaleX(0)" : this.#showsScores ? `scaleX(${score / highest})` : `scaleX(${share})`;
      row.classList.toggle("lenet-best", index === ranked[0].index && !isBlank);
    });
    this.node.classList.toggle("lenet-with-scores", this.#showsScores);
  }

  /** How clear the answer is. @param {Entry[]} ranked */
  #inWords([first, second]) {
    if (this.#state.input.isBlank) return "nothing is drawn yet";
    const { classes } = this.#state.meta;
    const [best, next] = [classes[first.index], second ? classes[second.index] : ""];
    if (first.share >= 0.99 || !second) return `clearly ${best}`;
    if (second.share >= 0.25) return `torn between ${best} and ${next}`;
    return first.share >= 0.6 ? `rather ${best} than ${next}` : `perhaps ${best}, not sure`;
  }

  /** The result as a sentence. */
  aloud() {
    if (this.#state.input.isBlank) return "Nothing is drawn yet.";
    if (this.node.hidden) return "";
    const [best] = this.#entries().sort((a, b) => b.share - a.share);
    return `The network says ${this.#state.meta.classes[best.index]}, ${percentText(best.share)}.`;
  }
}
