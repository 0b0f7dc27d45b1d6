// @ts-check
/** What stands around the calculator's table: presets, the input's shape, the code. */
import { button, element, setText } from "../shared/elements.js";
import { choice, textField } from "../shared/fields.js";
import { parseSetting, stepped, typedText } from "./editing.js";

const CHANGED = "your own";

/** @param {Preset[]} presets @param {(preset: Preset) => void} chosen */
export function presetChoice(presets, chosen) {
  const { box, node } = choice("network", [CHANGED, ...presets.map(({ name }) => name)], (index) => index && chosen(presets[index - 1]));
  /** @param {Stack} stack */
  const show = ({ layers, imageShape }) => {
    const shown = JSON.stringify([layers, imageShape]);
    box.selectedIndex = presets.findIndex((preset) => JSON.stringify([preset.layers, preset.input_shape]) === shown) + 1;
  };
  return { node, show };
}

/** @param {(axis: number, entry: Setting) => void} changed */
export function inputFields(changed) {
  const inputs = ["channels", "height", "width"].map((name, axis) => textField({ size: 3, inputmode: "numeric", "aria-label": `input ${name}` },
    (text) => changed(axis, parseSetting(text)), (text, change) => stepped(text, change, 1)));
  const [channels, height, width] = inputs;
  const node = element("span", { class: "lenet-choice", role: "group", "aria-label": "shape of one image" }, "input", channels, "×", height, "×", width);
  /** @param {Setting[]} shape */
  const show = (shape) => inputs.forEach((input, axis) => {
    if (JSON.stringify(parseSetting(input.value)) !== JSON.stringify(shape[axis])) input.value = typedText(shape[axis]);
  });
  return { node, show };
}

/** @param {() => void} copied */
export function codeBox(copied) {
  const code = element("code");
  const copying = copyButton("Copy the PyTorch code", () => code.textContent ?? "", copied);
  const node = element("div", { class: "lenet-copying" }, copying.node,
    element("pre", { tabindex: 0, role: "region", "aria-label": "PyTorch code" }, code));
  /** @param {string | null} text  null when the stack cannot be made */
  const show = (text) => {
    node.hidden = text === null;
    if (text === code.textContent) return;
    code.textContent = text;
    copying.show();
  };
  return { node, show };
}

/** A button that copies a text, and says so until it is shown anew. @param {string} name @param {() => string | Promise<string>} textOf @param {() => void} copied */
export function copyButton(name, textOf, copied) {
  const node = button(name, async () => {
    await copy(await textOf());
    setText(node, "Copied");
    copied();
  });
  return { node, show: () => setText(node, name) };
}

/** Copy a text; where the page may not write to the clipboard, by selecting it. @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const selected = element("pre", {}, text);
    document.body.append(selected);
    getSelection()?.selectAllChildren(selected);
    document.execCommand("copy");
    selected.remove();
  }
}
