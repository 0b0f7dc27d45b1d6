"""`python -m lenet train` trains as the chapters do; what was stopped goes on."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import torch
from PIL import Image

from lenet import train
from lenet.__main__ import main
from lenet.data import load
from lenet.data.augment import RandomAffine
from lenet.models import LeNet5, NarrowLeNet, load_weights
from lenet.models.weights import read_card
from lenet.train import Settings, checkpoint, fit
from tests.lenet.train.test_distributed import torchrun

TRAIN = ["train", "mnist", "--network", "NarrowLeNet", "--device", "cpu"]


@pytest.fixture(autouse=True)
def embedded(monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")


@pytest.fixture
def weights(tmp_path) -> Path:
    return tmp_path / "narrow.safetensors"


def refused(capsys, *arguments) -> str:
    """Run a command that is given what it cannot use; return the complaint."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    return capsys.readouterr().err


def trained(path: Path, model=None) -> torch.nn.Module:
    model = model or NarrowLeNet()
    load_weights(model, path)
    return model


def same(first, second) -> bool:
    return all(map(torch.equal, first.parameters(), second.parameters()))


# ---------------------------------------------------------------------------- training


def test_it_trains_as_fit_does(weights, capsys):
    options = ["--epochs", "2", "--batch-size", "200", "--optimizer", "sgd", "--lr", "0.1"]
    options += ["--momentum", "0.8", "--weight-decay", "0.001", "--schedule", "one-cycle"]
    options += ["--precision", "bfloat16", "--seed", "3", "--augment", "affine"]
    options += ["--save", str(weights)]
    assert main([*TRAIN, *options]) == 0
    settings = Settings(
        2, 200, "sgd", 0.1, 0.8, 0.001, "one-cycle", "bfloat16", 3, "cpu", RandomAffine()
    )
    torch.manual_seed(3)
    model = NarrowLeNet()
    history = fit(model, load("mnist"), settings, progress=False)
    assert same(trained(weights), model)
    score = history.epochs[-1].test
    card = read_card(weights)
    assert card.accuracy == score.accuracy
    assert (card.network, card.dataset, card.image_shape) == ("NarrowLeNet", "mnist", (1, 28, 28))
    output = capsys.readouterr().out
    without_times = re.sub(r"\d+\.\d$", "", output, flags=re.M)
    assert re.sub(r"\d+\.\d$", "", str(history), flags=re.M) in without_times
    assert f"({score.num_correct:,} of {score.num_examples:,})" in output
    assert list(weights.parent.iterdir()) == [weights], "the checkpoint is gone"


def test_a_network_of_ones_own(weights):
    command = ["train", "mnist", "--network", "lenet.models:LeNet5", "--epochs", "1"]
    assert main([*command, "--save", str(weights)]) == 0
    assert read_card(weights).network == "lenet.models:LeNet5"
    trained(weights, LeNet5())


def test_a_folder_of_pictures(tmp_path, weights):
    for number, name in enumerate(["dark", "light", "middle"]):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for index in range(10):
            image = Image.new("L", (40, 30), 100 * number + index)
            image.save(tmp_path / "pictures" / name / f"{index}.png")
    command = ["train", str(tmp_path / "pictures"), "--network", "CifarLeNet", "--epochs", "1"]
    assert main([*command, "--input", "3x32x32", "--save", str(weights)]) == 0
    card = read_card(weights)
    assert card.classes == ("dark", "light", "middle")
    assert card.image_shape == (3, 32, 32)


def test_after_divergence_the_advice_works_as_printed(weights, capsys):
    command = [*TRAIN, "--epochs", "1", "--optimizer", "sgd", "--save", weights]
    assert main([str(word) for word in [*command, "--lr", "1e20"]]) == 1
    told = capsys.readouterr().err
    advice = re.search(r"The same command with (.*) begins anew", told)
    assert advice is not None, told
    assert advice[1] == "--lr 1e+19 --restart"
    assert "--restart to begin anew" in refused(capsys, *command, "--lr", "0.01")
    assert main([str(word) for word in [*command, "--lr", "0.01", "--restart"]]) == 0
    assert weights.exists()


