// @ts-check
/** The colours of the page around a widget, and how numbers become colours. */

/** @param {string} text  "rgb(...)" or "#rrggbb" @returns {Colour} */
function parseColour(text) {
  const hexadecimal = text.startsWith("#") ? text.match(/[\da-f]{2}/gi)?.map((pair) => parseInt(pair, 16)) : null;
  const [red = 0, green = 0, blue = 0] = hexadecimal ?? text.match(/[\d.]+/g)?.map(Number) ?? [];
  return [red, green, blue];
}

/** Read a widget's colours, and tell its sheets if it is dark. @param {HTMLElement} widget  an element with the class `lenet-widget` @returns {Theme} */
export function readTheme(widget) {
  const style = getComputedStyle(widget);
  const ground = parseColour(style.backgroundColor);
  const isDark = inkOn(ground) === "#fff";
  widget.classList.toggle("lenet-dark", isDark);
  const [line, frame, ...others] = ["line", "window", "below", "zero", "above"].map((name) => style.getPropertyValue(`--lenet-${name}`).trim());
  const [below, zero, above] = others.map(parseColour);
  return { ground, below, zero: isDark ? ground : zero, above, line, window: frame, isDark };
}

/** Call `redraw` whenever the page changes between light and dark. @param {() => void} redraw @returns {() => void}  ends it */
export function watchTheme(redraw) {
  const observer = new MutationObserver(redraw);
  const attributeFilter = ["class", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind", "theme"];
  for (const node of [document.documentElement, document.body]) observer.observe(node, { attributeFilter });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);
  return () => {
    observer.disconnect();
    scheme.removeEventListener("change", redraw);
  };
}

/** Colour a value as the book's figures do: blue below zero, red above, full at ±limit. @param {number} value @param {number} limit @param {Theme} theme @returns {Colour} */
export function signedColour(value, limit, theme) {
  const share = Math.min(Math.abs(value) / (limit || 1), 1) ** 0.75; // small values show, too
  const full = value < 0 ? theme.below : theme.above;
  const mixed = (/** @type {number} */ i) => Math.round(theme.zero[i] + share * (full[i] - theme.zero[i]));
  return [mixed(0), mixed(1), mixed(2)];
}

/** Colour a pixel of a grey picture, black at `low` and white at `high`. @param {number} value @param {number} low @param {number} high @returns {Colour} */
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
