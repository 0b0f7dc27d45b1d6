// @ts-check
import { Sum } from "./later_sum.js";

/** Asks what comes still later. */
export class Answer extends Sum {
  async ask() {
    const { askWorker } = await import("./latest.js");
    return askWorker(this.start);
  }
}
