// @ts-check
/** A question with a button for each answer, and a reply that is read aloud. */
import { button, element, setAttribute, setText, setWithCode, uniqueId, withCode } from "./elements.js";

export class Question {
  #choices; #buttons;
  #isClosed = false;
  #reply = element("p", { class: "lenet-reply", "aria-live": "polite" });

  /** @param {string} text @param {{ key: string, text: string }[]} choices @param {(key: string) => void} onAnswer */
  constructor(text, choices, onAnswer) {
    this.#choices = choices;
    this.#buttons = choices.map(({ key }) => button("", () => this.#isClosed || onAnswer(key)));
    const asked = element("p", { class: "lenet-question", id: uniqueId("question") }, ...withCode(text));
    this.answers = element("div", { class: "lenet-strip", role: "group", "aria-labelledby": asked.id }, ...this.#buttons);
    this.node = element("div", { class: "lenet-ask" }, asked, this.answers, this.#reply);
  }

  /** Show which answers were given, and the right one, once no more are taken; the buttons keep the focus. @param {string[]} given @param {string | null} right @param {string} reply */
  show(given, right, reply) {
    this.#isClosed = right !== null;
    this.#choices.forEach(({ key, text }, index) => {
      const [choice, isGiven] = [this.#buttons[index], given.includes(key)];
      const [look, shown] = key === right ? ["lenet-right", `✓ ${text}: right`] : isGiven ? ["lenet-wrong", `✗ ${text}: no`] : ["", text];
      choice.className = `lenet-button ${look}`;
      setText(choice, shown);
      setAttribute(choice, "aria-pressed", String(isGiven));
      setAttribute(choice, "aria-disabled", String(this.#isClosed));
    });
    setWithCode(this.#reply, reply);
  }

  /** Go to the first answer. */
  focus() {
    this.#buttons[0].focus();
  }
}
