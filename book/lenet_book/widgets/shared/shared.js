// @ts-check
/** What the front ends of all widgets have in common. */

/**
 * A widget's values, shared with Python where there is a kernel.
 *
 * @typedef {object} Model
 * @property {(key: string) => any} get
 * @property {(key: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, listener: (...values: any[]) => void) => void} on
 * @property {(event: string, listener: (...values: any[]) => void) => void} off
 */

/** @typedef {Float32Array | Int32Array | Uint8Array} Numbers */

/**
 * Numbers with a shape, the last axis running fastest.
 *
 * @typedef {object} Tensor
 * @property {number[]} shape
 * @property {Numbers} data
 */

/** @typedef {[red: number, green: number, blue: number]} Colour  0 to 255 each */

// ---------------------------------------------------------------------------- arrays

/**
 * Read the arrays that Python packed; float16 becomes float32.
 *
 * @param {Model} model
 * @returns {Record<string, Tensor>}
 */
export function readArrays(model) {
  /** @type {DataView} */
  const view = model.get("data");
  /** @type {Record<string, Tensor>} */
  const arrays = {};
  for (const { name, dtype, shape, offset, length } of model.get("meta").arrays) {
    const start = view.byteOffset + offset;
    const bytes = view.buffer.slice(start, start + length); // the view may begin anywhere
    arrays[name] = { shape, data: numbersOf(dtype, bytes) };
  }
  return arrays;
}

/** @param {string} dtype @param {ArrayBufferLike} bytes @returns {Numbers} */
function numbersOf(dtype, bytes) {
  if (dtype === "float16") return Float32Array.from(new Uint16Array(bytes), halfToNumber);
  if (dtype === "float32") return new Float32Array(bytes);
  if (dtype === "int32") return new Int32Array(bytes);
  return new Uint8Array(bytes);
}

/**
 * Read the 16 bits of an IEEE 754 half as a number.
 *
 * @param {number} bits
 */
export function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 25) * (1024 + fraction);
}

// ---------------------------------------------------------------------------- elements

/** What keeps JupyterLab's own shortcuts, such as the arrow keys, away from a widget's element. */
export const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

/** Where these have the focus, JupyterLab asks them alone and not what they stand in. */
const CONTROLS = ["button", "input", "select"];

/**
 * Make an element. Attributes that begin with "on" are listeners; children that are no elements
 * are set as text. A control keeps its keys for itself.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]  null, undefined and false leave an attribute out
 * @param {...(Node | string | number)} children
 * @returns {HTMLElementTagNameMap[Tag]}
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

/** Set an attribute, unless it is set so already: that alone would make the browser work. @param {Element} node @param {string} name @param {string} value */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Set a text, unless it stands there already. @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let numNames = 0;

/** Make an id that no other element of the page has. @param {string} word */
export function uniqueId(word) {
  numNames += 1;
  return `lenet-${word}-${numNames}`;
}

/**
 * Make a region whose texts are read aloud when they change.
 *
 * @returns {{ node: HTMLElement, say: (text: string) => void }}
 */
export function announcer() {
  const node = element("p", { class: "lenet-aloud", "aria-live": "polite" });
  return {
    node,
    say: (text) => setText(node, text),
  };
}

/**
 * Let the arrow keys, Home and End move within a row of buttons, which is one stop of the tab key.
 *
 * @param {HTMLElement} row
 * @param {() => HTMLElement[]} items
 */
export function arrowKeys(row, items) {
  row.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[
      event.key
    ];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(to, 0), all.length - 1)];
    for (const item of all) item.tabIndex = item === next ? 0 : -1;
    next.focus();
  });
}

/** Does the reader ask for less motion? */
export function prefersLessMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// ---------------------------------------------------------------------------- numbers as text

/**
 * Write a number with a true minus sign and never as −0.
 *
 * @param {number} value
 * @param {number} [decimals]
 */
