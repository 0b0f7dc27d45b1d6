// @ts-check
/** Cases that Python asks about: for each `name.json` of a folder, and the arrays in `name.bin`, the answer goes to `name.out`. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readArrays } from "../../../book/lenet_book/widgets/shared/arrays.js";

/** Answer all cases of the folder that the program was given. @param {(meta: any, arrays: Record<string, Tensor>) => Buffer | object} answer  bytes, or what becomes JSON */
export function answerCases(answer) {
  const folder = process.argv[2];
  const plain = (/** @type {string} */ _, /** @type {unknown} */ value) => (value instanceof Float32Array ? Array.from(value) : value);
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const meta = JSON.parse(readFileSync(join(folder, file), "utf8"));
    const bytes = readFileSync(join(folder, file.replace(".json", ".bin")));
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = answer(meta, readArrays({ get: (/** @type {string} */ key) => ({ meta, data })[key] }));
    writeFileSync(join(folder, file.replace(".json", ".out")), Buffer.isBuffer(found) ? found : JSON.stringify(found, plain));
  }
}
