"""``python -m lenet evaluate`` and ``predict``, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from lenet.__main__ import main
from lenet.commands.evaluate import class_table, load_for
from lenet.commands.predict import GAP, SIDE
from lenet.data import load
from lenet.models import WEIGHTS, CifarLeNet, LeNet5, load_weights, save_weights
from lenet.models.weights import ModelCard, read_card, save_trained
from lenet.train import evaluate
from tests.drawn_digits import as_picture, drawn_digits

SHIPPED = "lenet5_mnist"
EXAMINED = [drawn_digits()[index] for index in (0, 21, 44)]  # a 0, a 3 and a 7


@pytest.fixture(autouse=True)
def _embedded_digits(monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")


@pytest.fixture
def pictures(tmp_path) -> list[Path]:
    paths = [tmp_path / f"digit {drawn.digit}.png" for drawn in EXAMINED]
    as_picture(EXAMINED[0], 400).save(paths[0])
    as_picture(EXAMINED[1], 60, (0, 0, 0), (255, 255, 255)).convert("L").save(paths[1])
    transparent = as_picture(EXAMINED[2], 200).convert("RGBA")
    transparent.putalpha(transparent.convert("L").point(lambda value: 255 - value))
    transparent.save(paths[2])
    return paths


@pytest.fixture
def own_weights(tmp_path) -> Path:
    """A network for three kinds of colour pictures, as training would save it."""
    torch.manual_seed(0)
    card = ModelCard(
        network="CifarLeNet",
        dataset=str(tmp_path / "pictures"),
        source="pictures",
        classes=("blue", "green", "red"),
        image_shape=(3, 32, 32),
        mean=(0.4, 0.5, 0.6),
        std=(0.2, 0.2, 0.2),
        accuracy=0.5,
    )
    save_trained(CifarLeNet(), tmp_path / "own.safetensors", card)
    return tmp_path / "own.safetensors"


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("blue", "green", "red"):
        for number in range(5):
            path = tmp_path / "pictures" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (50, 40), name).save(path)
    return tmp_path / "pictures"


def refuse(words: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(words)
    assert error.value.code == 2


# ------------------------------------------------------------------------ predict


def test_digits_of_every_kind_are_recognised(pictures, capsys):
    assert main(["predict", SHIPPED, *map(str, pictures)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[::4] == [str(path) for path in pictures]
    assert [line.split()[0] for line in lines[1::4]] == ["0", "3", "7"]
    assert all(line.endswith("%") for index, line in enumerate(lines) if index % 4)


def test_predictions_come_as_json(pictures, capsys):
    assert main(["predict", SHIPPED, str(pictures[0]), "--format", "json", "--top", "10"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["file"] == str(pictures[0])
    assert found["classes"][0]["name"] == "0"
    assert len(found["classes"]) == 10
    assert sum(each["probability"] for each in found["classes"]) == pytest.approx(1)


def test_the_steps_are_explained_and_shown(pictures, tmp_path, capsys):
    target = tmp_path / "seen.png"
    words = ["predict", SHIPPED, *map(str, pictures), "--explain", "--show", str(target)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "the border is lighter than the drawing" in out
    assert "the border is darker than the drawing" in out
    assert "box of 20×20 pixels" in out
    with Image.open(target) as sheet:
        assert sheet.height == len(pictures) * (SIDE + GAP) + GAP
        left = sheet.crop((GAP, GAP, GAP + SIDE, GAP + SIDE))
        right = sheet.crop((SIDE + 2 * GAP, GAP, 2 * (SIDE + GAP), GAP + SIDE))
        assert sheet.getpixel((0, 0)) not in {(0, 0, 0), (255, 255, 255)}  # a white ground is seen
    assert left.convert("L").getpixel((0, 0)) == Image.open(pictures[0]).convert("L").getpixel(
        (0, 0)
    )
    assert right.getpixel((0, 0)) == (0, 0, 0)  # the network sees a dark ground


def test_a_sheet_has_room_for_sixty_pictures_of_any_shape(tmp_path):
    names = ["small.png", "wide.png", "tall.png"]
    sizes = [(20, 20), (900, 30), (30, 900)]
    for name, size in zip(names, sizes, strict=True):
        picture = Image.new("L", size, 255)
        picture.paste(0, (8, 8, 12, 12))
        picture.save(tmp_path / name)
    words = ["predict", SHIPPED, *[str(tmp_path / name) for name in names * 21]]
    assert main([*words, "--show", str(tmp_path / "sheet.png")]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * SIDE + 3 * GAP, 60 * (SIDE + GAP) + GAP)
        between = sheet.crop((GAP + SIDE, 0, GAP + SIDE + GAP, sheet.height))
    assert between.getcolors() == [(GAP * sheet.height, (128, 128, 128))]


def test_a_picture_that_cannot_be_read_does_not_stop_the_others(pictures, tmp_path, capsys):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    blank = tmp_path / "blank.png"
    Image.new("L", (50, 50), 255).save(blank)
    words = ["predict", SHIPPED, str(text), str(pictures[0]), str(blank), "missing.png"]
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out.splitlines()[1].split()[0] == "0"
    assert [line.split(" ")[0] for line in told.err.splitlines()] == [
        str(text),
        str(blank),
        "missing.png",
    ]


def test_a_figure_that_cannot_be_written_is_an_error(pictures, tmp_path, capsys):
    words = ["predict", SHIPPED, str(pictures[0]), "--show"]
    refuse([*words, str(tmp_path / "missing" / "seen.png")])
    assert "cannot write the file" in capsys.readouterr().err
    for name in ("seen.xyz", "seen", ".png", "seen.png.txt"):
        refuse([*words, str(tmp_path / name)])
        assert "the name must end in .png" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == sorted(pictures)


@pytest.mark.parametrize("name", ["digit 0.png", "link.png", "./digit 0.png"])
def test_a_picture_to_judge_is_not_overwritten(pictures, tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    Path("link.png").symlink_to(pictures[0])
    before = pictures[0].read_bytes()
    refuse(["predict", SHIPPED, *map(str, pictures), "--show", name])
    assert "that is one of the pictures to judge" in capsys.readouterr().err
    assert pictures[0].read_bytes() == before


def test_own_pictures_are_judged_by_a_network_of_ones_own(own_weights, folder, capsys):
    words = ["predict", str(own_weights), str(folder / "red" / "0.png"), "--explain"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "scaled until it covers 32×32" in "\n".join(lines)
    assert {line.split()[0] for line in lines[-3:]} == {"blue", "green", "red"}
    shares = [float(line.split()[1].rstrip("%")) for line in lines[-3:]]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert shares == sorted(shares, reverse=True)


def test_weights_that_say_nothing_need_to_be_explained(pictures, tmp_path, capsys):
    model = LeNet5()
    load_weights(model, WEIGHTS / f"{SHIPPED}.safetensors")
    path = tmp_path / "bare.safetensors"
    save_weights(model, path)
    words = ["predict", str(path), str(pictures[0])]
    refuse(words)
    assert "name the network (--network) and its data set" in capsys.readouterr().err
    assert main([*words, "--network", "LeNet5", "--dataset", "mnist"]) == 0
    assert capsys.readouterr().out.splitlines()[-3].split()[0] == "0"


class Foreign(nn.Sequential):
    """A network of the reader's own, with three outputs."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(3 * 32 * 32, 3))


