// @ts-check
/** What does not fit, why, and what mends it, as the calculator and pasted code show it. */
import { button, element } from "../shared/elements.js";

/** @param {string} text @param {string} [look] */
export function paragraph(text, look) {
  return element("p", { class: look }, text);
}

/** @param {string} words  of PyTorch's */
export function quoted(words) {
  return element("p", { class: "lenet-muted" }, "PyTorch says: ", element("code", {}, words));
}

/** What is wrong and why, in our words and in PyTorch's. @param {{ what: string, why: string, error: string }} explanation */
export function reasons({ what, why, error }) {
  const parts = [paragraph(`${what}.`, "lenet-what")];
  if (why) parts.push(paragraph(`Why: ${why}.`));
  return error ? [...parts, quoted(error)] : parts;
}

/** A fix with its code, and with a button where it can be made here. @param {string} text @param {string[]} lines @param {(() => void) | null} apply */
export function fixItem(text, lines, apply) {
  const words = element("span", {}, ...lines.map((line) => element("code", {}, line)), text);
  return element("li", {}, words, ...(apply ? [button("Apply", apply, { "aria-label": `Apply: ${text}` })] : []));
}
