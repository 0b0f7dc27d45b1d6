// @ts-check
// What stands around the calculator's table: presets, the input's shape, layers to add, the code.

import { element } from "../shared/elements.js";
import { parseSetting, typedText } from "./code.js";
import { KINDS } from "./layers.js";

/** @typedef {import("./layers.js").Layer} Layer */
/** @typedef {import("./layers.js").Setting} Setting */
/** @typedef {{name: string, input_shape: number[], layers: Layer[]}} Preset */

const CHANGED = "your own";

/**
 * @param {Preset[]} presets
 * @param {(preset: Preset) => void} choose
 */
export function presetChoice(presets, choose) {
  const options = [CHANGED, ...presets.map((preset) => preset.name)].map((name) => element("option", {}, name));
  const box = element("select", {
    onchange: () => {
      const preset = presets[box.selectedIndex - 1];
      if (preset) choose(preset);
    },
  }, ...options);
  const node = element("label", { class: "choice" }, "network", box);
  /** @param {{layers: Layer[], imageShape: Setting[]}} stack */
  const show = ({ layers, imageShape }) => {
    const same = (/** @type {Preset} */ preset) =>
      JSON.stringify([preset.layers, preset.input_shape]) === JSON.stringify([layers, imageShape]);
    box.selectedIndex = presets.findIndex(same) + 1;
  };
  return { node, show };
}

/** @param {(axis: number, entry: Setting) => void} changed */
export function inputFields(changed) {
  const inputs = ["channels", "height", "width"].map((name, axis) => {
    const input = element("input", {
      type: "text", size: 3, inputmode: "numeric", autocomplete: "off", "aria-label": `input ${name}`,
      oninput: () => changed(axis, parseSetting(input.value)),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (!up) return;
        event.preventDefault();
        input.value = String(Math.max(1, (Number(input.value) || 0) + up));
        changed(axis, Number(input.value));
      },
    });
    return input;
  });
  const [channels, height, width] = inputs;
  const node = element("span", { class: "choice", role: "group", "aria-label": "shape of one image" },
    "input", channels, "×", height, "×", width);
  /** @param {Setting[]} shape */
  const show = (shape) => inputs.forEach((input, axis) => {
    if (document.activeElement !== input) input.value = typedText(shape[axis]);
  });
  return { node, show };
}

/** @param {(type: string) => void} add */
export function layerButtons(add) {
  return Object.keys(KINDS).map((type) =>
    element("button", { type: "button", class: "lenet-button", onclick: () => add(type) }, type));
}

/** @param {() => void} copied */
export function codeBox(copied) {
  const code = element("code");
  const pre = element("pre", { class: "code", tabindex: 0, role: "region", "aria-label": "PyTorch code" }, code);
  const button = element("button", {
    type: "button", class: "lenet-button",
    onclick: async () => {
      await copy(code);
      button.textContent = "Copied";
      copied();
    },
  }, "Copy the PyTorch code");
  const node = element("div", { class: "copying" }, button, pre);
  /** @param {string | null} text null when the stack cannot be made */
  const show = (text) => {
    node.hidden = text === null;
    if (text === code.textContent) return;
    code.textContent = text ?? "";
    button.textContent = "Copy the PyTorch code";
  };
  return { node, show };
}

/** Copy an element's text; where the page may not write to the clipboard, by selecting it. @param {HTMLElement} source */
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent ?? "");
  } catch {
    getSelection()?.selectAllChildren(source);
    document.execCommand("copy");
  }
}
