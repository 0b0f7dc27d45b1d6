// @ts-check
/** What colours and lines mean. */
import { element, svgElement } from "./elements.js";

/** A ramp of colours from one end to the other. @param {string} low @param {string} high @param {string} [meaning] */
export function rampLegend(low, high, meaning = "") {
  const ramp = element("span", { class: "lenet-ramp", "aria-hidden": "true" });
  return element("p", { class: "lenet-legend" }, low, ramp, high, element("span", { class: "lenet-muted" }, meaning));
}

/** A piece of a line, and its name. @param {string} look  the line's class @param {...(Node | string)} name */
export function lineKey(look, ...name) {
  const line = svgElement("line", { x1: 0, x2: 22, y1: 5, y2: 5, class: `lenet-line ${look}` });
  return element("span", { class: "lenet-key" }, svgElement("svg", { width: 22, height: 10, "aria-hidden": "true" }, line), ...name);
}