export function numberText(value, decimals = 4) {
  if (!Number.isFinite(value)) return String(value).replace("-", "−");
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Write a count with a comma between thousands. @param {number} count */
export function countText(count) {
  return count.toLocaleString("en-US");
}

/** Write a shape as Python does. @param {(number | string)[]} shape */
export function shapeText(shape) {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

// ---------------------------------------------------------------------------- colours

const BELOW = /** @type {Colour} */ ([5, 80, 160]);
const ABOVE = /** @type {Colour} */ ([178, 24, 43]);
const BELOW_IN_THE_DARK = /** @type {Colour} */ ([92, 170, 240]);
const ABOVE_IN_THE_DARK = /** @type {Colour} */ ([255, 120, 100]);

/**
 * The colours around a widget, read from the page.
 *
 * @typedef {object} Theme
 * @property {Colour} ink
 * @property {Colour} ground
 * @property {string} line
 * @property {string} window  the colour of what the reader is asked to look at
 * @property {boolean} isDark
 */

/** @param {string} text @returns {Colour} */
function parseColour(text) {
  const [red = 0, green = 0, blue = 0] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

/** @param {Colour} colour */
function luminance([red, green, blue]) {
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}

/** @param {HTMLElement} widget  an element with the class `lenet-widget` @returns {Theme} */
export function readTheme(widget) {
  const style = getComputedStyle(widget);
  const ground = parseColour(style.backgroundColor);
  return {
    ink: parseColour(style.color),
    ground,
    line: style.getPropertyValue("--lenet-line").trim() || "#888",
    window: style.getPropertyValue("--lenet-window").trim() || "#e07b20",
    isDark: luminance(ground) < 0.5,
  };
}

/**
 * Call `redraw` whenever the page changes between light and dark.
 *
 * @param {() => void} redraw
 * @returns {() => void}  ends it
 */
export function watchTheme(redraw) {
  const observer = new MutationObserver(redraw);
  const attributes = ["class", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind", "theme"];
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: attributes });
  }
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);
  return () => {
    observer.disconnect();
    scheme.removeEventListener("change", redraw);
  };
}

/**
 * Colour a value as the book's figures do: blue below zero, red above, the ground at zero, full
 * colour at ±limit.
 *
 * @param {number} value @param {number} limit @param {Theme} theme
 * @returns {Colour}
 */
export function signedColour(value, limit, theme) {
  const zero = theme.isDark ? theme.ground : /** @type {Colour} */ ([255, 255, 255]);
  const [below, above] = theme.isDark ? [BELOW_IN_THE_DARK, ABOVE_IN_THE_DARK] : [BELOW, ABOVE];
  const share = Math.min(Math.abs(value) / (limit || 1), 1) ** 0.75; // small values show, too
  const full = value < 0 ? below : above;
  const mixed = (/** @type {number} */ i) => Math.round(zero[i] + share * (full[i] - zero[i]));
  return [mixed(0), mixed(1), mixed(2)];
}

/**
 * Colour a pixel of a grey picture, black at `low` and white at `high`.
 *
 * @param {number} value @param {number} low @param {number} high
 * @returns {Colour}
 */
export function greyColour(value, low, high) {
  const grey = Math.round((255 * (Math.min(Math.max(value, low), high) - low)) / (high - low || 1));
  return [grey, grey, grey];
}

/** @param {Colour} colour */
export function colourText([red, green, blue]) {
  return `rgb(${red}, ${green}, ${blue})`;
}

/** How much light a colour sends, from 0 to 1 (WCAG 2, relative luminance). @param {Colour} colour */
function relativeLuminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The ink, black or white, that stands out more on a colour. @param {Colour} ground */
export function inkOn(ground) {
  const light = relativeLuminance(ground) + 0.05;
  return light / 0.05 > 1.05 / light ? "#000" : "#fff";
}

// ---------------------------------------------------------------------------- canvas

/**
 * Give a canvas its size on the page, sharp on screens of high resolution.
 *
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height  CSS pixels
 * @returns {CanvasRenderingContext2D}  with CSS pixels as its unit
 */
export function sizeCanvas(canvas, width, height) {
  const ratio = Math.max(1, globalThis.devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = false;
  return context;
}
