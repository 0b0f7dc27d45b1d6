"""Any picture file becomes what a network takes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lenet.data import DataError, normalise
from lenet.data.picture_files import fit, is_grey, read_picture, to_tensor
from lenet.data.placing import NothingDrawnError, find_ink, place_digit, place_garment
from lenet.data.preparing import form_of, prepare, probabilities
from lenet.models import WEIGHTS, LeNet5, load_weights
from lenet.models.weights import ModelCard, read_card
from tests.drawn_digits import as_picture, drawn_digits

CARD = WEIGHTS / "lenet5_mnist.safetensors"


def gradient(height: int = 6, width: int = 9) -> np.ndarray:
    """Grey values uint8 (H, W) that differ everywhere."""
    return np.linspace(0, 255, height * width).round().astype(np.uint8).reshape(height, width)


# ------------------------------------------------------------------------ reading


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_every_mode_becomes_grey_or_colour(tmp_path, mode):
    values = gradient()
    if mode == "1":
        values = np.where(values > 127, 255, 0).astype(np.uint8)
    wide = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    if mode in wide:
        picture = Image.fromarray((values.astype(np.float64) * 257).astype(wide[mode]))
    else:
        picture = Image.fromarray(values).convert(mode)
    path = tmp_path / f"picture.{'tif' if mode in ('CMYK', 'I', 'F') else 'png'}"
    picture.save(path)
    read = read_picture(path)
    assert read.mode == ("L" if mode in ("1", "L", *wide) else "RGB")
    assert np.array_equal(np.asarray(read.convert("L")), values)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_held_askew_is_put_right(tmp_path, orientation):
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    upright = Image.fromarray(gradient())
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.png", exif=exif)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "photo.png")), gradient())


@pytest.mark.parametrize(("ink", "ground"), [((0, 0, 90), 255), ((255, 250, 200), 0)])
def test_a_transparent_ground_differs_from_the_drawing(tmp_path, ink, ground):
    picture = Image.new("RGBA", (8, 8), (*ink, 0))
    picture.paste((*ink, 255), (2, 2, 6, 6))
    picture.save(tmp_path / "drawing.png")
    read = read_picture(tmp_path / "drawing.png")
    assert read.getpixel((0, 0)) == (ground,) * 3
    assert read.getpixel((3, 3)) == ink


def test_a_palette_may_have_a_transparent_colour(tmp_path):
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([10, 10, 10, 200, 0, 0])
    picture.putpixel((1, 1), 1)
    picture.save(tmp_path / "icon.gif", transparency=0)
    read = read_picture(tmp_path / "icon.gif")
    assert read.getpixel((0, 0)) == (255, 255, 255)
    assert read.getpixel((1, 1)) == (200, 0, 0)


def test_a_large_photo_is_read_at_a_fraction_of_its_size(tmp_path):
    Image.new("RGB", (8000, 6000), (90, 120, 150)).save(tmp_path / "photo.jpg")
    read = read_picture(tmp_path / "photo.jpg")
    assert 1000 <= max(read.size) <= 2048
    assert read.width * 3 == read.height * 4


def test_what_cannot_be_read_is_named(tmp_path, monkeypatch):
    good = tmp_path / "good.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)).save(good)
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:2000])
    text = tmp_path / "text.png"
    text.write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    for path, why in {
        cut: "damaged picture",
        text: "not a picture",
        tmp_path / "empty.jpg": "not a picture",
        tmp_path / "missing.png": "No such file",
        tmp_path: "cannot be opened",
    }.items():
        with pytest.raises(DataError, match=why) as error:
            read_picture(path)
        assert str(path) in str(error.value)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match="too large") as error:
        read_picture(good)
    assert str(good) in str(error.value)


def test_grey_is_told_from_colour_by_the_pixels():
    grey = Image.fromarray(gradient())
    assert is_grey(grey)
    assert is_grey(grey.convert("RGB"))
    coloured = grey.convert("RGB")
    coloured.putpixel((3, 3), (10, 10, 11))
    assert not is_grey(coloured)


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.sampled_from([1, 3]),
)
def test_any_picture_fits_any_size(width, height, size, channels):
    picture = Image.new("RGB", (width, height), (200, 30, 70))
    pixels = to_tensor(fit(picture, channels, size))
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (channels, *size)
    expected = [200, 30, 70] if channels == 3 else [picture.convert("L").getpixel((0, 0))]
    assert torch.equal(pixels.amin(dim=(1, 2)), torch.tensor(expected, dtype=torch.uint8))
    assert torch.equal(pixels.amax(dim=(1, 2)), torch.tensor(expected, dtype=torch.uint8))


def test_fitting_cuts_the_centre_and_keeps_proportions():
    picture = Image.new("L", (90, 30), 0)
    picture.paste(255, (30, 0, 60, 30))  # the middle third is white
    assert to_tensor(fit(picture, 1, (30, 30))).min() == 255


# ------------------------------------------------------------------------ placing digits


def recognised(pictures: list[Image.Image]) -> list[int]:
    """Ask the network that comes with the package about prepared digits."""
    card = read_card(CARD)
    model = LeNet5()
    load_weights(model, CARD)
    pixels = torch.stack([to_tensor(picture) for picture in pictures])
    return probabilities(model, card, pixels).argmax(dim=1).tolist()


def with_noise(picture: Image.Image, seed: int) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float64)
    noise = np.random.default_rng(seed).normal(0, 12, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def unevenly_lit(picture: Image.Image, seed: int) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float64)
    height, width = pixels.shape[:2]
    light = np.linspace(0.55, 1, width) * np.linspace(0.8, 1, height)[:, None]
    return with_noise(Image.fromarray((pixels * light[..., None]).astype(np.uint8)), seed)


MANNERS = {
    "dark on light": lambda d, _: as_picture(d, 280),
    "light on dark": lambda d, _: as_picture(d, 280, (0, 0, 0), (255, 255, 255)),
    "blue on yellow": lambda d, _: as_picture(d, 200, (240, 230, 150), (40, 60, 160)),
    "grey on grey": lambda d, _: as_picture(d, 200, (150, 150, 150), (110, 110, 110)),
    "large": lambda d, _: as_picture(d, 1200),
    "as small as MNIST": lambda d, _: as_picture(d, 28),
    "noisy": lambda d, seed: with_noise(as_picture(d, 300, (200,) * 3, (60,) * 3), seed),
    "unevenly lit": lambda d, seed: unevenly_lit(
        as_picture(d, 400, (230, 225, 215), (50, 50, 70)), seed
    ),
}


@pytest.mark.parametrize("manner", MANNERS)
def test_drawn_digits_are_recognised(manner):
    drawn = drawn_digits()
    pictures = [MANNERS[manner](digit, seed) for seed, digit in enumerate(drawn)]
    answers = recognised([place_digit(picture).picture for picture in pictures])
    wrong = [
        f"{digit.digit} ({digit.name}) read as {answer}"
        for digit, answer in zip(drawn, answers, strict=True)
        if digit.digit != answer
    ]
    print(f"{manner}: {len(drawn) - len(wrong)} of {len(drawn)} recognised", *wrong, sep="\n  ")
    assert len(wrong) <= len(drawn) // 10, wrong


@pytest.mark.parametrize("flip", [False, True])
def test_a_placed_digit_has_the_form_of_mnist(flip):
    for drawn in drawn_digits():
        picture = as_picture(drawn, 200)
        if flip:
            picture = Image.eval(picture, lambda value: 255 - value)
        drawing = place_digit(picture)
        pixels = to_tensor(drawing.picture)[0].double()
        assert pixels.shape == (28, 28)
        rows, columns = (pixels.sum(dim=axis).nonzero().flatten() for axis in (1, 0))
        extents = [int(each[-1] - each[0] + 1) for each in (rows, columns)]
        assert max(extents) == 20
        assert pixels.max() == 255
        where = torch.arange(28.0, dtype=torch.float64)
        centre = [(pixels.sum(dim=axis) * where).sum() / pixels.sum() for axis in (1, 0)]
        assert all(abs(float(each) - 13.5) <= 0.55 for each in centre)
        assert ("lighter than" in drawing.steps[1]) is not flip


def test_a_digit_at_the_edge_is_found():
    """The ground is what most of the border shows."""
    picture = Image.new("L", (100, 100), 230)
    picture.paste(20, (40, 0, 55, 100))  # a 1 from edge to edge
    assert recognised([place_digit(picture).picture]) == [1]


def test_dirt_beside_a_digit_is_left_out():
    picture = as_picture(drawn_digits()[12], 200)
    clean = place_digit(picture).picture
    picture.paste((0, 0, 0), (3, 3, 6, 6))
    assert np.array_equal(np.asarray(place_digit(picture).picture), np.asarray(clean))


@given(level=st.integers(0, 255), width=st.integers(1, 60), height=st.integers(1, 60))
def test_a_blank_picture_is_told(level, width, height):
    with pytest.raises(NothingDrawnError, match="stands out"):
        place_digit(Image.new("L", (width, height), level))


@settings(max_examples=60)
@given(
    width=st.integers(2, 80),
    height=st.integers(2, 80),
    seed=st.integers(0, 1000),
    side=st.sampled_from([28, 32]),
)
def test_any_picture_gives_a_placed_one_or_none(width, height, seed, side):
    values = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    try:
        drawing = place_digit(Image.fromarray(values), side)
    except NothingDrawnError:
        return
    assert drawing.picture.size == (side, side)


def test_ink_is_zero_on_the_ground_and_one_at_its_strongest():
    grey = np.full((50, 60), 0.8)
    grey[20:30, 20:40] = 0.2
    ink, dark_on_light = find_ink(grey)
    assert dark_on_light
    assert ink.max() == 1
    assert ink[:10].max() == ink[40:].max() == 0


def test_a_garment_fills_the_picture():
    photo = Image.new("RGB", (300, 400), (250, 250, 250))
    photo.paste((60, 20, 90), (100, 60, 200, 360))  # a dress, 100 wide and 300 high
    pixels = to_tensor(place_garment(photo).picture)[0]
    rows, columns = (pixels.sum(dim=axis).nonzero().flatten() for axis in (1, 0))
    assert (int(rows[0]), int(rows[-1])) == (0, 27)
    assert abs(int(columns[0]) + int(columns[-1]) - 27) <= 1
    assert 8 <= len(columns) <= 11


def test_a_square_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 28"):
        place_digit(as_picture(drawn_digits()[0], 60), side=20)


# ------------------------------------------------------------------------ preparing


def card(**changes: object) -> ModelCard:
    plain = {
        "network": "LeNet5",
        "dataset": "mnist",
        "source": "",
        "classes": tuple("0123456789"),
        "image_shape": (1, 28, 28),
        "mean": (0.1,),
        "std": (0.3,),
        "accuracy": 0.9,
    }
    return ModelCard(**(plain | changes))


def test_the_form_follows_from_what_a_network_was_trained_on():
    assert form_of(card()) == "digit"
    assert form_of(card(dataset="fashion-mnist", classes=("Shirt", "Bag"))) == "garment"
    assert form_of(card(dataset="fashion-mnist")) == "digit"  # the embedded digits in its place
    assert form_of(card(dataset="cifar-10", image_shape=(3, 32, 32))) == "picture"
    assert form_of(card(dataset="my/cats", classes=("cat", "dog"))) == "picture"
    assert form_of(card(dataset="my/digits")) == "picture"  # as they were loaded for training


@pytest.mark.parametrize("form", ["digit", "garment", "picture"])
def test_a_prepared_picture_has_the_shape_asked_for(tmp_path, form):
    path = tmp_path / "seven.png"
    as_picture(drawn_digits()[42], 90).save(path)
    prepared = prepare(path, (1, 32, 32), form)
    assert prepared.pixels.shape == (1, 32, 32)
    assert prepared.original.size == (90, 90)
    assert len(prepared.steps) >= 3


def test_digits_need_grey_squares_and_something_drawn(tmp_path):
    path = tmp_path / "blank.png"
    Image.new("L", (50, 50), 255).save(path)
    with pytest.raises(ValueError, match="3×32×32"):
        prepare(path, (3, 32, 32), "digit")
    with pytest.raises(DataError, match=r"blank\.png.*stands out"):
        prepare(path, (1, 28, 28), "digit")


def test_probabilities_are_those_of_the_known_classes():
    model = LeNet5()
    pixels = torch.randint(0, 256, (5, 1, 28, 28), dtype=torch.uint8)
    known = card(classes=("cat", "dog", "emu"))
    shares = probabilities(model, known, pixels)
    with torch.no_grad():
        logits = model(normalise(pixels, known.mean, known.std))
    assert torch.allclose(shares.sum(dim=1), torch.ones(5))
    assert torch.allclose(shares, logits[:, :3].softmax(dim=1))


# ------------------------------------------------------------------------ showing
