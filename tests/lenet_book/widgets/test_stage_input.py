"""The input of the stage in a browser: the pad, its pens, and pictures of the reader's own."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from torch import nn

from lenet.data.preparing import Form, prepare
from lenet.models import LeNet5, load_weights
from lenet_book.widgets import ForwardStepper
from tests.browsing import PHONE, Show
from tests.drawn_digits import as_picture, drawn_digits
from tests.stage import Finger, box_of, draw_strokes

ROOT = Path(__file__).parents[3]
CROSS = [[(0.2, 0.5), (0.8, 0.5)], [(0.5, 0.2), (0.5, 0.8)]]
GIVE = """([name, type, base64], kind) => {
  const bytes = Uint8Array.from(atob(base64), sign => sign.charCodeAt(0));
  const data = new DataTransfer();
  if (name) data.items.add(new File([bytes], name, { type }));
  else data.setData("text/plain", "no picture");
  const options = { bubbles: true, cancelable: true };
  const root = document.querySelector(".lenet-widget");
  return kind === "drop"
    ? root.dispatchEvent(new DragEvent("drop", { ...options, dataTransfer: data }))
    : document.body.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: data }));
}"""

BEYOND = """(parts, room) => {
  const edge = document.querySelector("." + room).getBoundingClientRect();
  return parts.map(part => [part.outerHTML, part.getBoundingClientRect()]).filter(([, box]) =>
    box.left < edge.left - 1 || box.right > edge.right + 1 ||
    box.top < edge.top - 1 || box.bottom > edge.bottom + 1);
}"""


class InputProbe(ForwardStepper):
    """The input alone, with the sizes of the rooms that it must fit into."""

    front_end = Path(__file__).parent / "front_ends" / "input.js"


def reader(**options: Any) -> InputProbe:
    """The network behind the drawing pad, with nine pictures."""
    model = LeNet5()
    load_weights(model, ROOT / "lenet" / "models" / "trained" / "lenet5_mnist.safetensors")
    pictures = torch.zeros(10, 1, 28, 28, dtype=torch.uint8)
    pictures[:, 0, 4:24, 13:15] = 255
    settings: dict[str, Any] = {
        "mean": [0.1307],
        "std": [0.3081],
        "draw": True,
        "dtype": torch.float16,
    }
    return InputProbe(model, pictures, **(settings | options))


def colourful(**options: Any) -> InputProbe:
    """A network for colour pictures, which one may not draw on."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 5, stride=4), nn.Flatten(), nn.Linear(196, 3))
    pictures = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    pictures[0, 0] = pictures[1, 2] = 200
    settings: dict[str, Any] = {
        "classes": ["a", "b", "c"],
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.3, 0.2],
    }
    return InputProbe(model, pictures, **(settings | options))


def blank(**options: Any) -> InputProbe:
    widget = reader(**options)
    widget.sample = -1
    return widget


def large(page: Page) -> Locator:
    return page.locator(".panel .lenet-pad")


def seen(page: Page) -> np.ndarray:
    """What the network sees, as pixels."""
    found = page.evaluate("() => ({ values: [...input.values], shape: input.shape })")
    mean, std = (np.array(page.evaluate(f"() => input.meta.{name}")) for name in ("mean", "std"))
    values = np.array(found["values"]).reshape(found["shape"])
    return np.round(255 * (values * std[:, None, None] + mean[:, None, None])).astype(int)


def colour_at(pad: Locator, x: float, y: float) -> list[int]:
    """A pixel of the pad, at shares of its side: red, green, blue."""
    found: list[int] = pixels_of(pad, x, y, 1, 1)[0, 0].tolist()
    return found


def pixels_of(pad: Locator, x: float, y: float, width: int, height: int) -> np.ndarray:
    """A part of the pad, its corner in shares of the side: (height, width, 3)."""
    script = """(pad, [x, y, width, height]) => {
      const copy = Object.assign(document.createElement("canvas"), { width, height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(pad, -Math.floor(x * pad.width), -Math.floor(y * pad.height));
      return [...context.getImageData(0, 0, width, height).data];
    }"""
    found = pad.evaluate(script, [x, y, width, height])
    return np.array(found).reshape(height, width, 4)[..., :3]


def message(page: Page) -> Locator:
    return page.locator(".lenet-input-message")


def captions(page: Page) -> list[str]:
    return page.locator(".lenet-preparation li").all_inner_texts()


