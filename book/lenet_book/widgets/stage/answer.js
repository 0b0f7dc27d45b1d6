// @ts-check
/** What the network answers: in words, and as bars from one baseline. */
import { softmaxParts } from "./engine.js";
import { button, element, setText } from "../shared/elements.js";
import { numberText, percentText } from "../shared/text.js";

/** @typedef {{ index: number, name: string, share: number, score: number }} Entry */

const NUM_SHOWN = 10;

export class Answer {
  #state; #rows; #switch;
  /** What the rows show, from top to bottom. @type {Entry[]} */
  #shown = [];
  #showsScores = false;
  #choice = element("strong", { class: "lenet-choice" });
  #words = element("span", { class: "lenet-words" });

  /** @param {State} state @param {(label: number) => void} say  hears what the picture is, where that is asked */
  constructor(state, say) {
    this.#state = state;
    const { classes } = state.meta;
    this.#rows = classes.slice(0, NUM_SHOWN).map((_, place) => {
      const [name, fill, figure] = ["name", "fill", "figure"].map((part) => element("span", { class: `lenet-score-${part}` }));
      const row = element("li", { onclick: () => say(this.#shown[place].index) }, name, element("span", { class: "lenet-score-bar" }, fill), figure);
      return { row, name, fill, figure };
    });
    this.#switch = button("scores", () => this.#change(), { class: "lenet-link", title: "Change between shares and scores" });
    const said = element("div", { class: "lenet-said" }, this.#choice, this.#words, this.#switch);
    const list = element("ol", {}, ...this.#rows.map(({ row }) => row));
    const must = `must choose one of ${classes.length}; cannot say “none”`;
    const aside = element("span", { class: "lenet-muted lenet-must" }, element("span", { class: "lenet-in-full" }, "It "), must);
    this.node = element("section", { class: "lenet-answer", "aria-label": "The answer", hidden: classes.length === 0 }, said, list, aside);
  }

  #change() {
    this.#showsScores = !this.#showsScores;
    this.#switch.textContent = this.#showsScores ? "shares" : "scores";
    this.show();
  }

  /** @returns {Entry[]} */
  #entries() {
    const { steps, engine, meta } = this.#state;
    const last = steps.length - 1;
    const scores = engine.values[steps[last].kind === "softmax" ? steps[last].inputs[0] : last];
    const { exponentials, total } = softmaxParts(scores);
    return Array.from(scores, (score, index) => ({ index, name: meta.classes[index], score, share: exponentials[index] / total }));
  }

  show() {
    if (this.node.hidden) return;
    const { mode, label, before, input: { isBlank } } = this.#state;
    const entries = this.#entries();
    const ranked = [...entries].sort((a, b) => b.share - a.share);
    const [best] = ranked;
    setText(this.#choice, isBlank ? "?" : best.name);
    this.#choice.classList.toggle("lenet-long", best.name.length > 2);
    setText(this.#words, isBlank ? "nothing is drawn yet" : inWords(ranked));
    const highest = Math.max(...entries.map(({ score }) => Math.abs(score))) || 1;
    this.#shown = entries.length > NUM_SHOWN ? ranked : entries;
    this.#rows.forEach(({ row, name, fill, figure }, place) => {
      const { index, share, score } = this.#shown[place];
      setText(name, this.#shown[place].name);
      setText(figure, isBlank ? "" : this.#showsScores ? numberText(score, 2) : percentText(share));
      fill.style.transform = `scaleX(${(isBlank ? 0 : this.#showsScores ? score / highest : share).toFixed(3)})`;
      row.classList.toggle("lenet-best", this.#shown[place] === best && !isBlank);
      row.classList.toggle("lenet-true", mode === "back" && index === label);
      row.style.setProperty("--before", before && !this.#showsScores ? `${100 * before.shares[index]}%` : "-1rem");
    });
    this.node.classList.toggle("lenet-with-scores", this.#showsScores);
  }

  /** The result as a sentence. */
  aloud() {
    if (this.#state.input.isBlank) return "Nothing is drawn yet.";
    if (this.node.hidden) return "";
    const [best] = this.#entries().sort((a, b) => b.share - a.share);
    return `The network says ${best.name}, ${percentText(best.share)}.`;
  }
}

/** How clear the answer is. @param {Entry[]} ranked */
function inWords([first, second]) {
  if (first.share >= 0.99 || !second) return `clearly ${first.name}`;
  if (second.share >= 0.25) return `torn between ${first.name} and ${second.name}`;
  return first.share >= 0.6 ? `rather ${first.name} than ${second.name}` : `perhaps ${first.name}, not sure`;
}
