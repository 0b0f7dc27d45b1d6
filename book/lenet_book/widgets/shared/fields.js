// @ts-check
/** What the keys do in a text field: the arrows change the number, Escape gives up what was typed. */

/** @param {HTMLInputElement} input @param {(change: 1 | -1) => void} step */
export function stepByArrows(input, step) {
  input.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    step(event.key === "ArrowUp" ? 1 : -1);
  });
}

/** Let Escape put back what stood in a field when it got the focus. @param {HTMLInputElement} input */
export function giveUpByEscape(input) {
  let before = input.value;
  input.addEventListener("focus", () => (before = input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || input.value === before) return;
    event.stopPropagation();
    input.value = before;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
