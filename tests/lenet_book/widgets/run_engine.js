// @ts-check
/**
 * Run programs and write all their activations: `node run_engine.js FOLDER`.
 *
 * For each `name.json` (a list of cases: program, arrays, pictures) and `name.bin` (the bytes of the
 * arrays) the activations of all pictures are written to `name.out`, float32, one after another.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { readArrays } from "../../../book/lenet_book/widgets/shared/arrays.js";

const folder = process.argv[2];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const meta = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const bytes = readFileSync(join(folder, file.replace(".json", ".bin")));
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const arrays = readArrays({ get: (/** @type {string} */ key) => ({ meta, data })[key] });
  const engine = new Engine(meta.steps, arrays);
  const size = engine.values[0].length;
  const outputs = [];
  for (let sample = 0; sample < arrays.pictures.shape[0]; sample++) {
    const picture = arrays.pictures.data.subarray(sample * size, (sample + 1) * size);
    for (const values of engine.run(picture, sample)) outputs.push(Buffer.from(new Uint8Array(values.slice().buffer)));
  }
  writeFileSync(join(folder, file.replace(".json", ".out")), Buffer.concat(outputs));
}
