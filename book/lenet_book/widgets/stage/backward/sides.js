// @ts-check
/** The other sides of the stage, each of which comes when it is first used: the walk back, and the lessons. */
import { trainedNames } from "./training.js";
import { WalkBack } from "./walk.js";

/** @param {"back" | "teach"} mode @param {State} state @param {SideListener} tell @returns {Promise<Side>} */
export async function makeSide(mode, state, tell) {
  for (const name of trainedNames(state.steps)) state.start[name] ??= structuredClone(state.engine.arrays[name]);
  if (mode === "back") return new WalkBack(state, tell);
  const { Lessons } = await import("./lessons.js");
  return new Lessons(state, tell);
}