def test_a_file_does_not_choose_which_code_is_run(tmp_path, folder, capsys, monkeypatch):
    card = ModelCard(
        network=f"{__name__}:Foreign",
        dataset=str(folder),
        source="pictures",
        classes=("blue", "green", "red"),
        image_shape=(3, 32, 32),
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        accuracy=0.5,
    )
    path = tmp_path / "foreign.safetensors"
    save_trained(Foreign(), path, card)
    words = ["predict", str(path), str(folder / "red" / "0.png")]
    refuse(words)
    assert f"--network {__name__}:Foreign" in capsys.readouterr().err
    assert main([*words, "--network", f"{__name__}:Foreign"]) == 0


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_weights_of_another_network_or_damaged_ones_are_told(command, tmp_path, pictures, capsys):
    rest = [str(pictures[0])] if command == "predict" else []
    weights = str(WEIGHTS / f"{SHIPPED}.safetensors")
    refuse([command, weights, *rest, "--network", "NarrowLeNet"])
    assert "another network than NarrowLeNet" in capsys.readouterr().err
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(Path(weights).read_bytes()[:-10])
    refuse([command, str(damaged), *rest])
    assert "damaged.safetensors" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["predict", SHIPPED], "IMAGE"),
        (["predict", "nowhere", "a.png"], "comes with the weights lenet5_mnist"),
        (["predict", SHIPPED, "a.png", "--top", "0"], "'0' is not a whole number from 1"),
        (["predict", SHIPPED, "a.png", "--prepare", "cat"], "invalid choice"),
        (["predict", SHIPPED, "a.png", "--network", "Nothing"], "is not one of"),
        (["evaluate"], "WEIGHTS"),
        (["evaluate", "nowhere"], "comes with the weights lenet5_mnist"),
    ],
)
def test_arguments_that_make_no_sense_exit_with_2(words, complaint, capsys):
    refuse(words)
    assert complaint in capsys.readouterr().err