def test_restarting_deletes_nothing_but_a_checkpoint(weights, tmp_path, capsys):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photo")
    told = refused(capsys, *TRAIN, "--save", weights, "--checkpoint", photo, "--restart")
    assert "photo.jpg is damaged, or no checkpoint" in told
    assert photo.read_bytes() == b"a photo"
    told = refused(capsys, *TRAIN, "--save", weights, "--checkpoint", weights)
    assert "are one file" in told


# ---------------------------------------------------------------------------- going on


def stop_after(epochs: int, monkeypatch, *arguments) -> int:
    """Run a command and press Ctrl-C in the epoch after so many."""
    calls = []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == epochs + 1:
            raise KeyboardInterrupt
        return train_epoch(*args, **options)

    train_epoch = train.train_epoch
    with monkeypatch.context() as patch:
        patch.setattr(train.loop, "train_epoch", interrupted)
        return main([str(argument) for argument in arguments])


def test_a_stopped_training_goes_on(weights, tmp_path, monkeypatch, capsys):
    command = [*TRAIN, "--epochs", "3", "--save", weights]
    assert stop_after(2, monkeypatch, *command) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "interrupted"
    assert f"{weights}.checkpoint holds the 2 of 3 epochs that are finished" in captured.err
    assert "same command with --resume" in captured.err
    assert not weights.exists()
    assert "Add --resume to go on with it, or --restart" in refused(capsys, *command)
    assert main([*map(str, command), "--resume"]) == 0
    numbers = re.findall(r"^ +(\d)  ", capsys.readouterr().out, re.M)
    assert numbers == ["1", "2", "3"], "the table is whole"
    whole = tmp_path / "whole.safetensors"
    assert (
        main([*TRAIN, "--epochs", "3", "--save", str(whole), "--resume"]) == 0
    )  # nothing to go on
    assert same(trained(weights), trained(whole))
    assert not Path(f"{weights}.checkpoint").exists()


def test_a_checkpoint_that_was_named_is_kept_and_can_be_trained_further(weights, tmp_path, capsys):
    kept = tmp_path / "kept"
    command = [*TRAIN, "--save", str(weights), "--checkpoint", str(kept), "--epochs"]
    assert main([*command, "1"]) == 0
    first = trained(weights)
    assert len(checkpoint.read(kept)[1]["history"]) == 1
    assert main([*command, "1", "--resume"]) == 0  # nothing left to do
    assert same(first, trained(weights))
    assert main([*command, "2", "--resume"]) == 0
    assert not same(first, trained(weights))
    assert len(checkpoint.read(kept)[1]["history"]) == 2
    complaint = refused(capsys, *command, "2", "--resume", "--lr", "0.5")
    assert "belongs to another training" in complaint
    assert "lr: 0.01 there, 0.5 here" in complaint


