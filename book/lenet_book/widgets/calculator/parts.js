// @ts-check
/** What stands around the calculator's table: presets, the input's shape, layers to add, the code. */
import { button, element } from "../shared/elements.js";
import { giveUpByEscape, stepByArrows } from "../shared/fields.js";
import { parseSetting, typedText } from "./code.js";

/** @typedef {import("./kinds.js").Layer} Layer */
/** @typedef {import("./kinds.js").Setting} Setting */
/** @typedef {{ name: string, input_shape: number[], layers: Layer[] }} Preset */

const CHANGED = "your own";

/** @param {Preset[]} presets @param {(preset: Preset) => void} choose */
export function presetChoice(presets, choose) {
  const options = [CHANGED, ...presets.map((preset) => preset.name)].map((name) => element("option", {}, name));
  const box = element("select", {
    onchange: () => {
      const preset = presets[box.selectedIndex - 1];
      if (preset) choose(preset);
    },
  }, ...options);
  /** @param {{ layers: Layer[], imageShape: Setting[] }} stack */
  const show = ({ layers, imageShape }) => {
    const isSame = (/** @type {Preset} */ preset) =>
      JSON.stringify([preset.layers, preset.input_shape]) === JSON.stringify([layers, imageShape]);
    box.selectedIndex = presets.findIndex(isSame) + 1;
  };
  return { node: element("label", { class: "lenet-choice" }, "network", box), show };
}

/** @param {(axis: number, entry: Setting) => void} changed */
export function inputFields(changed) {
  const inputs = ["channels", "height", "width"].map((name, axis) => {
    const input = element("input", {
      type: "text", size: 3, inputmode: "numeric", autocomplete: "off", "aria-label": `input ${name}`,
      oninput: () => changed(axis, parseSetting(input.value)),
    });
    stepByArrows(input, (change) => {
      input.value = String(Math.max(1, (Number(input.value) || 0) + change));
      changed(axis, Number(input.value));
    });
    giveUpByEscape(input);
    return input;
  });
  const [channels, height, width] = inputs;
  const node = element("span", { class: "lenet-choice", role: "group", "aria-label": "shape of one image" },
    "input", channels, "×", height, "×", width);
  /** @param {Setting[]} shape */
  const show = (shape) => inputs.forEach((input, axis) => {
    if (JSON.stringify(parseSetting(input.value)) !== JSON.stringify(shape[axis])) input.value = typedText(shape[axis]);
  });
  return { node, show };
}

/** @param {() => void} copied */
export function codeBox(copied) {
  const code = element("code");
  const pre = element("pre", { tabindex: 0, role: "region", "aria-label": "PyTorch code" }, code);
  const copyButton = button("Copy the PyTorch code", async () => {
    await copy(code);
    copyButton.textContent = "Copied";
    copied();
  });
  const node = element("div", { class: "lenet-copying" }, copyButton, pre);
  /** @param {string | null} text  null when the stack cannot be made */
  const show = (text) => {
    node.hidden = text === null;
    if (text === code.textContent) return;
    code.textContent = text ?? "";
    copyButton.textContent = "Copy the PyTorch code";
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
