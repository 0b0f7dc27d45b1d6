// @ts-check
/** A picture of the reader's own becomes what a network takes, as `lenet predict` prepares it (`lenet/data/preparing.py`). */
import { centredIn, cutOut, findInk, scaledInto } from "./ink.js";
import { CUBIC, resized, thumbnail } from "./resampling.js";
import { percentText } from "../../shared/text.js";

/** @typedef {"digit" | "garment" | "picture"} Form */
/** @typedef {{ caption: string, values: ArrayLike<number>, shape: number[], white: number }} Stage  of the preparation, as `paintPicture` takes it */
/** @typedef {{ pixels: Uint8ClampedArray, stages: Stage[] }} Prepared */
/** @typedef {{ data: Uint8ClampedArray, width: number, height: number }} Picture  red, green, blue and opacity of every pixel */

const WORKING_SIDE = 280; // pixels of the longer side while ink is looked for
const MOST_PIXELS = 2 ** 24; // that every browser's canvas can hold

/** How pictures have to be prepared for a network. @param {string[]} classes @param {number[]} shape @returns {Form} */
export function formOf(classes, [channels, height, width]) {
  if (channels !== 1 || height !== width || height < 28) return "picture";
  if (classes.join() === "0,1,2,3,4,5,6,7,8,9") return "digit";
  return classes.includes("Ankle boot") ? "garment" : "picture"; // of Fashion-MNIST
}

/** Prepare a picture; an error says why it cannot be judged. @param {Picture} picture @param {number[]} shape @param {Form} form @returns {Prepared} */
export function prepare(picture, shape, form) {
  const colours = planesOf(picture);
  const grey = colours[0].map((red, at) => luma(red, colours[1][at], colours[2][at]));
  const isGrey = colours.every((plane) => plane.every((value, at) => value === grey[at]));
  const small = (isGrey ? [grey] : colours).map((plane) => thumbnail(plane, picture.width, WORKING_SIDE));
  const [, width, height] = small[0];
  const caption = `your picture: ${picture.width}×${picture.height} pixels, ${isGrey ? "grey" : "colour"}`;
  const first = { caption, ...joined(small.map(([plane]) => plane), height, width) };
  if (form === "picture") return fit(first, shape[0] === 1 ? [grey] : colours, picture, shape);
  return place(first, thumbnail(grey, picture.width, WORKING_SIDE), shape[1], form === "digit");
}

/** Cut out what is drawn, and place it. @param {Stage} first @param {[Uint8ClampedArray, number, number]} grey @param {number} side @param {boolean} isDigit @returns {Prepared} */
function place(first, [grey, width, height], side, isDigit) {
  const box = isDigit ? 20 : 28;
  const ink = findInk(Float64Array.from(grey, (value) => value / 255), width, height);
  const cut = cutOut(ink);
  const scaled = scaledInto(cut, box);
  const pixels = centredIn(scaled, isDigit, side);
  const stageOf = (/** @type {string} */ caption, /** @type {import("./ink.js").Ink} */ part) => ({
    caption,
    values: part.values,
    shape: [1, part.height, part.width],
    white: 1,
  });
  const [dark, light] = ink.isDark ? ["dark", "light"] : ["light", "dark"];
  const stages = [
    first,
    stageOf(`ink: what is ${dark} on the ${light} ground`, ink),
    stageOf(`cut out: ${percentText(cut.width / width, 0)} × ${percentText(cut.height / height, 0)} of it`, cut),
    stageOf(`scaled into ${box}×${box}: ${scaled.width}×${scaled.height}`, scaled),
    { caption: placedText(side, isDigit), values: pixels, shape: [1, side, side], white: 255 },
  ];
  return { pixels, stages };
}

/** What placing does, in words. @param {number} side @param {boolean} byMass */
export function placedText(side, byMass) {
  return `put into ${side}×${side}, its ${byMass ? "centre of mass" : "middle"} in the centre`;
}

/** Scale a picture until it covers the size, and cut it to its centre. @param {Stage} first @param {Uint8ClampedArray[]} planes @param {Picture} picture @param {number[]} shape @returns {Prepared} */
function fit(first, planes, { width, height }, [channels, tall, wide]) {
  const ratio = wide / tall;
  const [across, down] = width / height >= ratio ? [ratio * height, height] : [width, width / ratio];
  const [left, top] = [(width - across) * 0.5, (height - down) * 0.5];
  const seen = planes.map((plane) => resized(plane, width, [wide, tall], CUBIC, [left, top, left + across, top + down]));
  const { values, shape, white } = joined(seen, tall, wide);
  const caption = `scaled to ${wide}×${tall}, the rest cut off; ${channels === 1 ? "grey" : "colour"}`;
  return { pixels: values, stages: [first, { caption, values, shape, white }] };
}

/** @param {Uint8ClampedArray[]} planes @param {number} height @param {number} width */
function joined(planes, height, width) {
  const values = new Uint8ClampedArray(planes.length * height * width);
  planes.forEach((plane, channel) => values.set(plane, channel * height * width));
  return { values, shape: [planes.length, height, width], white: 255 };
}

/** How light a colour is. @param {number} red @param {number} green @param {number} blue */
function luma(red, green, blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** Red, green and blue, laid on white, or on black where what can be seen is light. @param {Picture} picture */
function planesOf({ data, width, height }) {
  let [light, opacity, least] = [0, 0, 255];
  for (let i = 0; i < data.length; i += 4) {
    light += data[i + 3] * luma(data[i], data[i + 1], data[i + 2]);
    opacity += data[i + 3];
    least = Math.min(least, data[i + 3]);
  }
  const ground = light > 127 * opacity && least < 255 ? 0 : 255;
  return [0, 1, 2].map((channel) => {
    const plane = new Uint8ClampedArray(width * height);
    for (let i = channel, j = 3, at = 0; at < plane.length; i += 4, j += 4) {
      plane[at++] = Math.round((data[i] * data[j] + ground * (255 - data[j])) / 255);
    }
    return plane;
  });
}

/** Read a picture file, upright. @param {File | undefined} file @returns {Promise<Picture>} */
export async function readPicture(file) {
  if (!file) throw new Error("That holds no picture file. Drop or paste one, such as a PNG or JPEG.");
  try {
    const whole = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (whole.width * whole.height)));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [whole.width, whole.height].map((length) => Math.max(1, Math.floor(length * scale)));
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    context.imageSmoothingQuality = "high";
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  } catch {
    throw new Error(`${file.name || "What you gave"} is not a picture that this browser can read. Save it as PNG or JPEG.`);
  }
}
