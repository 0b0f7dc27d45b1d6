// @ts-check
import { double } from "./probe_part.js";

/** A sum that begins with a number. */
export class Sum {
  /** @param {number} start */
  constructor(start) {
    this.start = start;
  }
}

/** What a worker does. */
export function addTwo() {
  onmessage = ({ data }) => postMessage(`${new Sum(data).start + double(1)} </script><!--`);
}
