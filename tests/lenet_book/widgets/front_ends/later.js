// @ts-check
import { button, element } from "../../../../book/lenet_book/widgets/shared/elements.js";
import { double } from "./probe_part.js";

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ el }) {
  const output = element("output", {}, `${double(1)}`);
  const later = async () => {
    const Answer = await import("./later_part.js").then((part) => part.Answer);
    output.textContent = await new Answer(20).ask();
  };
  el.append(element("div", { class: "lenet-widget" }, button("later", later), output));
}

export default { render };
