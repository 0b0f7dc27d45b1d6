// @ts-check
/** How a front end comes into a page, and goes. */

/** Make the `render` of a widget; what its `stops` do ends all that was begun. @param {new (model: Model) => { root: HTMLElement, show: () => void, stops: (() => void)[] }} Kind */
export function mounting(Kind) {
  return (/** @type {{ model: Model, el: HTMLElement }} */ { model, el }) => {
    const frontEnd = new Kind(model);
    el.append(frontEnd.root);
    const endWait = whenInPage(el, () => frontEnd.show());
    return () => [endWait, ...frontEnd.stops].forEach((stop) => stop());
  };
}

/** Act once a place is in the page, where it has sizes and colours; ipywidgets 7 fills it before. @param {HTMLElement} place @param {() => void} act @returns {() => void}  ends the wait */
export function whenInPage(place, act) {
  const observer = new ResizeObserver(() => {
    observer.disconnect();
    act();
  });
  if (place.isConnected) act();
  else observer.observe(place);
  return () => observer.disconnect();
}
