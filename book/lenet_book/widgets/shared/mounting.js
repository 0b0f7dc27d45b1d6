// @ts-check
/** How a front end comes into a page, and goes. */

/** @typedef {{ root: HTMLElement, show: () => void, stops: (() => void)[] }} FrontEnd  what `stops` does ends all that was begun */

/** Make the `render` of a widget. @param {new (model: Model) => FrontEnd} Kind */
export function mounting(Kind) {
  return (/** @type {{ model: Model, el: HTMLElement }} */ { model, el }) => {
    const frontEnd = new Kind(model);
    el.append(frontEnd.root);
    frontEnd.show();
    return () => frontEnd.stops.forEach((stop) => stop());
  };
}
