// @ts-check
/** Train programs as each case says: the losses, the arrays by name, and the score in the end. `node run_training.js FOLDER` */
import { answerCases } from "./cases.js";
import { Adam, SGD, Trainer, scoreOf } from "../../../book/lenet_book/widgets/stage/backward/training.js";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { partOf } from "../../../book/lenet_book/widgets/shared/arrays.js";

answerCases((meta, { pictures, ...arrays }) => {
  const optimizer = new { SGD, Adam }[meta.optimizer](arrays, meta.rate);
  const trainer = new Trainer(meta.steps, arrays, meta.batches[0].length);
  const examples = meta.labels.map((/** @type {number} */ label, /** @type {number} */ i) => ({ picture: partOf(pictures, i), label }));
  const losses = meta.batches.map((/** @type {number[]} */ batch) => trainer.step(batch.map((i) => examples[i]), optimizer));
  const trained = Object.fromEntries(Object.entries(arrays).map(([name, { data }]) => [name, data]));
  return { losses, trained, score: scoreOf(new Engine(meta.steps, arrays), examples) };
});
