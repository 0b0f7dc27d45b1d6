// @ts-check
/** Code as a text that can stand in an address, and back: compressed where the browser can. */

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
  const bytes = new TextEncoder().encode(text);
  const isSmall = "CompressionStream" in window;
  const sent = isSmall ? await streamed(bytes, new CompressionStream("deflate-raw")) : bytes;
  const base64 = btoa(Array.from(sent, (byte) => String.fromCharCode(byte)).join(""));
  return (isSmall ? "z" : "t") + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The text of a link; null where it is none. @param {string} link */
export async function unpacked(link) {
  try {
    const base64 = link.slice(1).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const isSmall = link[0] === "z";
    return new TextDecoder().decode(isSmall ? await streamed(bytes, new DecompressionStream("deflate-raw")) : bytes);
  } catch {
    return null; // a page may be opened with any text behind the #
  }
}
