// @ts-check
/** What a reader changes in a widget's values, and the way back. */
import { watchValue } from "../shared/arrays.js";

const MAX_UNDO = 100;

export class History {
  #model; #names; #show;
  /** @type {Record<string, any>[]} */
  #past = [];
  #isSaving = false;
  /** Where the reader is typing; empty where nowhere. */
  field = "";

  /**
   * @param {Model} model @param {Record<string, string>} names  of the model's values, by their names here
   * @param {(isOwn: boolean) => void} show  hears of every change, and whether it was made here
   */
  constructor(model, names, show) {
    this.#model = model;
    this.#names = Object.entries(names);
    this.#show = show;
    this.stops = this.#names.map(([, name]) => watchValue(model, name, () => this.#isSaving || show(false)));
  }

  /** The values, by their names here. @returns {any} */
  get now() {
    return Object.fromEntries(this.#names.map(([key, name]) => [key, this.#model.get(name)]));
  }

  get isEmpty() {
    return !this.#past.length;
  }

  /** @param {Record<string, any>} change @param {string} [field]  where it is typed: one edit, until the focus leaves it */
  change(change, field = "") {
    const { now } = this;
    const after = { ...now, ...change };
    if (!field || field !== this.field) this.#past = [...this.#past.slice(-MAX_UNDO), now];
    const isGivenUp = JSON.stringify(after) === JSON.stringify(this.#past.at(-1));
    if (isGivenUp) this.#past.pop();
    this.#save(after, isGivenUp ? "" : field);
  }

  takeBack() {
    this.#save(this.#past.pop() ?? this.now, "");
  }

  /** @param {Record<string, any>} values @param {string} field */
  #save(values, field) {
    this.field = field;
    this.#isSaving = true;
    for (const [key, name] of this.#names) this.#model.set(name, values[key]);
    this.#model.save_changes();
    this.#isSaving = false;
    this.#show(true);
  }
}
