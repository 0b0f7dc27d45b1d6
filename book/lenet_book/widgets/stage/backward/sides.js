// @ts-check
/** The other sides of the stage, each of which comes when it is first used: the walk back, and the lessons. */
import { trainedNames } from "./training.js";
import { WalkBack } from "./walk.js";

/** @param {"back" | "teach"} mode @param {State} state @param {SideListener} tell @returns {Promise<Side>} */
export async function makeSide(mode, state, tell) {
  const { steps, engine: { arrays } } = state;
  for (const name of trainedNames(steps)) state.start[name] ??= { ...arrays[name], data: arrays[name].data.slice() };
  if (mode === "back") return new WalkBack(state, tell);
  const { Lessons } = await import("./lessons.js");
  return new Lessons(state, tell);
}
