// @ts-check
/** What the network says: the share of every class, as bars. */
import { softmaxParts } from "./forward_engine.js";
import { element, numberText } from "./shared.js";

/** @typedef {import("./forward_state.js").State} State */

const NUM_SHOWN = 10;

export class Scores {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    const { classes } = state.meta;
    this.rows = classes.slice(0, NUM_SHOWN).map(() => {
      const name = element("span", { class: "lenet-score-name" });
      const fill = element("span", { class: "lenet-score-fill" });
      const share = element("span", { class: "lenet-score-share lenet-mono" });
      const row = element("li", {}, name, element("span", { class: "lenet-score-bar" }, fill), share);
      return { row, name, fill, share };
    });
    const title = element("p", { class: "lenet-muted lenet-score-title" }, "the network says");
    this.node = element("div", { class: "lenet-scores" }, title, element("ol", {}, ...this.rows.map(({ row }) => row)));
    this.node.hidden = classes.length === 0;
  }

  /** @returns {{ index: number, share: number }[]} */
  #shares() {
    const { steps, engine } = this.state;
    const last = engine.values[steps.length - 1];
    const isShares = steps[steps.length - 1].kind === "softmax";
    const parts = softmaxParts(last);
    return Array.from(last, (value, index) => ({ index, share: isShares ? value : parts.exponentials[index] / parts.total }));
  }

  show() {
    if (this.node.hidden) return;
    const all = this.#shares();
    const best = all.reduce((a, b) => (b.share > a.share ? b : a));
    const shown = all.length > NUM_SHOWN ? all.sort((a, b) => b.share - a.share) : all;
    this.rows.forEach(({ row, name, fill, share }, place) => {
      const entry = shown[place];
      name.textContent = this.state.meta.classes[entry.index];
      fill.style.width = `${100 * entry.share}%`;
      share.textContent = `${numberText(100 * entry.share, 1)} %`;
      row.classList.toggle("lenet-best", entry.index === best.index);
    });
  }

  /** The result as a sentence. */
  inWords() {
    if (this.node.hidden) return "";
    const best = this.#shares().reduce((a, b) => (b.share > a.share ? b : a));
    return `The network says ${this.state.meta.classes[best.index]}, ${numberText(100 * best.share, 0)} percent.`;
  }
}
