// @ts-check
/** Why pasted code does not work, and edits of it that were tried and make it work. */

/** @param {string} code @param {CodeEdit[]} edits */
export function applyEdits(code, edits) {
  for (const edit of [...edits].sort((a, b) => b.from - a.from)) code = code.slice(0, edit.from) + edit.new + code.slice(edit.to);
  return code;
}

/** @param {Reading} reading @returns {CodeExplanation | null} */
export function explainReading({ problem }) {
  return problem && { what: problem.what, why: problem.why, fixes: [], tried: [], error: "" };
}
