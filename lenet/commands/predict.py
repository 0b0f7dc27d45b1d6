"""``python -m lenet predict WEIGHTS IMAGE...``: what a trained network says about pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps

from lenet.commands.weights import add_weights, load_trained
from lenet.data import DataError
from lenet.data.preparing import FORMS, Form, Prepared, form_of, prepare, probabilities
from lenet.models.weights import ModelCard

HOW = """\
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

Exit status: 0 if every picture was judged, 1 if the weights or a picture could not be used,
2 for arguments that make no sense.

Example: python -m lenet predict lenet5_mnist photo.jpg --explain --show seen.png
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that judges picture files."""
    parser = commands.add_parser(
        "predict",
        help="let a trained network judge picture files",
        description="Print the likeliest classes of every picture, with their probabilities.",
        epilog=HOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_weights(parser)
    parser.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="picture files of any kind and size"
    )
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help="the data set that the network was trained on, where the file of weights does not say",
    )
    parser.add_argument(
        "--top",
        type=positive,
        default=3,
        metavar="K",
        help="how many classes to print (default: %(default)s)",
    )
    parser.add_argument(
        "--prepare", choices=FORMS, help="how to prepare the pictures (default: as trained)"
    )
    parser.add_argument(
        "--explain", action="store_true", help="print what was done to prepare every picture"
    )
    parser.add_argument(
        "--show",
        type=Path,
        metavar="FILE",
        help="save a sheet (png, jpg, pdf) of the pictures before and after preparing",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="default: %(default)s"
    )
    parser.set_defaults(run=run)


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
    try:
        model, card = load_trained(options.weights, options.network, options.dataset)
    except (ValueError, DataError) as error:
        print(error, file=sys.stderr)
        return 1
    form = options.prepare or form_of(card)
    prepared = _prepared(options.images, card, form)
    predictions = []
    if prepared:
        table = probabilities(model, card, torch.stack([one.pixels for one in prepared]))
        predictions = [
            Prediction(one, _ranking(row.tolist(), card.classes, options.top))
            for one, row in zip(prepared, table, strict=True)
        ]
    if options.format == "json":
        print(json.dumps([_as_dict(one) for one in predictions], indent=2, ensure_ascii=False))
    else:
        for one in predictions:
            print(_as_text(one, explain=options.explain))
    saved = _save(predictions, options.show) if options.show and predictions else True
    return 0 if saved and len(predictions) == len(options.images) else 1


def positive(text: str) -> int:
    """Read a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _prepared(paths: Sequence[Path], card: ModelCard, form: Form) -> list[Prepared]:
    """Prepare the pictures that can be read; say of the others why they cannot."""
    prepared = []
    for path in paths:
        try:
            prepared.append(prepare(path, card.image_shape, form))
        except (DataError, ValueError) as error:
            print(error, file=sys.stderr)
    return prepared


def _ranking(
    row: Sequence[float], classes: Sequence[str], top: int
) -> tuple[tuple[str, float], ...]:
    pairs = zip(classes, row, strict=True)
    return tuple(sorted(pairs, key=lambda pair: pair[1], reverse=True)[:top])


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


def _save(predictions: Sequence[Prediction], path: Path) -> bool:
    """Save a sheet of all pictures before and after; tell whether that worked."""
    try:
        _sheet(predictions).save(path)
    except (OSError, ValueError) as error:
        print(f"{path} cannot be written: {error}", file=sys.stderr)
        return False
    return True


def _sheet(predictions: Sequence[Prediction]) -> Image.Image:
    """Draw every picture as its file has it and, beside it, as the network sees it."""
    side, line, columns = 160, 24, min(3, len(predictions))
    rows = -(-len(predictions) // columns)
    sheet = Image.new("RGB", (columns * (2 * side + line), rows * (side + 2 * line)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for index, one in enumerate(predictions):
        left = index % columns * (2 * side + line) + line // 2
        top = index // columns * (side + 2 * line) + line
        draw.text((left, top - 18), f"{one.prepared.path.name}: {one.ranking[0][0]}", "black", font)
        for number, picture in enumerate((one.prepared.original, one.prepared.seen)):
            fitted = ImageOps.contain(picture, (side, side), Image.Resampling.NEAREST)
            sheet.paste(fitted, (left + number * side, top))
    return sheet
