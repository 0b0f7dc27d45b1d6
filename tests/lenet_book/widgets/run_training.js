// @ts-check
/**
 * Train programs and write what became of their arrays: `node run_training.js FOLDER`.
 *
 * Each `name.json` says what to do, and `name.bin` holds the bytes of the arrays; the answer stands
 * in `name.out`: the losses, the arrays by name, and the score in the end.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Adam, SGD } from "../../../book/lenet_book/widgets/stage/backward/optimizers.js";
import { Trainer } from "../../../book/lenet_book/widgets/stage/backward/training.js";
import { partOf, readArrays } from "../../../book/lenet_book/widgets/shared/arrays.js";

const folder = process.argv[2];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const meta = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const bytes = readFileSync(join(folder, file.replace(".json", ".bin")));
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { pictures, ...arrays } = readArrays({ get: (/** @type {string} */ key) => ({ meta, data })[key] });
  const optimizer = new { SGD, Adam }[meta.optimizer](arrays, meta.rate);
  if (meta.momentum) Object.assign(optimizer, { momentum: meta.momentum });
  const trainer = new Trainer(meta.steps, arrays, meta.batches[0].length);
  const chosen = (/** @type {number[]} */ batch) => [batch.map((i) => partOf(pictures, i)), batch.map((i) => meta.labels[i])];
  const losses = meta.batches.map((/** @type {number[]} */ batch) => trainer.step(...chosen(batch), optimizer));
  const trained = Object.fromEntries(Object.entries(arrays).map(([name, { data }]) => [name, Array.from(data)]));
  const score = trainer.score(...chosen(meta.labels.map((_, i) => i)));
  writeFileSync(join(folder, file.replace(".json", ".out")), JSON.stringify({ losses, trained, score }));
}
