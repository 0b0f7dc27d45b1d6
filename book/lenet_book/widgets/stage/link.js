// @ts-check
/** Links that lead back to a picture, a step, a channel and a unit. */

/** @typedef {import("./state.js").State} State */

/** @param {string} address @param {State} state */
export function linkOf(address, { step, unit, channel, input }) {
  const parts = [`step=${step}`, `unit=${unit}`, ...(channel === null ? [] : [`channel=${channel}`]), `picture=${input.toText()}`];
  return `#${address}:${parts.join(";")}`;
}

/**
 * Read a link of this form; any part but the step may be missing.
 *
 * @param {string} address @param {string} hash @param {number} numSteps
 * @returns {{ step: number, unit: number[], channel: number | null, picture: string | null } | null}  null for any other text
 */
export function readLink(address, hash, numSteps) {
  const text = decoded(hash.slice(1));
  const colon = text.indexOf(":");
  if (!address || text.slice(0, colon) !== address) return null;
  const wanted = new Map(text.slice(colon + 1).split(";").map((part) => /** @type {[string, string]} */ ([part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)])));
  const step = Number(wanted.get("step") ?? NaN);
  if (!Number.isInteger(step) || step < 0 || step >= numSteps) return null;
  const channel = Number(wanted.get("channel") ?? NaN);
  const unit = (wanted.get("unit") ?? "none").split(",").map(Number);
  return { step, unit, channel: Number.isInteger(channel) ? channel : null, picture: wanted.get("picture") ?? null };
}

/** Read what some programs write of a link, %3D for "=". @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a page may be opened with any text behind the #
  }
}
