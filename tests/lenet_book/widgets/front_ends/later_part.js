// @ts-check
import { double } from "./probe_part.js";
import { Sum } from "./later_sum.js";

/** Doubles a number in the page, and adds two in a worker. */
export class Answer extends Sum {
  ask() {
    const program = URL.createObjectURL(new Blob([`(${functionOf("./later_work.js")})()`]));
    const worker = new Worker(program);
    worker.postMessage(double(this.start));
    return new Promise((came) => (worker.onmessage = ({ data }) => came(`${data}`)));
  }
}
