// @ts-check
/**
 * Prepare pictures as the stage does: `node run_preparing.js FOLDER`.
 *
 * `cases.json` lists name, width, height, and the network's shape and form; `NAME.rgba` holds the
 * pixels. What the network sees is written to `NAME.out`, or `NAME.why` says why there is nothing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepare } from "../../../book/lenet_book/widgets/stage/input/preparing.js";

const folder = process.argv[2];
for (const { name, width, height, shape, form } of JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"))) {
  const data = new Uint8ClampedArray(readFileSync(join(folder, `${name}.rgba`)));
  try {
    writeFileSync(join(folder, `${name}.out`), prepare({ data, width, height }, shape, form).pixels);
  } catch (error) {
    writeFileSync(join(folder, `${name}.why`), /** @type {Error} */ (error).message);
  }
}
