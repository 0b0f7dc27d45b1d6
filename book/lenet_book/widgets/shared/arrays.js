// @ts-check
/** What Python hands over: a widget's values, and its arrays. */

/** Set a value here and in Python. @param {Model} model @param {string} key @param {unknown} value */
export function setValue(model, key, value) {
  model.set(key, value);
  model.save_changes();
}

/** Call `act` whenever a value changes. @param {Model} model @param {string} key @param {() => void} act @returns {() => void}  ends it */
export function watchValue(model, key, act) {
  model.on(`change:${key}`, act);
  return () => model.off(`change:${key}`, act);
}

/** Read the arrays that Python packed; float16 becomes float32. @param {Model} model @returns {Record<string, Tensor>} */
export function readArrays(model) {
  const { buffer, byteOffset } = /** @type {DataView<ArrayBuffer>} */ (model.get("data"));
  return Object.fromEntries(model.get("meta").arrays.map((/** @type {ArrayEntry} */ { name, dtype, shape, offset, length }) => {
    const bytes = buffer.slice(byteOffset + offset, byteOffset + offset + length); // the view may begin anywhere
    return [name, { shape, data: numbersOf(dtype, bytes) }];
  }));
}

/** The part of a tensor at a place of its first axis. @param {Tensor} tensor @param {number} place */
export function partOf({ shape, data }, place) {
  const size = data.length / shape[0];
  return data.subarray(place * size, (place + 1) * size);
}

/** @param {ArrayEntry["dtype"]} dtype @param {ArrayBuffer} bytes @returns {Numbers} */
function numbersOf(dtype, bytes) {
  if (dtype === "float16") return Float32Array.from(new Uint16Array(bytes), halfToNumber);
  return new { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }[dtype](bytes);
}

/** Read the 16 bits of an IEEE 754 half as a number. @param {number} bits */
export function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 25) * (1024 + fraction);
}
