// @ts-check
/** Elements of a page: made, named, read aloud, and moved through with keys. */

/** What keeps JupyterLab's own shortcuts, such as the arrow keys, away from a widget's element. */
export const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

/** Where these have the focus, JupyterLab asks them alone and not what they stand in. */
const CONTROLS = ["button", "input", "select"];

/**
 * Make an element. Attributes that begin with "on" are listeners; children that are no elements
 * are set as text. A control keeps its keys for itself.
 *
 * @template {keyof HTMLElementTagNameMap} Tag @param {Tag} tag
 * @param {Record<string, any>} [attributes]  null, undefined and false leave an attribute out
 * @param {...(Node | string | number)} children @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  const own = CONTROLS.includes(tag) ? OWN_KEYS : {};
  for (const [name, value] of Object.entries({ ...own, ...attributes })) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

/** Make a button. @param {string} text @param {() => void} onclick @param {Record<string, any>} [attributes] */
export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", class: "lenet-button", onclick, ...attributes }, text);
}

/**
 * Make an element of a drawing.
 *
 * @template {keyof SVGElementTagNameMap} Tag @param {Tag} tag @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children @returns {SVGElementTagNameMap[Tag]}
 */
export function svgElement(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** Set an attribute, unless it is set so already: that alone would make the browser work. @param {Element} node @param {string} name @param {string} value */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Set a text, unless it stands there already; in a node that is kept, it costs the browser least. @param {Element} node @param {string} text */
export function setText(node, text) {
  const { firstChild, childNodes } = node;
  const kept = firstChild instanceof Text && childNodes.length === 1 ? firstChild : null;
  if (!kept) node.textContent = text;
  else if (kept.data !== text) kept.data = text;
}

/** Make text with code between backticks. @param {string} text @returns {(Node | string)[]} */
export function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** Set such a text, unless it stands there already. @param {Element} node @param {string} text */
export function setWithCode(node, text) {
  if (node.textContent !== text.replaceAll("`", "")) node.replaceChildren(...withCode(text));
}

let numNames = 0;

/** Make an id that no other element of the page has. @param {string} word */
export function uniqueId(word) {
  return `lenet-${word}-${++numNames}`;
}

/** Make a region whose texts are read aloud when they change. */
export function announcer() {
  const node = element("p", { class: "lenet-aloud", "aria-live": "polite" });
  return { node, say: (/** @type {string} */ text) => setText(node, text) };
}

/** Let the arrow keys, Home and End move within a row of buttons, which is one stop of the tab key. @param {HTMLElement} row @param {() => HTMLElement[]} items */
export function arrowKeys(row, items) {
  row.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(to, 0), all.length - 1)];
    for (const item of all) item.tabIndex = item === next ? 0 : -1;
    next.focus();
  });
}

/** Call `act` whenever an element gets another size, and for its first. @param {Element} node @param {() => void} act @returns {() => void}  ends it */
export function watchSize(node, act) {
  const observer = new ResizeObserver(act);
  observer.observe(node);
  return () => observer.disconnect();
}

/** Does the reader ask for less motion? */
export function prefersLessMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
