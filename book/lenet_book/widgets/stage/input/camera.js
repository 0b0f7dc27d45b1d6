// @ts-check
/** A picture from the computer's camera. */
import { readTheme } from "../../shared/colours.js";
import { OWN_KEYS, button, element } from "../../shared/elements.js";

export const HAS_CAMERA = Boolean(globalThis.navigator?.mediaDevices?.getUserMedia); // only where the page is safe from others

/** Show what the camera sees until the reader takes the picture, or gives it up: then there is none. @returns {Promise<ImageBitmap | null>} */
export async function takePhoto() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const video = element("video", { autoplay: true, playsinline: true, muted: true });
  const take = button("Take the picture", () => dialog.close("taken"), { class: "lenet-button lenet-main", disabled: true });
  const dialog = element("dialog", { class: "lenet-widget lenet-photo", "aria-label": "Camera", ...OWN_KEYS }, video, take, button("Cancel", () => dialog.close()));
  video.addEventListener("loadeddata", () => (take.disabled = false));
  video.srcObject = stream;
  document.body.append(dialog);
  readTheme(dialog);
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed));
  const photo = dialog.returnValue === "taken" ? await createImageBitmap(video) : null;
  for (const track of stream.getTracks()) track.stop();
  dialog.remove();
  return photo;
}
