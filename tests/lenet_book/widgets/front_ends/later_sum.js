// @ts-check

/** A sum that begins with a number. */
export class Sum {
  /** @param {number} start */
  constructor(start) {
    this.start = start;
  }
}
