// @ts-check
/** The other sides of the stage, which come when they are first used: the walk back, and the lessons. */
import { Lessons } from "./lessons.js";
import { WalkBack } from "./walk.js";

/** @param {State} state @param {SideListener} tell @returns {Sides} */
export function makeSides(state, tell) {
  return { back: new WalkBack(state, tell), teach: new Lessons(state, tell) };
}
