// @ts-check
/** The other sides of the stage, each of which comes when it is first used: the walk back, and the lessons. */
import { copyOf, trainedNames } from "./optimizers.js";
import { WalkBack } from "./walk.js";

/** @param {"back" | "teach"} mode @param {State} state @param {SideListener} tell @returns {Promise<Side>} */
export async function makeSide(mode, state, tell) {
  if (!Object.keys(state.start).length) state.start = copyOf(state.engine.arrays, trainedNames(state.steps));
  if (mode === "back") return new WalkBack(state, tell);
  const { Lessons } = await import("./lessons.js");
  return new Lessons(state, tell);
}
