/** In shares of the pad's side, y downwards. */
type Point = [x: number, y: number];

/** The pen's width is in shares of the pad's side. */
interface Stroke {
  points: Point[];
  pen: number;
}

/** How the pad is laid on a picture: so many pixels for its side, its point x, y at the pixel toX, toY. */
interface Placement {
  scale: number;
  x: number;
  y: number;
  toX: number;
  toY: number;
}

type PictureForm = "digit" | "garment" | "picture";

/** Red, green, blue and opacity of every pixel. */
interface Photo {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

type Bytes = Uint8ClampedArray;

/** One channel of a picture: bytes, rounded after each direction, or any numbers. */
interface Plane<Values extends Bytes | Float64Array = Bytes | Float64Array> {
  values: Values;
  width: number;
  height: number;
}

/** From 0 for the ground to 1. */
type Ink = Plane<Float64Array>;

/** A stage of the preparation, as `paintPicture` takes it. */
interface PreparedStage {
  caption: string;
  values: ArrayLike<number>;
  shape: number[];
  white: number;
}

interface Prepared {
  pixels: Uint8ClampedArray;
  stages: PreparedStage[];
}

/** What a place of a result takes of a line: pixels from the first on, times weights. */
interface Taps {
  first: number;
  weights: number[];
}

/** What the panel tells the stage. */
interface InputListener {
  /** That a sample was chosen. */
  chosen(sample: number): void;
  /** That drawing or own picture have changed. */
  drawn(): void;
  /** That this is all for now: a stroke is finished. */
  lifted(): void;
}

interface ResamplingFilter {
  reach: number;
  weight: (distance: number) => number;
}
