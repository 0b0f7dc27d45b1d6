// @ts-check
/** One picture of the explorer as a stepper takes it: a model of its own, over the same bytes. */

/** @typedef {import("../stage/state.js").Meta} Meta */

/**
 * Cut one picture, and what was recorded for it, out of a stepper's values.
 *
 * @param {Meta & { arrays: ArrayEntry[] }} meta @param {number} index  of the picture
 * @returns {Meta & { arrays: ArrayEntry[] }}
 */
export function metaOfOne(meta, index) {
  const recorded = meta.steps.flatMap((step) => (step.perImage ? [String(step.values)] : []));
  const perPicture = new Set(["pictures", ...recorded]);
  const arrays = meta.arrays.map((entry) => {
    if (!perPicture.has(entry.name)) return entry;
    const length = entry.length / entry.shape[0];
    return { ...entry, shape: [1, ...entry.shape.slice(1)], offset: entry.offset + index * length, length };
  });
  return { ...meta, arrays, labels: meta.labels && [meta.labels[index]] };
}

/** The values of a widget that nobody but the page knows. @implements {Model} */
export class OwnModel extends EventTarget {
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

  save_changes() {}

  /** @param {string} event @param {() => void} listener */
  on(event, listener) {
    this.addEventListener(event, listener);
  }

  /** @param {string} event @param {() => void} listener */
  off(event, listener) {
    this.removeEventListener(event, listener);
  }
}
