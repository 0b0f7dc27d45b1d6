// @ts-check
/** The stage's input alone: its panel, a small second pad, the preparation, and what the network says. */
import { Pad } from "../../../../book/lenet_book/widgets/stage/input/pad.js";
import { InputPanel } from "../../../../book/lenet_book/widgets/stage/input/panel.js";
import { Preparation } from "../../../../book/lenet_book/widgets/stage/input/preparation.js";
import { State } from "../../../../book/lenet_book/widgets/stage/state.js";
import { element, setText } from "../../../../book/lenet_book/widgets/shared/elements.js";

export default {
  render({ model, el }) {
    const state = new State(model);
    const answer = element("output", {});
    const show = () => {
      state.compute();
      for (const part of [panel, small, preparation]) part.show();
      const scores = [...state.engine.values[state.steps.length - 1]];
      setText(answer, state.input.isBlank ? "nothing" : state.meta.classes[scores.indexOf(Math.max(...scores))]);
    };
    const tell = {
      chosen: (sample) => state.choose({ sample }),
      drawn: show,
      lifted: () => el.setAttribute("data-lifted", String(Number(el.dataset.lifted ?? 0) + 1)),
    };
    const panel = new InputPanel(state.input, tell);
    const small = new Pad(state.input, tell);
    const preparation = new Preparation(state.input);
    const boxed = (name, [width, height], ...nodes) =>
      element("div", { class: name, style: `width: ${width}px; height: ${height}px; border: 1px dotted gray; margin: 0.5rem` }, ...nodes);
    const rooms = { panel: innerWidth < 500 ? [360, 420] : [380, 360], preparation: innerWidth < 500 ? [360, 360] : [420, 360] };
    const root = element("div", { class: "lenet-widget" }, boxed("small", [90, 90], small.node), boxed("panel", rooms.panel, panel.node));
    root.append(boxed("preparation", rooms.preparation, preparation.node), answer);
    el.append(root, element("input", { "aria-label": "elsewhere" }));
    panel.layOut(rooms.panel[0], rooms.panel[1]);
    small.side = 90;
    preparation.layOut(rooms.preparation[0], rooms.preparation[1]);
    const stop = panel.accept(root);
    show();
    model.on("change:sample", show);
    Object.assign(window, { input: state.input });
    return stop;
  },
};
