// @ts-check
/** A question with a button for each answer, and a reply that is read aloud. */
import { button, element, setAttribute, setText, setWithCode, uniqueId, withCode } from "./elements.js";

/** @param {string} text @param {{ key: string, text: string }[]} choices @param {(key: string) => void} onAnswer */
export function questionWith(text, choices, onAnswer) {
  let isClosed = false;
  const buttons = choices.map(({ key }) => button("", () => isClosed || onAnswer(key)));
  const asked = element("p", { class: "lenet-question", id: uniqueId("question") }, ...withCode(text));
  const answers = element("div", { class: "lenet-strip", role: "group", "aria-labelledby": asked.id }, ...buttons);
  const said = element("p", { class: "lenet-reply", "aria-live": "polite" });
  /** Show which answers were given, and the right one, once no more are taken; the buttons keep the focus. @param {string[]} given @param {string | null} right @param {string} reply */
  const show = (given, right, reply) => {
    isClosed = right !== null;
    choices.forEach(({ key, text }, index) => {
      const [choice, isGiven] = [buttons[index], given.includes(key)];
      const [look, shown] = key === right ? ["lenet-right", `✓ ${text}: right`] : isGiven ? ["lenet-wrong", `✗ ${text}: no`] : ["", text];
      choice.className = `lenet-button ${look}`;
      setText(choice, shown);
      setAttribute(choice, "aria-pressed", String(isGiven));
      setAttribute(choice, "aria-disabled", String(isClosed));
    });
    setWithCode(said, reply);
  };
  return { node: element("div", { class: "lenet-ask" }, asked, answers, said), answers, show, focus: () => buttons[0].focus() };
}
