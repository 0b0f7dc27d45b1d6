// @ts-check
/** Code with its changed lines marked, around the change or as a whole. */
import { button, element } from "../shared/elements.js";

const CONTEXT = 2; // lines around a change

export function difference() {
  const code = element("code");
  const whole = button("", () => show(shown, !isWhole));
  /** @type {string[]} */
  let shown = [];
  let isWhole = false;
  /** @param {string[]} lines  each after two characters: "- " if left out, "+ " if new @param {boolean} [all]  or only around the change */
  const show = (lines, all = isWhole) => {
    [shown, isWhole] = [lines, all];
    const changed = lines.flatMap((line, index) => (line.startsWith(" ") ? [] : [index]));
    const isNear = (/** @type {number} */ index) => all || changed.some((at) => Math.abs(at - index) <= CONTEXT);
    const indent = Math.min(...lines.filter((line, index) => line.trim() && isNear(index)).map((line) => line.slice(2).search(/\S/)));
    code.replaceChildren(...lines.flatMap((line, index) => {
      if (isNear(index)) return [markedLine(line.slice(0, 2) + line.slice(2 + indent))];
      return index === 0 || isNear(index - 1) ? [element("span", { class: "lenet-gap" }, "⋯\n")] : [];
    }));
    whole.textContent = all ? "Show the change only" : "Show the whole loop";
  };
  const frame = element("pre", { class: "lenet-mono", role: "region", "aria-label": "the changed code" }, code);
  return { node: element("div", { class: "lenet-diff" }, frame, whole), show };
}

/** @param {string} line */
function markedLine(line) {
  const [kind, sign] = { "-": ["removed", "−"], "+": ["added", "+"] }[line[0]] ?? [];
  if (!kind) return element("span", {}, `${line}\n`);
  const spoken = element("span", { class: "lenet-aloud" }, `${kind}: `);
  return element("span", { class: `lenet-${kind}` }, element("span", { "aria-hidden": "true" }, sign), spoken, `${line.slice(1)}\n`);
}