# ------------------------------------------------------------------------ evaluate


def test_the_accuracy_is_that_of_the_package(capsys):
    assert main(["evaluate", SHIPPED]) == 0
    out = capsys.readouterr().out
    data = load("mnist")
    model = LeNet5()
    load_weights(model, WEIGHTS / f"{SHIPPED}.safetensors")
    card = read_card(WEIGHTS / f"{SHIPPED}.safetensors")
    score = evaluate(model, load_for(card, "mnist").batches("test", 100))
    assert (
        f"test accuracy {score.accuracy:.2%} ({score.num_correct} of {score.num_examples})" in out
    )
    assert f"mean loss {score.loss:.4f}" in out
    assert data.source in out
    rows = [line.split() for line in out.splitlines()[-10:]]
    assert [row[0] for row in rows] == list(data.classes)
    assert [int(row[1]) for row in rows] == torch.bincount(data.test.labels).tolist()


def test_own_pictures_are_evaluated(own_weights, folder, capsys):
    assert main(["evaluate", str(own_weights)]) == 0
    out = capsys.readouterr().out
    assert str(folder) in out
    assert "of 3)" in out  # a fifth of 15
    assert [line.split()[:2] for line in out.splitlines()[-3:]] == [
        ["blue", "1"],
        ["green", "1"],
        ["red", "1"],
    ]


def test_photographed_digits_are_evaluated_as_they_are_predicted(tmp_path, capsys):
    """Dark on light, small and off the centre: without preparation hardly one is recognised."""
    for drawn in drawn_digits():
        path = tmp_path / "digits" / str(drawn.digit) / f"{drawn.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        as_picture(drawn, 120).save(path)
    assert main(["evaluate", SHIPPED, str(tmp_path / "digits")]) == 0
    out = capsys.readouterr().out
    assert "each digit cut out" in out
    assert "(10 of 10)" in out  # a fifth of six is one of each


def test_classes_are_matched_by_name(own_weights, folder, capsys):
    """A folder may lack a class: its labels are then those of the network, not its own."""
    assert main(["evaluate", str(own_weights), str(folder)]) == 0
    whole = capsys.readouterr().out.splitlines()
    (folder / "blue").rename(folder.parent / "blue")
    assert main(["evaluate", str(own_weights), str(folder)]) == 0
    less = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in less[-3:]] == [["blue", "0"], ["green", "1"], ["red", "1"]]
    recall = {line.split()[0]: line.split()[2] for line in whole[-3:]}
    assert {line.split()[0]: line.split()[2] for line in less[-2:]} == {
        name: recall[name] for name in ("green", "red")
    }


def test_data_that_do_not_fit_are_refused(own_weights, folder, tmp_path, capsys):
    refuse(["evaluate", SHIPPED, "cifar-10"])
    assert "3×32×32, those that LeNet5 was trained on 1×28×28" in capsys.readouterr().err
    refuse(["evaluate", SHIPPED, str(folder)])
    assert "does not know: blue, green, red" in capsys.readouterr().err
    refuse(["evaluate", SHIPPED, str(tmp_path / "nowhere")])
    assert "unknown data set" in capsys.readouterr().err
    refuse(["evaluate", str(own_weights), str(folder), "--device", "quantum"])
    assert "'quantum' cannot be used" in capsys.readouterr().err


def test_a_frame_is_added_where_the_network_was_trained_with_one():
    """Networks for 32×32 digits were trained on MNIST in a black frame."""
    card = ModelCard(
        "LeNet5", "mnist", "", tuple("0123456789"), (1, 32, 32), (0.1,), (0.3,), accuracy=0.5
    )
    framed = load_for(card, "mnist")
    assert torch.equal(framed.test.images, load("mnist").pad(2).test.images)
    assert (framed.mean, framed.std) == (card.mean, card.std)


def test_the_table_counts_recall_precision_and_mistakes():
    confusion = torch.tensor([[8, 2, 0], [1, 9, 0], [0, 0, 0]])
    lines = class_table(confusion, ("cat", "dog", "emu")).splitlines()
    assert lines[1].split() == ["cat", "10", "80.0%", "88.9%", "dog", "(2)"]
    assert lines[2].split() == ["dog", "10", "90.0%", "81.8%", "cat", "(1)"]
    assert lines[3].split() == ["emu", "0", "-", "-", "-"]


def test_a_reader_who_has_seen_enough_gets_no_traceback(request):
    command = [sys.executable, "-m", "lenet", "shapes", "LeNet5", "--input", "1x28x28"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    request.addfinalizer(process.kill)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 1
