// @ts-check
/** A picture of the reader's own becomes what a network takes, as `lenet predict` prepares it (`lenet/data/preparing.py`). */
import { centredIn, cutOut, findInk, scaledInto } from "./ink.js";
import { CUBIC, resized, thumbnail } from "./resampling.js";
import { percentText } from "../../shared/text.js";

const WORKING_SIDE = 280; // pixels of the longer side while ink is looked for
const MOST_PIXELS = 2 ** 24; // that every browser's canvas can hold

/** How pictures have to be prepared for a network. @param {string[]} classes @param {number[]} shape @returns {PictureForm} */
export function formOf(classes, [channels, height, width]) {
  if (channels !== 1 || height !== width || height < 28) return "picture";
  if (classes.join() === "0,1,2,3,4,5,6,7,8,9") return "digit";
  return classes.includes("Ankle boot") ? "garment" : "picture"; // of Fashion-MNIST
}

/** Prepare a picture; an error says why it cannot be judged. @param {Photo} photo @param {number[]} shape @param {PictureForm} form @returns {Prepared} */
export function prepare(photo, shape, form) {
  const colours = planesOf(photo);
  const [red, green, blue] = colours.map(({ values }) => values);
  const grey = { ...colours[0], values: red.map((value, at) => luma(value, green[at], blue[at])) };
  const isGrey = grey.values.every((value, at) => red[at] === value && green[at] === value && blue[at] === value);
  const small = (isGrey ? [grey] : colours).map((plane) => thumbnail(plane, WORKING_SIDE));
  const first = stageOf(`your picture: ${photo.width}×${photo.height} pixels, ${isGrey ? "grey" : "colour"}`, small, 255);
  const stages = form === "picture" ? [fit(shape[0] === 1 ? [grey] : colours, shape)] : place(thumbnail(grey, WORKING_SIDE), shape[1], form === "digit");
  return { pixels: Uint8ClampedArray.from(stages[stages.length - 1].values), stages: [first, ...stages] };
}

/** @param {string} caption @param {Plane[]} planes @param {number} white @returns {PreparedStage} */
function stageOf(caption, planes, white) {
  const { width, height } = planes[0];
  return { caption, values: planes.flatMap(({ values }) => [...values]), shape: [planes.length, height, width], white };
}

/** Cut out what is drawn, and place it. @param {Plane<Bytes>} grey @param {number} side @param {boolean} isDigit */
function place(grey, side, isDigit) {
  const box = isDigit ? 20 : 28;
  const ink = findInk({ ...grey, values: Float64Array.from(grey.values, (value) => value / 255) });
  const cut = cutOut(ink);
  const scaled = scaledInto(cut, box);
  const shares = `${percentText(cut.width / ink.width, 0)} × ${percentText(cut.height / ink.height, 0)}`;
  return [
    stageOf(`ink: what is ${ink.isDark ? "dark on the light" : "light on the dark"} ground`, [ink], 1),
    stageOf(`cut out: ${shares} of it`, [cut], 1),
    stageOf(`scaled into ${box}×${box}: ${scaled.width}×${scaled.height}`, [scaled], 1),
    stageOf(placedText(side, isDigit), [centredIn(scaled, isDigit, side)], 255),
  ];
}

/** What placing does, in words. @param {number} side @param {boolean} byMass */
export function placedText(side, byMass) {
  return `put into ${side}×${side}, its ${byMass ? "centre of mass" : "middle"} in the centre`;
}

/** Scale a picture until it covers the size, and cut it to its centre. @param {Plane<Bytes>[]} planes @param {number[]} shape */
function fit(planes, [channels, tall, wide]) {
  const [{ width, height }, ratio] = [planes[0], wide / tall];
  const [across, down] = width / height >= ratio ? [ratio * height, height] : [width, width / ratio];
  const [left, top] = [(width - across) * 0.5, (height - down) * 0.5];
  const seen = planes.map((plane) => resized(plane, [wide, tall], CUBIC, [left, top, left + across, top + down]));
  return stageOf(`scaled to ${wide}×${tall}, the rest cut off; ${channels === 1 ? "grey" : "colour"}`, seen, 255);
}

/** How light a colour is. @param {number} red @param {number} green @param {number} blue */
function luma(red, green, blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** Red, green and blue, laid on white, or on black where what can be seen is light. @param {Photo} photo @returns {Plane<Bytes>[]} */
function planesOf({ data, width, height }) {
  let [light, opacity, least] = [0, 0, 255];
  for (let i = 0; i < data.length; i += 4) {
    light += data[i + 3] * luma(data[i], data[i + 1], data[i + 2]);
    opacity += data[i + 3];
    least = Math.min(least, data[i + 3]);
  }
  const ground = light > 127 * opacity && least < 255 ? 0 : 255;
  return [0, 1, 2].map((channel) => {
    const values = new Uint8ClampedArray(width * height);
    for (let at = 0, i = 0; at < values.length; at++, i += 4) values[at] = Math.round((data[i + channel] * data[i + 3] + ground * (255 - data[i + 3])) / 255);
    return { values, width, height };
  });
}

/** Read a picture, a file's upright. @param {File | ImageBitmap | undefined} picture @returns {Promise<Photo>} */
export async function readPhoto(picture) {
  if (!picture) throw new Error("That holds no picture file. Drop or paste one, such as a PNG or JPEG.");
  try {
    const whole = await createImageBitmap(picture, { imageOrientation: "from-image", colorSpaceConversion: "none" });
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (whole.width * whole.height)));
    const [width, height] = [whole.width, whole.height].map((length) => Math.max(1, Math.floor(length * scale)));
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    context.imageSmoothingQuality = "high";
    context.drawImage(whole, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } catch {
    throw new Error(`${("name" in picture && picture.name) || "What you gave"} is not a picture that this browser can read. Save it as PNG or JPEG.`);
  }
}
