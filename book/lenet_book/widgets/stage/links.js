// @ts-check
/** Links that lead back to what a stage shows, and the address of the page, which follows what the reader does. */

const LEAST_MILLISECONDS = 400; // Safari lets a page change its address a hundred times in thirty seconds

/** A link that leads back to a picture, a step, a channel and a unit. @param {string} address @param {State} state @param {string} [own]  what another side than the walk forward says */
export function linkOf(address, { mode, step, picked, channel, input }, own = mode === "forward" ? `unit=${picked}` : "") {
  const parts = [`step=${step}`, own, channel === null ? "" : `channel=${channel}`, `picture=${input.toText()}`];
  return `#${address}:${mode === "forward" ? "" : `${mode}:`}${parts.filter(Boolean).join(";")}`;
}

/**
 * Read a link of this form; any part but the step may be missing.
 *
 * @param {string} address @param {string} hash @param {number} numSteps
 * @returns {Wanted | null}  null for any other text
 */
export function readLink(address, hash, numSteps) {
  const [name, ...rest] = decoded(hash.slice(1)).split(":");
  if (!address || name !== address || !rest.length) return null;
  const mode = rest[0] === "back" || rest[0] === "teach" ? rest[0] : "forward";
  if (mode !== "forward") rest.shift();
  const wanted = new Map(rest.join(":").split(";").map((part) => /** @type {[string, string]} */ (/([^=]*)=?(.*)/s.exec(part)?.slice(1))));
  const [step, channel, label] = ["step", "channel", "label"].map((key) => (/^\d{1,9}$/.test(wanted.get(key) ?? "") ? Number(wanted.get(key)) : null));
  if (step === null || step >= numSteps || (mode === "back" && !step)) return null;
  const [unit, weight, bias] = ["unit", "weight", "bias"].map((key) => (wanted.get(key) ?? "none").split(",").map(Number));
  return { mode, step, unit, weight, bias, channel, label, picture: wanted.get("picture") ?? null };
}

/** Read what some programs write of a link, %3D for "=". @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a page may be opened with any text behind the #
  }
}

export class Address {
  #link;
  #timer = 0;
  #isOld = false;
  #written = "";

  /** @param {string} name  of links into this widget; "" for none @param {(name: string) => string} link  makes the present one */
  constructor(name, link) {
    this.name = name;
    this.#link = link;
  }

  /** What is shown has changed. */
  remember() {
    this.#isOld = this.name !== "";
    if (this.#isOld && !this.#timer) this.write();
  }

  write() {
    history.replaceState(history.state, "", this.#link(this.name));
    this.#isOld = false;
    this.#written = location.hash;
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      if (this.#isOld && location.hash === this.#written) this.write(); // else a link is being followed
    }, LEAST_MILLISECONDS);
  }

  stop() { window.clearTimeout(this.#timer); }
}
