// @ts-check
/** Run programs: all activations of all pictures, float32, one after another. `node run_engine.js FOLDER` */
import { answerCases } from "./cases.js";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { partOf } from "../../../book/lenet_book/widgets/shared/arrays.js";

answerCases((meta, arrays) => {
  const engine = new Engine(meta.steps, arrays);
  const outputs = Array.from({ length: arrays.pictures.shape[0] }, (_, sample) => engine.run(partOf(arrays.pictures, sample), sample).map((values) => values.slice()));
  return Buffer.concat(outputs.flat().map(({ buffer }) => Buffer.from(buffer)));
});
