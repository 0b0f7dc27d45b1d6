"""Print the likeliest classes of every picture, with their probabilities.

How a picture is prepared. A network knows pictures as they were in training, so that yours is
brought into that form first. A camera's note about how it was held is obeyed, and a transparent
ground becomes white, or black under a light drawing.

  digit    for networks that know ten digits. The brightness along the border tells whether the
           digit is dark on light or light on dark; it is turned into light on black. Then it is
           cut out, scaled into a box of 20x20 pixels with its proportions kept, and put into
           28x28 with its centre of mass in the middle, as MNIST was made (LeCun et al. 1998).
           Even ground and one digit a picture work best.
  garment  for networks trained on Fashion-MNIST. The same, but the longer side gets 28 pixels and
           the middle of the garment is centred (Xiao et al. 2017).
  picture  for all others. The picture is scaled until it covers the network's size, cut to its
           centre, and turned to grey if the network knows no colour.

Example: python -m lenet predict lenet5_mnist photo.jpg --explain --show seen.png

Exit status: 0 if every picture was judged, 1 if it was stopped, 2 if the weights, an argument or a
picture cannot be used; then one line for each says why. The other pictures are judged all the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import nn

from lenet.atomic import check_writable, write_atomically
from lenet.commands.weights import add_weights, load_trained
from lenet.data.preparing import FORMS, Prepared, form_of, prepare, probabilities
from lenet.models.weights import ModelCard

SIDE, GAP, LINE = 160, 12, 20  # pixels of a sheet: a picture, what is between, a line of text
MOST_ON_A_SHEET = 60
SHEET_KINDS = (".png", ".jpg", ".jpeg", ".webp", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the weights, the pictures, and what to say about them."""
    add_weights(parser)
    text = "picture files of any kind and size"
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help=text)
    text = "the data set that the network was trained on, where the file of weights does not say"
    parser.add_argument("--dataset", metavar="NAME", help=text)
    text = "how many classes to print (default: %(default)s)"
    parser.add_argument("--top", type=positive, default=3, metavar="K", help=text)
    text = "how to prepare the pictures (default: as trained)"
    parser.add_argument("--prepare", choices=FORMS, help=text)
    text = "print what was done to prepare every picture"
    parser.add_argument("--explain", action="store_true", help=text)
    text = (
        f"save a sheet ({', '.join(SHEET_KINDS)}) of the pictures before and after preparing, of "
        f"the first {MOST_ON_A_SHEET} if there are more"
    )
    parser.add_argument("--show", type=Path, metavar="FILE", help=text)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


@dataclass(frozen=True)
class Prediction:
    """What a network says about one picture.

    Attributes:
        prepared: The picture.
        ranking: Class names and their probabilities, the likeliest first.
    """

    prepared: Prepared
    ranking: tuple[tuple[str, float], ...]


def run(options: argparse.Namespace) -> int:
    """Judge the pictures that `options` name; return the exit status."""
    if options.show:
        _check_sheet(options)
    model, card = load_trained(options.weights, options.network, options.dataset)
    predictions = list(_judged(options, model, card))
    if options.format == "json":
        print(json.dumps([_as_dict(one) for one in predictions], indent=2, ensure_ascii=False))
    else:
        for one in predictions:
            print(_as_text(one, explain=options.explain))
    if options.show and predictions:
        write_atomically(options.show, _as_file(_sheet(predictions), options.show))
    return 0 if len(predictions) == len(options.images) else 2


def _check_sheet(options: argparse.Namespace) -> None:
    """Refuse a sheet that could not be saved, or would take the place of a picture."""
    path = options.show
    if path.suffix.lower() not in SHEET_KINDS:
        raise ValueError(f"--show {path}: the name must end in {', '.join(SHEET_KINDS)}")
    if any(path.exists() and image.exists() and path.samefile(image) for image in options.images):
        raise ValueError(f"--show {path}: that is one of the pictures to judge; name another file")
    check_writable(path)


def positive(text: str) -> int:
    """Read a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _judged(options: argparse.Namespace, model: nn.Module, card: ModelCard) -> Iterator[Prediction]:
    """Judge the pictures that can be read; say of the others why they cannot."""
    form = options.prepare or form_of(card)
    for path in options.images:
        try:
            prepared = prepare(path, card.image_shape, form)
        except ValueError as error:
            print(error, file=sys.stderr)
            continue
        (row,) = probabilities(model, card, prepared.pixels[None]).tolist()
        ranking = sorted(zip(card.classes, row, strict=True), key=lambda pair: -pair[1])
        yield Prediction(prepared, tuple(ranking[: options.top]))


def _as_text(prediction: Prediction, *, explain: bool) -> str:
    width = max(len(name) for name, _ in prediction.ranking)
    lines = [str(prediction.prepared.path)]
    if explain:
        lines += [f"  - {step}" for step in prediction.prepared.steps]
    lines += [f"  {name:{width}}  {share:6.1%}" for name, share in prediction.ranking]
    return "\n".join(lines)


def _as_dict(prediction: Prediction) -> dict[str, object]:
    return {
        "file": str(prediction.prepared.path),
        "classes": [{"name": name, "probability": share} for name, share in prediction.ranking],
        "steps": prediction.prepared.steps,
    }


def _as_file(sheet: Image.Image, path: Path) -> bytes:
    """The bytes of a picture's file, of the kind that its name asks for."""
    stream = BytesIO()
    sheet.save(stream, Image.registered_extensions()[path.suffix.lower()])
    return stream.getvalue()


def _sheet(predictions: Sequence[Prediction]) -> Image.Image:
    """Draw every picture as its file has it and, beside it, as the network sees it."""
    shown = predictions[:MOST_ON_A_SHEET]
    columns = min(3, len(shown))
    width, height = 2 * (SIDE + GAP) + GAP, SIDE + 2 * LINE + GAP
    sheet = Image.new("RGB", (columns * width, -(-len(shown) // columns) * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for index, one in enumerate(shown):
        left, top = index % columns * width + GAP, index // columns * height
        name, share = one.ranking[0]
        for number, text in enumerate((one.prepared.path.name, f"{name}, {share:.0%}")):
            fitted = _cut(text, width - 2 * GAP, font)
            draw.text((left, top + number * LINE), fitted, "black", font)
        for number, picture in enumerate((one.prepared.original, one.prepared.seen)):
            _paste(sheet, picture, left + number * (SIDE + GAP), top + 2 * LINE)
    return sheet


def _cut(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Shorten a text until it is at most so many pixels wide."""
    while len(text) > 1 and font.getlength(text) > width:
        text = text[:-2] + "…"
    return text


def _paste(sheet: Image.Image, picture: Image.Image, x: int, y: int) -> None:
    """Paste a picture in the size of all, with a line around it: its ground may be white."""
    is_small = max(picture.size) < SIDE  # every pixel of what a network sees stays a square
    how = Image.Resampling.NEAREST if is_small else Image.Resampling.LANCZOS
    fitted = ImageOps.contain(picture, (SIDE, SIDE), how)
    box = (x - 1, y - 1, x + fitted.width, y + fitted.height)
    ImageDraw.Draw(sheet).rectangle(box, outline="grey")
    sheet.paste(fitted, (x, y))
