// @ts-check
/** The colours of the page around a widget, and how numbers become colours. */

/** @typedef {[red: number, green: number, blue: number]} Colour  0 to 255 each */

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
