// @ts-check
/** Training from nothing alone; what comes of it stands in `window.progress`. */
import { readArrays } from "../../../../book/lenet_book/widgets/shared/arrays.js";
import { Engine } from "../../../../book/lenet_book/widgets/stage/engine.js";

/** @param {{ model: Model, el: HTMLElement }} context */
async function render({ model, el }) {
  const { steps, digits, settings } = model.get("meta");
  const arrays = readArrays(model);
  const [, side] = new Engine(steps, arrays).program[0].shape;
  const { readDigits, trainFromNothing } = await import("../../../../book/lenet_book/widgets/stage/backward/learning.js");
  const [training, test] = [digits.training, digits.test].map((packed) => readDigits(packed, side, 0.1307, 0.3081));
  const progress = [];
  Object.assign(window, { progress, training });
  el.classList.add("lenet-widget");
  el.textContent = "0 epochs";
  trainFromNothing({ program: steps, arrays, training, test, ...settings }, (told) => {
    progress.push({ ...told, arrays: Object.fromEntries(Object.entries(told.arrays).map(([name, { data }]) => [name, Array.from(data)])) });
    el.textContent = `${told.epoch} epochs`;
  });
}

export default { render };
