"""The stage prepares pictures of the reader's own exactly as `lenet predict` does."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lenet.data.in_memory import DataError
from lenet.data.preparing import Form, prepare
from tests.drawn_digits import as_picture, drawn_digits

JS = Path(__file__).parent
NODE = shutil.which("node")
SHAPES: dict[Form, tuple[int, int, int]] = {
    "digit": (1, 28, 28),
    "garment": (1, 28, 28),
    "picture": (3, 32, 32),
}


@dataclass
class Case:
    """A picture, and what network it is for."""

    name: str
    picture: Image.Image
    form: Form
    shape: tuple[int, int, int]


def noisy(picture: Image.Image, rng: np.random.Generator, strength: float) -> np.ndarray:
    """A picture as a camera may give it: with noise and uneven light, float (H, W, 3)."""
    pixels = np.asarray(picture, dtype=np.float64)
    height, width, _ = pixels.shape
    rows, columns = np.mgrid[0:height, 0:width]
    slope = rng.uniform(-60, 60, 2)
    light = slope[0] * (rows / height - 0.5) + slope[1] * (columns / width - 0.5)
    return pixels + strength * light[..., None] + rng.normal(0, 6 * strength, pixels.shape)


def as_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def photograph(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Clouds of colour, from coarse to fine."""
    pixels = np.zeros((height, width, 3))
    for cells in (3, 8, 30):
        coarse = as_image(rng.uniform(0, 255, (cells, cells, 3)))
        pixels += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) / 3
    return as_image(pixels)


def on_canvas(digit: Image.Image, width: int, height: int, ground: int) -> Image.Image:
    """A digit somewhere on a larger sheet."""
    sheet = Image.new("RGB", (width, height), (ground, ground, ground))
    sheet.paste(digit, ((width - digit.width) // 3, (height - digit.height) // 2))
    return sheet


def drawings(rng: np.random.Generator) -> Iterator[tuple[str, Image.Image]]:
    """Digits on many grounds, in many sizes."""
    digits = drawn_digits()
    for index in range(24):
        size = int(rng.choice([37, 90, 200, 280, 281, 400, 700]))
        ink, ground = (int(level) for level in rng.uniform((0, 150), (90, 255)))
        if index % 2:
            ink, ground = ground, ink
        tint = (ink, min(ink + 30, 255), max(ink - 20, 0))
        digit = as_picture(digits[7 * index % len(digits)], size, (ground,) * 3, tint)
        wide, tall = (int(size * share) for share in rng.uniform(1, 1.8, 2))
        picture = on_canvas(digit, wide, tall, ground) if index % 3 else digit
        yield f"drawing{index}", as_image(noisy(picture, rng, float(rng.uniform(0, 1))))
    for index, (ink, opacity) in enumerate([(0, 255), (255, 255), (40, 180), (230, 90)]):
        mask = as_picture(digits[5 * index], 150, (0, 0, 0), (opacity,) * 3).convert("L")
        picture = Image.new("RGBA", mask.size, (ink, ink, ink, 0))
        picture.putalpha(mask)
        yield f"transparent{index}", picture
    sheet = as_image(noisy(on_canvas(as_picture(digits[20], 380), 500, 375, 255), rng, 0.5))
    yield "huge", sheet.resize((4000, 3000), Image.Resampling.BILINEAR)
    line = np.full((3, 60), 200, np.uint8)
    line[:, 31] = 50
    yield "line", Image.fromarray(line)


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(5)
    for index, (name, picture) in enumerate(drawings(rng)):
        form: Form = "garment" if index % 4 == 3 else "digit"
        yield Case(name, picture, form, (1, 32, 32) if index % 9 == 8 else SHAPES[form])
    for index in range(4):
        tiny = rng.integers(0, 256, (5, 5, 3)).astype(np.uint8)
        yield Case(f"tiny{index}", Image.fromarray(tiny), "digit", SHAPES["digit"])
        shade = (60 * index, 255 - 50 * index, 10)
        yield Case(f"plain{index}", Image.new("RGB", (40, 70), shade), "digit", SHAPES["digit"])
    sizes = [(32, 32), (640, 480), (480, 640), (31, 200), (5, 5), (1, 40), (90, 90), (1200, 700)]
    for index, (width, height) in enumerate(sizes):
        picture = photograph(width, height, rng)
        yield Case(f"photo{index}", picture, "picture", (1 + 2 * (index % 3 > 0), 32, 32))
    yield Case("wide", photograph(300, 200, rng), "picture", (3, 20, 44))
    hollow = photograph(64, 64, rng)
    hollow.putalpha(Image.linear_gradient("L").resize((64, 64)))
    yield Case("hollow", hollow, "picture", SHAPES["picture"])


@pytest.mark.skipif(NODE is None, reason="no node was found")
def test_pictures_are_prepared_as_lenet_predict_prepares_them(tmp_path: Path) -> None:
    assert NODE is not None
    described: list[dict[str, Any]] = []
    expected: dict[str, Any] = {}
    for case in cases():
        path = tmp_path / f"{case.name}.png"
        case.picture.save(path, compress_level=1)
        pixels = case.picture.convert("RGBA")
        (tmp_path / f"{case.name}.rgba").write_bytes(pixels.tobytes())
        size = {"width": pixels.width, "height": pixels.height}
        described.append({"name": case.name, "shape": case.shape, "form": case.form, **size})
        try:
            expected[case.name] = prepare(path, case.shape, case.form).pixels.numpy()
        except DataError as error:
            expected[case.name] = str(error).split("cannot be judged: ")[1]
    (tmp_path / "cases.json").write_text(json.dumps(described), encoding="utf-8")
    subprocess.run([NODE, JS / "run_preparing.js", tmp_path], check=True, timeout=120)
    for name, seen in expected.items():
        if isinstance(seen, str):
            assert (tmp_path / f"{name}.why").read_text(encoding="utf-8") == seen
            continue
        found = np.fromfile(tmp_path / f"{name}.out", np.uint8).reshape(seen.shape)
        off = np.abs(found.astype(int) - seen)
        print(name, off.max(), round(off.mean(), 4), int(seen.max()))
        assert off.max() <= 1, name
        assert off.mean() <= 0.2, name
