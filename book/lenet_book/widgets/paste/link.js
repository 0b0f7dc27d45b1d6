// @ts-check
/** Code as a text that can stand in an address, compressed, and back. */

const MOST_BYTES = 200_000; // characters that a link may open into

/** Send bytes through a stream. @param {BufferSource} bytes @param {CompressionStream | DecompressionStream} through */
async function streamed(bytes, through) {
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  /** @type {number[]} */
  const all = [];
  for (let part = await reader.read(); !part.done && all.length < MOST_BYTES; part = await reader.read()) {
    for (const byte of part.value) all.push(byte);
  }
  return Uint8Array.from(all);
}

/** @param {string} text */
export async function packed(text) {
  const bytes = await streamed(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The text of a link; null where it is none. @param {string} link */
export async function unpacked(link) {
  try {
    const base64 = link.replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder().decode(await streamed(bytes, new DecompressionStream("deflate-raw")));
  } catch {
    return null; // a page may be opened with any text behind the #
  }
}
