// @ts-check
/** A widget's values where no kernel stands behind them. */

/** @implements {Model} */
export class Values extends EventTarget {
  #values;

  /** @param {Record<string, any>} values */
  constructor(values) {
    super();
    this.#values = values;
  }

  /** @param {string} key */
  get(key) {
    return this.#values[key];
  }

  /** @param {string} key @param {any} value */
  set(key, value) {
    if (JSON.stringify(this.#values[key]) === JSON.stringify(value)) return;
    this.#values[key] = value;
    this.dispatchEvent(new Event(`change:${key}`));
  }

  on = this.addEventListener;
  off = this.removeEventListener;

  save_changes() {}
}