def as_bytes(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def give(page: Page, kind: str, name: str, mime: str, data: bytes) -> bool:
    """Drop or paste a file, or text where there is no name; is that left to the browser?"""
    arguments = [name, mime, base64.b64encode(data).decode()]
    script = f"given => ({GIVE})(given, {kind!r})"
    is_left: bool = page.evaluate(script, arguments)
    return is_left


def choose_file(page: Page, path: Path) -> None:
    page.locator("label", has_text="Picture").locator("input").set_input_files(path)


def expected_pixels(path: Path, form: Form, shape: tuple[int, int, int]) -> np.ndarray:
    return prepare(path, shape, form).pixels.numpy().astype(int)


def test_a_tap_is_a_dot_on_every_pad_and_for_the_network(show: Show) -> None:
    page = show(blank())
    expect(page.locator("output")).to_have_text("nothing")
    expect(page.locator(".lenet-preparation")).to_have_text("Nothing is drawn yet.")
    assert box_of(page.locator(".lenet-preparation li"))["height"] < 20, "one line"
    box = box_of(large(page))
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    expect(page.locator("output")).not_to_have_text("nothing")
    for pad in page.locator(".lenet-pad").all():
        assert colour_at(pad, 0.3, 0.6) == [255, 255, 255]
        assert colour_at(pad, 0.3 + 0.02, 0.6 + 0.02) == [255, 255, 255]
        assert colour_at(pad, 0.3 + 0.05, 0.6) == [0, 0, 0]
    dot = seen(page)[0]
    assert dot[13:15, 13:15].min() > 200
    assert (dot == dot.T).all()
    assert (dot[::-1] == dot).all()
    assert len(captions(page)) == 4


def test_strokes_are_taken_back_by_button_and_key(show: Show) -> None:
    page = show(blank())
    draw_strokes(page, CROSS)
    whole = seen(page)
    page.keyboard.press("Control+z")  # the pad has the focus since it was drawn on
    flat = seen(page)
    assert flat.any()
    assert (flat != whole).any()
    draw_strokes(page, CROSS[1:])
    assert (seen(page) == whole).all()
    page.locator(".lenet-sample").nth(2).click()
    expect(page.locator(".lenet-sample").nth(2)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Undo").click()  # brings the drawing back
    assert (seen(page) == whole).all()
    page.get_by_role("button", name="Undo").click()
    assert (seen(page) == flat).all()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("output")).to_have_text("nothing")
    draw_strokes(page, CROSS)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("output")).to_have_text("nothing")
    expect(page.locator(".lenet-ghost").last).to_be_hidden()


def test_pens_draw_as_wide_as_their_dots(show: Show) -> None:
    page = show(blank())
    widths = []
    for name in ("thin", "medium", "thick"):
        pen = page.get_by_title(f"{name} pen")
        pen.click()
        expect(page.get_by_role("radio", name=f"{name} pen")).to_be_checked()
        dot = box_of(pen.locator("span"))["width"]
        page.get_by_role("button", name="Clear").click()
        draw_strokes(page, [[(0.2, 0.5), (0.8, 0.5)]])
        column = pixels_of(large(page), 0.5, 0, 1, int(box_of(large(page))["height"]))
        widths.append(column[..., 0].sum() / 255)
        assert widths[-1] == pytest.approx(dot, abs=1)
    assert widths == sorted(widths)
    page.keyboard.press("Tab")
    page.get_by_role("radio", name="thick pen").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="medium pen")).to_be_checked()


