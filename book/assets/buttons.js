// The theme's buttons that run a script: a page's policy allows none in an attribute.
const ACTS = { "toggleFullScreen()": () => toggleFullScreen(), "window.print()": () => print() };
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", ACTS[button.dataset.act]);
}
