// @ts-check
/** Bars that begin where the one before has ended: how a sum grows, term by term. */
import { element } from "../shared/elements.js";

/** @param {number} count  of terms @returns {{ cells: HTMLElement[], show: (terms: number[]) => void }} */
export function runningTotal(count) {
  const bars = Array.from({ length: count }, () => element("i", {}));
  const zeros = bars.map(() => element("i", { class: "lenet-zero" }));
  const cells = bars.map((bar, i) => element("span", { class: "lenet-total", "aria-hidden": "true" }, zeros[i], bar));
  return {
    cells,
    show(terms) {
      const ends = terms.reduce((/** @type {number[]} */ all, term) => [...all, all[all.length - 1] + term], [0]);
      const [low, high] = [Math.min(...ends), Math.max(...ends)];
      const share = (/** @type {number} */ value) => (100 * (value - low)) / (high - low || 1);
      bars.forEach((bar, i) => {
        const [from, to] = [ends[i], ends[i + 1] ?? ends[i]];
        bar.className = to < from ? "lenet-below" : "lenet-above";
        bar.style.left = `${share(Math.min(from, to))}%`;
        bar.style.width = `max(1px, ${share(Math.max(from, to)) - share(Math.min(from, to))}%)`;
        zeros[i].style.left = `${share(0)}%`;
      });
    },
  };
}