def test_keys_draw_and_the_cursor_is_seen_only_then(show: Show) -> None:
    page = show(blank())
    pad = large(page)
    draw_strokes(page, [[(0.5, 0.5)]])
    assert colour_at(pad, 0.5, 0.5 + 0.045) == [0, 0, 0]  # no ring around the pen
    pad.press("Delete")
    assert colour_at(pad, 0.5, 0.5 + 0.045) != [0, 0, 0]
    for key in [*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " "]:
        page.keyboard.press(key)
    expect(page.locator("output")).to_have_text("1")
    drawn = seen(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Alt+ArrowLeft")  # is the browser's
    assert (seen(page) == drawn).all()
    assert "showing your drawing" in (pad.get_attribute("aria-label") or "")
    page.keyboard.press(" ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")  # lifts the pen
    pad.focus()
    before = seen(page)
    page.keyboard.press("ArrowUp")
    assert (seen(page) == before).all()


@pytest.mark.parametrize(
    "show", [{"viewport": PHONE, "has_touch": True, "is_mobile": True}], indirect=True
)
def test_one_finger_draws_until_it_is_lifted_or_lost(show: Show) -> None:
    page = show(blank())
    box = box_of(large(page))
    finger = Finger(page)

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    finger.touch("touchStart", at(0.5, 0.2))
    for step in range(12):
        finger.touch("touchMove", at(0.5, 0.2 + 0.05 * step))
    page.wait_for_function("() => input.strokes[0].points.at(-1)[1] > 0.74")
    line = seen(page)
    finger.touch("touchStart", at(0.5, 0.75), at(0.1, 0.1))  # a second finger
    finger.touch("touchMove", at(0.5, 0.75), at(0.9, 0.1))
    finger.touch("touchCancel")
    expect(page.locator("[data-lifted='1']")).to_be_attached()
    assert (seen(page) == line).all()
    assert page.evaluate("() => input.strokes.length") == 1
    assert page.evaluate("scrollY") == 0
    expect(page.locator(".lenet-camera")).to_be_visible()
    camera = page.locator(".lenet-camera input")
    assert camera.get_attribute("capture") == "environment"


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_ghost_invites_until_the_first_touch(show: Show, motion: Any) -> None:
    page = show(blank())
    page.emulate_media(reduced_motion=motion)
    ghost = page.locator(".panel .lenet-ghost")
    expect(ghost).to_be_visible()
    expect(ghost).to_contain_text("draw here")
    animated = "path => path.getAnimations().length"
    assert ghost.locator("path").evaluate(animated) == (motion == "no-preference")
    shown = "path => Number(getComputedStyle(path).opacity)"
    if motion == "reduce":
        assert ghost.locator("path").evaluate(shown) > 0.1
    assert page.evaluate("() => input.values.every(value => value === input.values[0])")
    page.locator(".lenet-sample").first.click()
    expect(ghost).to_be_hidden()
    draw_strokes(page, [[(0.4, 0.4)]])
    expect(ghost).to_be_hidden()


def test_pictures_come_by_file_drop_and_paste(show: Show, tmp_path: Path) -> None:
    page = show(reader())
    digit = drawn_digits()[40]
    sheet = Image.new("RGB", (400, 260), (230, 225, 210))
    sheet.paste(as_picture(digit, 220, (230, 225, 210), (40, 50, 120)), (60, 20))
    path = tmp_path / "six.png"
    sheet.save(path)
    expected = expected_pixels(path, "digit", (1, 28, 28))
    sample = page.locator(".lenet-sample").first
    ways: list[Callable[[], object]] = [
        lambda: choose_file(page, path),
        lambda: give(page, "drop", "six.png", "image/png", path.read_bytes()),
        lambda: give(page, "paste", "six.png", "image/png", path.read_bytes()),
    ]
    for bring in ways:
        sample.click()
        expect(page.locator("output")).not_to_have_text(str(digit.digit))
        bring()
        expect(page.locator("output")).to_have_text(str(digit.digit))
        expect(sample).to_have_attribute("aria-pressed", "false")
        assert (seen(page) == expected).all()
    assert [re.sub(r"\d+ %", "n %", text) for text in captions(page)] == [
        "your picture: 400×260 pixels, colour",
        "ink: what is dark on the light ground",
        "cut out: n % × n % of it",
        "scaled into 20×20: 11×20",
        "put into 28×28, its centre of mass in the centre",
    ]
    other = Image.new("L", (90, 90))
    other.paste(255, (40, 10, 50, 80))
    other.save(path)
    choose_file(page, path)  # in place of one of the reader's own
    expect(page.locator("output")).to_have_text("1")
    expect(page.locator(".lenet-preparation")).to_contain_text("light on the dark ground")


def test_pictures_are_upright_and_laid_on_a_ground(show: Show, tmp_path: Path) -> None:
    page = show(reader())
    picture = as_picture(drawn_digits()[42], 300).convert("RGBA")
    picture.putalpha(Image.eval(picture.convert("L"), lambda level: (255 - level) // 2))
    files = {
        "tilted.jpg": as_bytes(
            as_picture(drawn_digits()[42], 300).rotate(90), "JPEG", exif=oriented(6), quality=95
        ),
        "transparent.png": as_bytes(picture),
        "animated.gif": as_bytes(as_picture(drawn_digits()[42], 300), "GIF"),
        "photo.webp": as_bytes(as_picture(drawn_digits()[42], 300), "WEBP", lossless=True),
    }
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        choose_file(page, path)
        expect(page.locator("output")).to_have_text("7")
        off = np.abs(seen(page) - expected_pixels(path, "digit", (1, 28, 28)))
        print(name, off.max(), off.mean())
        assert off.mean() <= 0.5, name
        page.locator(".lenet-sample").first.click()


def oriented(how: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = how
    return exif


def test_what_is_no_picture_of_anything_is_refused_in_words(show: Show, tmp_path: Path) -> None:
    page = show(reader())
    before = seen(page)
    hint = message(page).inner_text()
    wrong = {
        "notes.txt": (b"not a picture", "notes.txt is not a picture that this browser can read."),
        "cut.png": (as_bytes(Image.new("L", (90, 90)))[:60], "cut.png is not a picture"),
        "empty.png": (as_bytes(Image.new("L", (90, 70), 200)), "nothing on it stands out"),
    }
    for name, (data, words) in wrong.items():
        path = tmp_path / name
        path.write_bytes(data)
        choose_file(page, path)
        expect(message(page)).to_contain_text(words)
        expect(message(page)).to_have_class(re.compile("lenet-input-wrong"))
        assert (seen(page) == before).all()
        page.locator(".lenet-sample").first.click()
        expect(message(page)).to_have_text(hint)
    give(page, "drop", "", "", b"")
    expect(message(page)).to_contain_text("That holds no picture file.")
    assert give(page, "paste", "", "", b"")
    page.get_by_label("elsewhere").focus()
    assert give(page, "paste", "six.png", "image/png", as_bytes(Image.new("L", (9, 9))))
    expect(message(page)).to_contain_text("That holds no picture file.")


def test_networks_for_colour_take_and_show_colour(show: Show, tmp_path: Path) -> None:
    page = show(colourful())
    pads = page.locator(".lenet-pad")
    for pad in pads.all():
        assert colour_at(pad, 0.5, 0.5) == [200, 0, 0]
    assert colour_at(page.locator(".lenet-sample canvas").nth(1), 0.5, 0.5) == [0, 0, 200]
    assert page.get_by_role("button", name="Clear").count() == 0
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 5, 3)).astype(np.uint8))
    path = tmp_path / "photo.png"
    coarse.resize((640, 400), Image.Resampling.BICUBIC).save(path)
    choose_file(page, path)
    expect(page.locator(".lenet-preparation li")).to_have_count(2)
    expected = expected_pixels(path, "picture", (3, 32, 32))
    assert np.abs(seen(page) - expected).max() <= 1
    assert colour_at(pads.last, 0.5, 0.5) == seen(page)[:, 16, 16].tolist()
    assert captions(page)[1] == "scaled to 32×32, the rest cut off; colour"
    text = page.evaluate("() => input.toText()")
    page.locator(".lenet-sample").first.click()
    assert page.evaluate("text => input.fromText(text)", text)
    assert np.abs(seen(page) - expected).max() <= 1


def test_where_pixels_mean_nothing_no_picture_is_asked_for(show: Show) -> None:
    images = torch.randn(2, 3, 32, 32)
    model = nn.Sequential(nn.Conv2d(3, 4, 5, stride=4), nn.Flatten(), nn.Linear(196, 3))
    page = show(InputProbe(model, images))
    expect(message(page)).to_have_text("Choose a picture.")
    assert page.locator("label").count() == 0
    page.locator(".lenet-sample").nth(1).click()
    shown = np.array(page.evaluate("() => [...input.values]"))
    assert shown == pytest.approx(images[1].flatten().numpy())


@pytest.mark.parametrize(
    "show", [{"viewport": {"width": 900, "height": 1000}}, {"viewport": PHONE}], indirect=True
)
def test_panel_and_preparation_fit_into_their_rooms(show: Show, tmp_path: Path) -> None:
    page = show(blank())
    path = tmp_path / "wide.png"
    sheet = as_picture(drawn_digits()[12], 200)
    sheet.resize((500, 200)).save(path)
    for bring in (lambda: draw_strokes(page, CROSS), lambda: choose_file(page, path)):
        bring()
        expect(page.locator("output")).not_to_have_text("nothing")
        for room in ("panel", "preparation"):
            parts = page.locator(f".{room} *:visible:not(.lenet-aloud)")
            assert parts.count() > 4
            beyond = parts.evaluate_all(BEYOND, room)
            assert beyond == []


WATCHED = """() => {
  const media = navigator.mediaDevices;
  const ask = media.getUserMedia.bind(media);
  media.getUserMedia = async wanted => (window.stream = await ask(wanted));
}"""
OFF = "() => stream.getTracks().every(track => track.readyState === 'ended')"


@pytest.mark.parametrize("show", [{"permissions": ["camera"]}], indirect=True)
def test_the_camera_takes_a_picture_and_is_switched_off(show: Show) -> None:
    page = show(colourful())
    page.evaluate(WATCHED)
    camera = page.get_by_role("button", name="Camera")
    camera.click()
    take = page.get_by_role("button", name="Take the picture")
    expect(take).to_be_enabled()
    page.keyboard.press("Escape")
    expect(take).to_have_count(0)
    page.wait_for_function(OFF)
    expect(camera).to_be_focused()
    assert captions(page) == ["This picture came prepared: the network sees it as it is."]
    camera.click()
    take.click()
    expect(page.locator(".lenet-preparation li")).to_have_count(2)
    assert re.fullmatch(r"your picture: \d+×\d+ pixels, colour", captions(page)[0])
    assert np.unique(seen(page)).size > 2
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_function(OFF)


def test_a_camera_that_is_refused_is_said_in_words(show: Show) -> None:
    page = show(colourful())
    page.get_by_role("button", name="Camera").click()
    expect(message(page)).to_contain_text("The camera gives no picture: ")
    expect(message(page)).to_have_class(re.compile("lenet-input-wrong"))
