"""A folder per class works wherever a data set's name does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor

from lenet.data import DataError, dataset, load
from lenet.data.folders import SPLIT_SEED, find_pictures
from lenet.models import CifarLeNet, LeNet5
from lenet.train import Settings, fit

COLOURS = {"blue": (0, 0, 220), "green": (0, 180, 0), "red": (220, 0, 0)}


def save(path: Path, colour: tuple[int, ...] | int = 128, size: tuple[int, int] = (40, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(colour, int) else "RGB"
    Image.new(mode, size, colour).save(path)


@pytest.fixture
def colours(tmp_path) -> Path:
    """Ten plain pictures in each of three colours, every one of another size."""
    for name, colour in COLOURS.items():
        for number in range(10):
            save(tmp_path / "colours" / name / f"{number}.png", colour, (20 + number, 50))
    return tmp_path / "colours"


def test_classes_are_the_names_of_the_folders(colours):
    data = load(colours)
    assert data.classes == ("blue", "green", "red")
    assert data.train.images.shape == (24, 3, 32, 32)
    assert data.test.images.shape == (6, 3, 32, 32)
    for split in (data.train, data.test):
        for image, label in zip(split.images, split.labels.tolist(), strict=True):
            assert tuple(image[:, 16, 16].tolist()) == COLOURS[data.classes[label]]
    assert data.name == str(colours)
    assert str(colours) in data.source
    assert "20% of every class" in data.source
    assert f"seed {SPLIT_SEED}" in data.source
    assert "32×32 in colour" in data.source


def test_every_picture_is_in_one_part_and_every_class_in_both(colours):
    for number in range(3):  # classes of different sizes
        (colours / "red" / f"{number}.png").unlink()
    found = find_pictures(colours)
    files = [file for file, _ in found.train + found.test]
    assert sorted(files) == sorted(colours.rglob("*.png"))
    counts = np.bincount([label for _, label in found.test], minlength=3)
    assert counts.tolist() == [2, 2, 1]
    assert find_pictures(colours) == found


def test_the_split_does_not_depend_on_where_the_folder_lies(colours, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(colours, elsewhere)

    def names(root: Path) -> list[str]:
        return [str(file.relative_to(root)) for file, _ in find_pictures(root).test]

    assert names(colours) == names(elsewhere)


def test_a_division_of_ones_own_is_kept(colours, tmp_path):
    shutil.copytree(colours, tmp_path / "divided" / "train")
    for name, colour in COLOURS.items():
        save(tmp_path / "divided" / "test" / name / "one.jpg", colour)
    data = load(tmp_path / "divided")
    assert (len(data.train), len(data.test)) == (30, 3)
    assert "train/ and test/ as they are" in data.source
    shutil.rmtree(tmp_path / "divided" / "test" / "red")
    with pytest.raises(DataError, match="only one of them has: red"):
        load(tmp_path / "divided")


def test_it_reads_the_same_pictures_as_imagefolder(colours):
    """At their own size, where nothing has to be scaled, the pixels are those of torchvision."""
    for file in colours.rglob("*.png"):
        pixels = np.random.default_rng(len(file.name)).integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(file)
    theirs = ImageFolder(str(colours), transform=ToTensor())
    ours = {}
    for train in (True, False):
        opened = dataset(colours, train=train, transform=ToTensor(), size=(24, 24))
        assert opened.classes == theirs.classes
        assert opened.class_to_idx == theirs.class_to_idx
        ours |= {str(file): example for file, example in zip(opened.files, opened, strict=True)}
    for (path, _), (image, label) in zip(theirs.samples, theirs, strict=True):
        assert torch.equal(ours[path][0], image)
        assert ours[path][1] == label


def test_grey_pictures_stay_grey(tmp_path):
    for name, level in {"dark": 30, "light": 200}.items():
        save(tmp_path / name / "1.png", level)
        save(tmp_path / name / "2.png", (level,) * 3)  # grey in a file with room for colour
    assert load(tmp_path).train.images.shape == (2, 1, 28, 28)
    assert "28×28 in grey" in load(tmp_path).source
    assert load(tmp_path, channels=3).train.images.shape == (2, 3, 32, 32)
    save(tmp_path / "light" / "3.png", (200, 200, 201))
    assert load(tmp_path).train.images.shape == (3, 3, 32, 32)
    assert load(tmp_path, channels=1).train.images.shape == (3, 1, 28, 28)
    assert load(tmp_path, size=(16, 20)).train.images.shape == (3, 3, 16, 20)


def test_kinds_of_files_may_be_mixed(tmp_path):
    save(tmp_path / "a" / "one.JPG", (10, 20, 30))
    save(tmp_path / "a" / "deeper" / "two.gif", 60)
    save(tmp_path / "b" / "three.webp", (200, 100, 50))
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(tmp_path / "b" / "four.png")
    data = load(tmp_path)
    assert len(data.train) == len(data.test) == 2


def test_what_is_no_picture_is_left_out_and_named(colours, capsys):
    (colours / "red" / ".DS_Store").touch()
    (colours / ".ipynb_checkpoints").mkdir()
    (colours / "red" / "Thumbs.db").touch()
    (colours / "readme.txt").touch()
    load(colours)
    assert capsys.readouterr().out == ""
    (colours / "blue" / "notes.txt").touch()
    assert len(load(colours).train) == 24
    out = capsys.readouterr().out
    assert str(colours / "blue") in out
    assert "notes.txt" in out


def test_a_damaged_picture_is_named(colours):
    broken = colours / "green" / "3.png"
    broken.write_bytes(broken.read_bytes()[:50])
    with pytest.raises(DataError, match="damaged") as error:
        load(colours)
    assert str(broken) in str(error.value)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ([], "it has no folder.*Make a folder for each class"),
        (["1.png", "2.png"], "it has no folder.*The 2 pictures beside it"),
        (["cat/1.png", "cat/2.png"], "at least two classes; it has one folder: cat"),
        (["cat/1.png", "cat/2.png", "dog/"], "dog holds no picture"),
        (["cat/1.png", "cat/2.png", "dog/1.png"], "'dog' has a single picture"),
        (["train/cat/1.png", "train/dog/1.png"], "at least two classes; it has one folder: train"),
    ],
)
def test_what_is_missing_is_said(tmp_path, files, complaint):
    for name in files:
        if name.endswith("/"):
            (tmp_path / name).mkdir(parents=True)
        else:
            save(tmp_path / name)
    with pytest.raises(DataError, match=complaint) as error:
        load(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_names_of_data_sets_come_first_and_paths_are_folders(colours, tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    colours.rename(tmp_path / "mnist")
    assert load("mnist").train.images.shape[1:] == (1, 28, 28)
    assert load("./mnist").classes == load(Path("mnist")).classes == ("blue", "green", "red")
    assert dataset("./mnist", train=False).classes == ["blue", "green", "red"]
    assert load(load(Path("mnist")).name).classes == ("blue", "green", "red")


def test_what_makes_no_sense_is_refused(colours, tmp_path):
    with pytest.raises(ValueError, match=r"choose one of fashion-mnist.*or the path of a folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="mnist has its own"):
        load("mnist", size=(32, 32))
    with pytest.raises(ValueError, match=r"1 .grey. or 3 .colour."):
        load(colours, channels=4)
    with pytest.raises(ValueError, match="height and width"):
        load(colours, size=(0, 32))


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(2, 30), min_size=2, max_size=5))
def test_the_split_keeps_the_shares_of_the_classes(counts, tmp_path_factory):
    root = tmp_path_factory.mktemp("classes")
    for label, count in enumerate(counts):
        folder = root / f"class{label}"
        folder.mkdir()
        for number in range(count):
            (folder / f"{number}.png").touch()  # found by name, not opened: channels are given
    found = find_pictures(root, channels=1)
    tests = np.bincount([label for _, label in found.test], minlength=len(counts)).tolist()
    assert tests == [max(1, round(count / 5)) for count in counts]
    assert len(found.train) + len(found.test) == sum(counts)
    assert not {file for file, _ in found.train} & {file for file, _ in found.test}


@pytest.mark.parametrize(("network", "channels"), [(CifarLeNet, None), (LeNet5, 1)])
def test_own_pictures_train_a_network_of_the_book(colours, network, channels):
    torch.manual_seed(0)
    size = (28, 28) if channels else None
    data = load(colours, channels=channels, size=size)
    settings = Settings(epochs=10, batch_size=8, lr=0.003, device="cpu")
    history = fit(network(), data, settings, progress=False)
    assert history.epochs[-1].test.accuracy == 1  # plain colours, and their different greys
