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
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps
from torch import nn

from lenet.atomic import check_writable, write_atomically
from lenet.commands.weights import add_weights, load_trained
from lenet.data.preparing import FORMS, Prepared, form_of, prepare, probabilities
from lenet.models.weights import ModelCard

SIDE, GAP = 160, 12  # pixels of a sheet: a picture, and what is between
MOST_ON_A_SHEET = 60
SHEET_KINDS = (".png", ".jpg", ".jpeg", ".webp", ".pdf")

Ranking = Sequence[tuple[str, float]]  # classes and their probabilities, the likeliest first
Judged = tuple[Prepared, Ranking]


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


def run(options: argparse.Namespace) -> int:
    """Judge the pictures that `options` name; return the exit status."""
    if options.show:
        _check_sheet(options)
    model, card = load_trained(options.weights, options.network, options.dataset)
    judged = list(_judged(options, model, card))
    if options.format == "json":
        print(json.dumps([_as_dict(*one) for one in judged], indent=2, ensure_ascii=False))
    else:
        for one in judged:
            print(_as_text(*one, explain=options.explain))
    if options.show and judged:
        sheet = _sheet([prepared for prepared, _ in judged[:MOST_ON_A_SHEET]])
        write_atomically(options.show, _as_file(sheet, options.show))
    return 0 if len(judged) == len(options.images) else 2


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


def _judged(options: argparse.Namespace, model: nn.Module, card: ModelCard) -> Iterator[Judged]:
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
        yield prepared, ranking[: options.top]


def _as_text(prepared: Prepared, ranking: Ranking, *, explain: bool) -> str:
    width = max(len(name) for name, _ in ranking)
    steps = [f"  - {step}" for step in prepared.steps if explain]
    shares = [f"  {name:{width}}  {share:6.1%}" for name, share in ranking]
    return "\n".join([str(prepared.path), *steps, *shares])


def _as_dict(prepared: Prepared, ranking: Ranking) -> dict[str, object]:
    classes = [{"name": name, "probability": share} for name, share in ranking]
    return {"file": str(prepared.path), "classes": classes, "steps": prepared.steps}


def _as_file(sheet: Image.Image, path: Path) -> bytes:
    """The bytes of a picture's file, of the kind that its name asks for."""
    stream = BytesIO()
    sheet.save(stream, Image.registered_extensions()[path.suffix.lower()])
    return stream.getvalue()


def _sheet(pictures: Sequence[Prepared]) -> Image.Image:
    """Lay every picture as its file has it and, beside it, as the network sees it into a row."""
    sheet = Image.new("RGB", (2 * SIDE + 3 * GAP, len(pictures) * (SIDE + GAP) + GAP), "grey")
    for row, prepared in enumerate(pictures):
        for column, picture in enumerate((prepared.original, prepared.seen)):
            is_small = max(picture.size) < SIDE  # every pixel of what a network sees stays a square
            how = Image.Resampling.NEAREST if is_small else Image.Resampling.LANCZOS
            place = GAP + column * (SIDE + GAP), GAP + row * (SIDE + GAP)
            sheet.paste(ImageOps.contain(picture, (SIDE, SIDE), how), place)
    return sheet
