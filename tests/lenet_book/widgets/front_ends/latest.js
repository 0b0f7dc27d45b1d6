// @ts-check
import { Sum } from "./later_sum.js";
import { double } from "./probe_part.js";

/** Double a number in the page, and add two in a worker. @param {number} start @returns {Promise<string>} */
export function askWorker(start) {
  const worker = startWorker("addTwo");
  worker.postMessage(double(start));
  return new Promise((came) => (worker.onmessage = ({ data }) => came(data)));
}

/** What a worker does. */
export function addTwo() {
  onmessage = ({ data }) => postMessage(`${new Sum(data).start + double(1)} </script><!--`);
}
