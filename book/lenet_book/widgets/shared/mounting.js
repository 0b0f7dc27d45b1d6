// @ts-check
/** How a front end comes into a page, and goes. */

/** Make the `render` of a widget; what its `stops` do ends all that was begun. @param {new (model: Model) => { root: HTMLElement, show: () => void, stops: (() => void)[] }} Kind */
export function mounting(Kind) {
  return (/** @type {{ model: Model, el: HTMLElement }} */ { model, el }) => {
    const frontEnd = new Kind(model);
    el.append(frontEnd.root);
    frontEnd.show();
    return () => frontEnd.stops.forEach((stop) => stop());
  };
}
