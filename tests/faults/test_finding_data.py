"""Folders, switches and picture files as people have them: what they mean is done, or refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from lenet.data import DataError, load
from lenet.data.picture_files import read_picture

TRAINING = ("train", "Train", "TRAIN", "training", "Training")
JUDGING = ("test", "Test", "testing", "val", "Val", "valid", "validation", "Validation", "eval")
ON = ("1", "true", "True", "TRUE", "yes", "Yes", "on", "ON", " 1", "true ")
OFF = ("", "0", "false", "False", "no", "No", "off", "OFF", " 0")
UNKNOWN = ("2", "-1", "ja", "oui", "enable", "1.0", "yes please", "none", "null", "t")


def save(path: Path, colour: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path)


def save_classes(root: Path) -> None:
    for name, colour in (("cat", "red"), ("dog", "blue")):
        for number in range(3):
            save(root / name / f"{number}.png", colour)


@pytest.mark.parametrize("train", TRAINING)
@pytest.mark.parametrize("test", JUDGING)
def test_folders_for_training_and_judging_are_known_by_their_usual_names(
    tmp_path: Path, train: str, test: str
) -> None:
    save_classes(tmp_path / train)
    save_classes(tmp_path / test)
    data = load(tmp_path)
    assert data.classes == ("cat", "dog")
    assert (len(data.train.labels), len(data.test.labels)) == (6, 6)


def test_of_three_folders_the_one_left_alone_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train", "val", "test"):
        save_classes(tmp_path / name)
    save(tmp_path / "test" / "cat" / "more.png", "red")
    assert len(load(tmp_path).test.labels) == 7
    assert "train/ and test/ are used, not val" in capsys.readouterr().out


def test_loose_pictures_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_classes(tmp_path)
    save(tmp_path / "loose.png", "green")
    assert len(load(tmp_path).train.labels) == 4
    assert "1 pictures lie in no class's folder" in capsys.readouterr().out


def test_a_loop_of_links_adds_no_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_classes(tmp_path)
    (tmp_path / "cat" / "again").symlink_to(tmp_path)
    data = load(tmp_path)
    assert len(data.train.labels) + len(data.test.labels) == 6
    assert "1 files that are no pictures: again" in capsys.readouterr().out


@pytest.mark.parametrize("value", ON)
def test_a_switch_is_on(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENET_OFFLINE", value)
    assert "embedded" in load("mnist").source


@pytest.mark.parametrize("value", OFF)
def test_a_switch_is_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENET_OFFLINE", "1")
    monkeypatch.setenv("LENET_REQUIRE_REAL", value)
    assert "embedded" in load("mnist").source


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("switch", ["LENET_OFFLINE", "LENET_REQUIRE_REAL"])
def test_a_switch_that_says_neither_is_refused(
    switch: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENET_OFFLINE", "1")
    monkeypatch.setenv(switch, value)
    with pytest.raises(DataError, match=f"{switch} is '{value.strip()}'; set it to 1 or 0"):
        load("mnist")


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "photo.eps", "photo"])
def test_no_picture_starts_another_program(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*arguments: object, **options: object) -> None:
        raise AssertionError("a program was started")

    path = tmp_path / name
    Image.new("L", (8, 8)).save(path, "EPS")
    for function in ("Popen", "run", "check_call", "check_output"):
        monkeypatch.setattr(subprocess, function, started)
    with pytest.raises(DataError, match="is not a picture that can be read"):
        read_picture(path)


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        with pytest.raises(DataError, match="is a device or pipe, not a file"):
            read_picture(path)


@pytest.mark.parametrize("side", [10_001, 14_000])
def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path, side: int) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (side, side)).save(path)
    with pytest.raises(DataError, match=r"pixels|too large"):
        read_picture(path)
