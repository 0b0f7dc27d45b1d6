// @ts-check
/** A question with a button for each answer, and a reply that is read aloud. */
import { button, element, uniqueId } from "../shared/elements.js";

/** @typedef {{ key: string, text: string }} Choice */

export class Question {
  #onAnswer; #text; #choices;
  #reply = element("p", { class: "lenet-reply", "aria-live": "polite" });
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();

  /** @param {string} text @param {(key: string) => void} onAnswer */
  constructor(text, onAnswer) {
    this.#onAnswer = onAnswer;
    this.#text = element("p", { class: "lenet-question", id: uniqueId("question") }, text);
    this.#choices = element("div", { class: "lenet-strip", role: "group", "aria-labelledby": this.#text.id });
    this.node = element("div", { class: "lenet-ask" }, this.#text, this.#choices, this.#reply);
  }

  /** Offer these answers, none of them given yet. @param {Choice[]} choices */
  offer(choices) {
    this.#buttons = new Map(choices.map(({ key, text }) => [key, button(text, () => this.#onAnswer(key))]));
    this.#choices.replaceChildren(...this.#buttons.values());
    this.#reply.textContent = "";
  }

  /** Mark an answer as given. @param {string} key @param {string} reply */
  mark(key, reply) {
    this.#buttons.get(key)?.setAttribute("aria-pressed", "true");
    this.#reply.textContent = reply;
  }

  /** Take no more answers. */
  close() {
    for (const choice of this.#buttons.values()) choice.disabled = true;
  }
}
