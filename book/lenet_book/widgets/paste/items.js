// @ts-check
/** Lists that change at every key: most of what they show stays as it is. */

/** What is shown in a place, as text. @type {WeakMap<Element, string[]>} */
const SHOWN = new WeakMap();

/**
 * Show items, each as a child; a child stays as long as its item does.
 *
 * @template Item @param {Element} place @param {Item[]} items @param {(item: Item) => Element} make
 */
export function showItems(place, items, make) {
  const [before, now] = [SHOWN.get(place) ?? [], items.map((item) => JSON.stringify(item))];
  SHOWN.set(place, now);
  const children = [...place.children];
  children.slice(items.length).forEach((child) => child.remove());
  items.forEach((item, index) => {
    if (before[index] === now[index]) return;
    if (children[index]) children[index].replaceWith(make(item));
    else place.append(make(item));
  });
}
