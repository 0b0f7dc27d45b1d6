// @ts-check
import { readArrays } from "../../../../book/lenet_book/widgets/shared/arrays.js";
import { readTheme } from "../../../../book/lenet_book/widgets/shared/colours.js";
import { element } from "../../../../book/lenet_book/widgets/shared/elements.js";
import { double } from "./probe_part.js";

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ model, el }) {
  if (model.get("meta").fails) throw new Error("the probe was told to fail");
  const sum = readArrays(model).values.data.reduce((total, value) => total + value, 0);
  const output = element("output");
  const show = () => (output.textContent = `${model.get("meta").name}: ${double(model.get("count"))}, ${sum}`);
  const more = () => {
    model.set("count", model.get("count") + 1);
    model.save_changes();
  };
  const root = element("div", { class: "lenet-widget probe" }, element("button", { onclick: more }, "more"), output);
  el.append(root);
  root.dataset.dark = String(readTheme(root).isDark);
  model.on("change:count", show);
  show();
  return () => model.off("change:count", show);
}

export default { render };