@pytest.fixture
def heard():
    """Ctrl-C is heard by what a test starts, even where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_in_a_terminal(weights, request):
    """A real one: it has a progress bar, and sends the signal."""
    command = [sys.executable, "-m", "lenet", *TRAIN, "--epochs", "10000", "--save", weights]
    here, there = pty.openpty()
    termios.tcsetwinsize(here, (40, 120))
    environment = {key: value for key, value in os.environ.items() if key != "TQDM_DISABLE"}
    process = subprocess.Popen(command, stderr=there, stdout=there, env=environment)
    request.addfinalizer(process.kill)
    os.close(there)
    seen = b""
    while b"\n    2  " not in seen.replace(b"\r", b"\n"):  # the second line of the table
        seen += os.read(here, 10_000)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            seen += os.read(here, 10_000) or b"\0"
        except OSError:  # the terminal's end, on Linux
            break
    assert process.wait() == 1, seen
    text = seen.decode()
    assert "epoch 1/10000" in text
    assert "interrupted" in text
    assert "the same command with --resume goes on" in text.replace("\r\n", "\n")
    assert "Traceback" not in text
    assert len(checkpoint.read(f"{weights}.checkpoint")[1]["history"]) >= 2


@pytest.mark.slow  # the room of training has its own, of two processes
def test_several_processes_train_the_same_network(weights, tmp_path):
    settings = ["--epochs", "1", "--optimizer", "sgd", "--lr", "0.05", "--augment", "crop-flip"]
    done = torchrun(2, "-m", "lenet", *TRAIN, *settings, "--save", weights)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("test accuracy") == 1
    assert done.stdout.count("Notice") == 1
    alone = tmp_path / "alone.safetensors"
    assert main([*TRAIN, *settings, "--save", str(alone)]) == 0
    for ours, theirs in zip(
        trained(weights).parameters(), trained(alone).parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
    assert sorted(tmp_path.iterdir()) == [alone, weights]


# ---------------------------------------------------------------------------- refused


def test_names_that_do_not_exist_are_answered_with_those_that_do(capsys, weights):
    files = ["--save", weights]
    complaint = refused(capsys, "train", "fasion", "--network", "NarrowLeNet", *files)
    assert "choose one of fashion-mnist, mnist, cifar-10" in complaint
    complaint = refused(capsys, "train", "mnist", "--network", "LeNet6", *files)
    assert "'LeNet6' is not one of NarrowLeNet, LeNet5" in complaint


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--epochs", "0"], "epochs must be a whole number, at least 1, not 0"),
        (["--lr", "-1"], "lr must be a finite number above 0, not -1.0"),
        (["--optimizer", "adagrad"], "'adam' or 'sgd'"),
        (["--schedule", "cosine"], "'constant' or 'one-cycle'"),
        (["--augment", "none"], "invalid choice: 'none'"),
        (["--input", "1x28x28"], "mnist has its own"),
    ],
)
def test_settings_that_make_no_sense_are_refused(capsys, weights, arguments, complaint):
    assert complaint in refused(capsys, *TRAIN, "--save", weights, *arguments)
    assert not list(weights.parent.iterdir())


def test_a_network_that_does_not_fit_is_explained(capsys, weights):
    command = ["train", "cifar-10", "--network", "LeNet5", "--save", weights]
    complaint = refused(capsys, *command)
    assert "LeNet5 does not fit the images of cifar-10 (3x32x32)" in complaint
    assert "in_channels=3 in conv1" in complaint
    assert "python -m lenet shapes LeNet5 --input 3x32x32" in complaint
    assert not list(weights.parent.iterdir())


def two_scores() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 2))


def no_scores() -> torch.nn.Module:
    return torch.nn.Conv2d(1, 10, 3)


class AsDict(torch.nn.Linear):
    def forward(self, images):
        return {"logits": super().forward(images.flatten(1))}


class Unchanged(torch.nn.Module):
    def forward(self, images):
        return images


def as_dict() -> torch.nn.Module:
    return AsDict(784, 10)


def frozen() -> torch.nn.Module:
    return NarrowLeNet().requires_grad_(False)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two_scores", "one for each of 10 classes or more; it gave float32 (2, 2)"),
        ("no_scores", "one for each of 10 classes or more; it gave float32 (2, 10, 26, 26)"),
        ("Unchanged", "it gave float32 (2, 1, 28, 28)"),
        ("as_dict", "it gave a dict"),
        ("frozen", "Are they all frozen (requires_grad=False)?"),
    ],
)
def test_a_network_that_cannot_be_trained_is_refused_before(capsys, weights, name, words):
    network = f"{__name__}:{name}"
    assert words in refused(capsys, "train", "mnist", "--network", network, "--save", weights)
    assert not list(weights.parent.iterdir())


def test_a_file_that_cannot_be_written_is_found_before_training(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(train.loop, "train_epoch", None)
    nowhere = tmp_path / "nowhere" / "file"
    assert f"cannot write the file (No such file or directory): '{nowhere}'" in refused(
        capsys, *TRAIN, "--save", nowhere
    )
    assert str(nowhere) in refused(
        capsys, *TRAIN, "--save", tmp_path / "here", "--checkpoint", nowhere
    )
    assert "a folder is there" in refused(capsys, *TRAIN, "--save", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_loss_that_explodes_is_reported(capsys, weights):
    arguments = ["--optimizer", "sgd", "--lr", "1e20", "--save", weights]
    assert main([str(word) for word in [*TRAIN, *arguments]]) == 1
    assert "Try a smaller learning rate" in capsys.readouterr().err
    assert not weights.exists()


def test_a_device_that_is_not_there_is_named(capsys, weights):
    command = ["train", "mnist", "--network", "NarrowLeNet", "--save", weights]
    assert "device 'cuda:99' cannot be used" in refused(capsys, *command, "--device", "cuda:99")


def test_the_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    example = text[text.index("python -m lenet train fashion-mnist") :].splitlines()[0]
    assert "--network NarrowLeNet --save narrow.safetensors" in example
