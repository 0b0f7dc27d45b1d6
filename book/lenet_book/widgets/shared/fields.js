// @ts-check
/** What a reader types or chooses in: text fields, boxes to tick, boxes to choose from. */
import { element } from "./elements.js";

/** What an arrow key changes a number by. @type {Record<string, number>} */
const CHANGES = { ArrowUp: 1, ArrowDown: -1 };

/**
 * Make a text field. Escape puts back what stood in it when it got the focus.
 *
 * @param {Record<string, any>} attributes
 * @param {(text: string) => void} typed  hears of every change
 * @param {(text: string, change: number) => string} [next]  what an arrow key makes of a text
 */
export function textField(attributes, typed, next) {
  const input = element("input", { type: "text", autocomplete: "off", ...attributes, oninput: () => typed(input.value) });
  let before = input.value;
  input.addEventListener("focus", () => {
    before = input.value;
  });
  input.addEventListener("keydown", (event) => {
    const change = next && CHANGES[event.key];
    if (change) event.preventDefault();
    else if (event.key === "Escape" && input.value !== before) event.stopPropagation(); // it does no more than that
    else return;
    input.value = change ? next(input.value, change) : before;
    typed(input.value);
  });
  return input;
}

/** Make a box to tick. @param {string} text @param {(checked: boolean) => void} ticked @param {Record<string, any>} [attributes] */
export function checkbox(text, ticked, attributes = {}) {
  const box = element("input", { type: "checkbox", ...attributes, onchange: () => ticked(box.checked) });
  return { box, node: element("label", { class: "lenet-check" }, box, text) };
}

/** Make a box to choose from. @param {string} text  what is chosen @param {string[]} names @param {(index: number) => void} chosen @param {Record<string, any>} [attributes] */
export function choice(text, names, chosen, attributes = {}) {
  const options = names.map((name) => element("option", {}, name));
  const box = element("select", { ...attributes, onchange: () => chosen(box.selectedIndex) }, ...options);
  return { box, node: element("label", { class: "lenet-choice" }, text, box) };
}
