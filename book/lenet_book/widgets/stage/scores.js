// @ts-check
/** What the network says: the share of every class, as bars. */
import { softmaxParts } from "./engine.js";
import { element, setText } from "../shared/elements.js";
import { numberText, percentText } from "../shared/text.js";

/** @typedef {import("./state.js").State} State */

const NUM_SHOWN = 10;

export class Scores {
  #state; #rows;
  #title = element("p", { class: "lenet-muted lenet-score-title" });

  /** @param {State} state */
  constructor(state) {
    this.#state = state;
    const { classes } = state.meta;
    this.#rows = classes.slice(0, NUM_SHOWN).map((className) => {
      const name = element("span", { class: "lenet-score-name" }, className);
      const fill = element("span", { class: "lenet-score-fill" });
      const share = element("span", { class: "lenet-score-share lenet-mono" });
      const row = element("li", {}, name, element("span", { class: "lenet-score-bar" }, fill), share);
      return { row, name, fill, share };
    });
    this.node = element("div", { class: "lenet-scores" }, this.#title, element("ol", {}, ...this.#rows.map(({ row }) => row)));
    this.node.hidden = classes.length === 0;
  }

  /** @returns {{ index: number, share: number }[]} */
  #shares() {
    const { steps, engine } = this.#state;
    const last = engine.values[steps.length - 1];
    const isShares = steps[steps.length - 1].kind === "softmax";
    const parts = softmaxParts(last);
    return Array.from(last, (value, index) => ({ index, share: isShares ? value : parts.exponentials[index] / parts.total }));
  }

  /** The classes with their shares: in their order, or the largest first where there are many. */
  #shown() {
    const all = this.#shares();
    return all.length > NUM_SHOWN ? all.sort((a, b) => b.share - a.share) : all;
  }

  show() {
    if (this.node.hidden) return;
    const { meta, input: { isBlank } } = this.#state;
    const shown = this.#shown();
    const best = strongest(shown);
    setText(this.#title, isBlank ? "nothing is drawn yet" : "the network says");
    this.#rows.forEach(({ row, name, fill, share }, place) => {
      const entry = shown[place];
      setText(name, meta.classes[entry.index]);
      fill.style.transform = `scaleX(${isBlank ? 0 : entry.share})`;
      setText(share, isBlank ? "" : percentText(entry.share));
      row.classList.toggle("lenet-best", entry === best && !isBlank);
    });
  }

  /** The result as a sentence. */
  inWords() {
    if (this.#state.input.isBlank) return "Nothing is drawn yet.";
    if (this.node.hidden) return "";
    const best = strongest(this.#shares());
    return `The network says ${this.#state.meta.classes[best.index]}, ${numberText(100 * best.share, 0)} percent.`;
  }
}

/** @template {{ share: number }} Entry @param {Entry[]} entries */
function strongest(entries) {
  return entries.reduce((a, b) => (b.share > a.share ? b : a));
}
