// @ts-check
/** Predict: a guess before the answer, and what makes a wrong one tempting. */
import { OWN_KEYS, button, element, setAttribute, setText } from "../shared/elements.js";
import { textField } from "../shared/fields.js";
import { mounting } from "../shared/mounting.js";
import { questionWith } from "../shared/question.js";
import { countText, shapeText } from "../shared/text.js";

const SHOWN = ""; // stands among the guesses when the answer was shown

/** @type {Record<string, AnswerKind>} */
const KINDS_OF_ANSWERS = {
  number: { example: "a number", read: numberIn, write: countText },
  shape: { example: "a shape, such as (2, 3)", read: (text) => text.match(/\d+/g)?.map(Number), write: shapeText },
  choice: { example: "", read: String, write: String },
};

/** Read a number, its thousands apart or not; undefined when it is none. @param {string} text */
function numberIn(text) {
  const plain = text.replace("−", "-").replace(/[\s_%]|,(?=\d{3}\b)/g, "");
  return plain && Number.isFinite(Number(plain)) ? Number(plain) : undefined;
}

/** What the reader guessed before. @param {string} key @returns {string[]} */
function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "[]").map(String);
  } catch {
    return []; // the browser keeps nothing for this page, or it was not ours
  }
}

/** @param {string} key @param {string[]} guesses */
function keep(key, guesses) {
  try {
    localStorage.setItem(key, JSON.stringify(guesses));
  } catch {} // the browser keeps nothing for this page: it works as well without
}

class Prediction {
  #meta; #kind; #question; #field; #enter; #guesses;
  #more = button("", () => this.#showOrAskAgain());
  /** @type {(() => void)[]} */
  stops = [];

  /** @param {Model} model */
  constructor(model) {
    this.#meta = /** @type {PredictMeta} */ (model.get("meta"));
    const { question, kind, answer, tempting } = this.#meta;
    this.#kind = KINDS_OF_ANSWERS[kind];
    this.#guesses = recall(this.#key);
    const texts = kind === "choice" ? [answer, ...tempting.map(([wrong]) => wrong)].map(String).sort() : [];
    this.#question = questionWith(question, texts.map((text) => ({ key: text, text })), (text) => this.#guess(text));
    const enter = () => this.#guess(this.#field.value);
    const onkeydown = (/** @type {KeyboardEvent} */ { key }) => key === "Enter" && enter();
    const attributes = { "aria-label": "your guess", placeholder: this.#kind.example, onkeydown };
    this.#field = textField({ ...attributes, value: this.#guesses.at(-1) }, () => {});
    this.#enter = button("Guess", enter, { class: "lenet-button lenet-main" });
    if (kind !== "choice") this.#question.answers.append(this.#field, this.#enter);
    const named = { role: "group", "aria-label": "A guess before the answer", ...OWN_KEYS };
    this.root = element("div", { class: "lenet-widget lenet-predict", ...named }, this.#question.node, this.#more);
  }

  /** Under which name guesses are kept. */
  get #key() {
    return `lenet-predict ${location.pathname} ${this.#meta.question}`;
  }

  /** @param {string} text @param {Answer} [answer] */
  #isNear(text, answer = this.#meta.answer) {
    const guess = this.#kind.read(text);
    if (this.#meta.kind === "number") return Math.abs(Number(guess) - Number(answer)) <= this.#meta.tolerance;
    return String(guess) === String(answer);
  }

  get #isDone() {
    return this.#guesses.some((guess) => guess === SHOWN || this.#isNear(guess));
  }

  /** The folded output of the cell that follows, in a page of the book. @returns {HTMLDetailsElement | null | undefined} */
  get #fold() {
    return this.root.closest(".cell")?.nextElementSibling?.querySelector("details.hide.below-input");
  }

  /** @param {string} text */
  #guess(text) {
    if (this.#isDone) return;
    if (this.#kind.read(text) !== undefined) this.#remember([...this.#guesses, text]);
    else this.#question.show([], null, `Type ${this.#kind.example}.`);
  }

  #showOrAskAgain() {
    const isDone = this.#isDone;
    this.#field.value = "";
    this.#remember(isDone ? [] : [...this.#guesses, SHOWN]);
    if (isDone && this.#fold) this.#fold.open = false;
  }

  /** @param {string[]} guesses */
  #remember(guesses) {
    this.#guesses = guesses;
    keep(this.#key, guesses);
    if (this.#fold && this.#isDone) this.#fold.open = true;
    this.show();
  }

  /** What is said to the last guess. */
  #reply() {
    const [{ answer, tempting, why }, { write }] = [this.#meta, this.#kind];
    const text = this.#guesses.at(-1);
    if (text === undefined) return "";
    if (text === SHOWN) return `The answer: ${write(answer)}. ${why}`;
    if (this.#isNear(text)) return `Right: ${write(answer)}. ${why}`;
    const reason = tempting.find(([wrong]) => this.#isNear(text, wrong))?.[1];
    return reason ? `Not yet, but tempting: ${reason}` : "Not yet. Try once more, or let it be shown to you.";
  }

  show() {
    const isDone = this.#isDone;
    this.#question.show(this.#guesses, isDone ? String(this.#meta.answer) : null, this.#reply());
    this.#field.readOnly = isDone;
    setAttribute(this.#enter, "aria-disabled", String(isDone));
    this.#more.hidden = !this.#guesses.length;
    setText(this.#more, isDone ? "Ask me again" : "Show me");
  }
}

export default { render: mounting(Prediction) };
