"""A training that is stopped goes on as if it had not been; no other training goes on from it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from torch import nn

from lenet import train
from lenet.data.augment import RandomAffine, RandomCropFlip
from lenet.models import LeNet5, NarrowLeNet, save_weights
from lenet.train import Settings, Training, checkpoint
from lenet.train.checkpoint import Checkpoint, CheckpointError

ROOT = Path(__file__).parents[3]
BENCH = ROOT / "bench" / "kill_and_resume.py"
RESULTS = ROOT / "book" / "lenet_book" / "results" / "kill_and_resume.json"
RECIPE = Settings(epochs=3, batch_size=200, lr=0.005, device="cpu")


def network(dropout: float = 0.2) -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Flatten(), nn.Linear(784, 20), nn.BatchNorm1d(20), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(20, 10))


def stop_after(epochs, model, data, recipe, path):
    """Train some epochs as a process does that is then killed."""
    training = Training(model, data, recipe)
    for epoch in checkpoint.epochs(training, path, progress=False):
        if epoch.number == epochs:
            break


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def scores(history):
    return [(epoch.number, epoch.train, epoch.test) for epoch in history.epochs]


# ---------------------------------------------------------------------------- going on


@pytest.mark.parametrize("done", [1, 2, 3])
@pytest.mark.parametrize(
    ("changes", "augment"),
    [
        ({"optimizer": "adam", "schedule": "one-cycle"}, RandomAffine()),
        ({"optimizer": "sgd", "weight_decay": 0.01}, RandomCropFlip()),
        ({"optimizer": "sgd", "momentum": 0.0, "schedule": "one-cycle"}, None),
        ({"optimizer": "adam"}, None),
    ],
)
def test_a_resumed_training_ends_bit_for_bit_as_an_uninterrupted_one(
    digits, tmp_path, changes, augment, done
):
    recipe, path = replace(RECIPE, **changes, augment=augment), tmp_path / "checkpoint"
    whole, resumed = network(), network()
    expected = train.fit(whole, digits, recipe, progress=False)
    stop_after(done, network(), digits, recipe, path)
    with torch.no_grad():
        for parameter in resumed.parameters():
            parameter.fill_(7)  # the weights come from the file
    torch.manual_seed(123)  # the random numbers too
    history = checkpoint.fit(resumed, digits, recipe, path, progress=False)
    assert same(whole, resumed)
    assert scores(history) == scores(expected)
    assert not resumed.training


def test_float16_goes_on_with_the_scaler_as_it_was(digits, tmp_path):
    recipe, path = replace(RECIPE, precision="float16"), tmp_path / "checkpoint"
    whole = Training(network(), digits, recipe)
    list(whole.epochs(progress=False))
    stop_after(1, network(), digits, recipe, path)
    resumed = Training(network(), digits, recipe)
    list(checkpoint.epochs(resumed, path, progress=False))
    assert same(whole.model, resumed.model)
    assert resumed.scaler.state_dict() == whole.scaler.state_dict()
    assert resumed.scaler.state_dict()["_growth_tracker"] == 3 * 8  # batches since it last changed


def test_the_layout_of_the_weights_in_memory_is_kept(digits, tmp_path):
    def channels_last() -> nn.Module:
        torch.manual_seed(0)
        layers = [nn.Conv2d(1, 3, 5, stride=2), nn.ReLU(), nn.Conv2d(3, 4, 5, stride=2), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 4 * 4, 10))
        return model.to(memory_format=torch.channels_last)

    whole, resumed, path = channels_last(), channels_last(), tmp_path / "checkpoint"
    train.fit(whole, digits, RECIPE, progress=False)
    stop_after(1, channels_last(), digits, RECIPE, path)
    checkpoint.fit(resumed, digits, RECIPE, path, progress=False)
    assert same(whole, resumed)


def test_checkpoints_do_not_change_the_training(digits, tmp_path):
    plain, stored = network(), network()
    train.fit(plain, digits, RECIPE, progress=False)
    checkpoint.fit(stored, digits, RECIPE, tmp_path / "checkpoint", progress=False)
    assert same(plain, stored)


def test_more_epochs_may_be_asked_for_while_the_learning_rate_is_constant(digits, tmp_path):
    path = tmp_path / "checkpoint"
    whole, resumed = network(), network()
    train.fit(whole, digits, replace(RECIPE, epochs=4), progress=False)
    checkpoint.fit(network(), digits, replace(RECIPE, epochs=2), path, progress=False)
    history = checkpoint.fit(resumed, digits, replace(RECIPE, epochs=4), path, progress=False)
    assert same(whole, resumed)
    assert [epoch.number for epoch in history.epochs] == [1, 2, 3, 4]
    again = network()
    checkpoint.fit(again, digits, replace(RECIPE, epochs=4), path, progress=False)
    assert same(whole, again)  # a finished training is only read


def test_ctrl_c_leaves_the_epochs_that_are_done(digits, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    calls = []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train_epoch(*args, **options)

    train_epoch = train.train_epoch
    with monkeypatch.context() as patch:
        patch.setattr(train.loop, "train_epoch", interrupted)
        history = checkpoint.fit(network(), digits, RECIPE, path, progress=False)
    assert history.interrupted
    assert len(checkpoint.read(path)[1]["history"]) == len(history.epochs) == 1
    whole, resumed = network(), network()
    train.fit(whole, digits, RECIPE, progress=False)
    assert not checkpoint.fit(resumed, digits, RECIPE, path, progress=False).interrupted
    assert same(whole, resumed)


def test_ctrl_c_amid_a_write_leaves_the_checkpoint_before(digits, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    synced = []

    def interrupted(descriptor):
        synced.append(descriptor)
        if len(synced) == 9:  # file and folder, with the one before five times; then the file
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    history = checkpoint.fit(network(), digits, RECIPE, path, progress=False)
    assert history.interrupted
    assert len(checkpoint.read(path)[1]["history"]) == 1
    assert sorted(tmp_path.iterdir()) == [path, checkpoint.previous(path)]


# ---------------------------------------------------------------------------- killed


@pytest.mark.parametrize(
    ("kills", "epochs"), [(1, 4), pytest.param(30, 40, marks=pytest.mark.slow)]
)
def test_killed_trainings_lose_nothing(tmp_path, kills, epochs):
    results = tmp_path / "results.json"
    options = ["--kills", str(kills), "--epochs", str(epochs), "--results", results]
    command = [sys.executable, BENCH, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [len(record["kills"]) for record in json.loads(results.read_text())] == [kills, kills]


def test_the_stored_results_are_of_thirty_kills():
    records = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert len(records) == 2
    for record in records:
        assert len(record["kills"]) >= 30
        done = {kill["epochs_done"] for kill in record["kills"]}
        assert len(done) > 5, "spread over the training"
        assert any(kill["write_cut"] for kill in record["kills"]), "amid a write too"
        assert record["environment"]["cpu"]


# ---------------------------------------------------------------------------- refused


@pytest.fixture
def stored(digits, tmp_path):
    path = tmp_path / "checkpoint"
    stop_after(1, network(), digits, RECIPE, path)
    return path


def refuse(stored, model, data, recipe) -> str:
    before = stored.read_bytes()
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(CheckpointError, match="belongs to another training") as caught:
        checkpoint.fit(model, data, recipe, stored, progress=False)
    assert stored.read_bytes() == before
    assert all(torch.equal(weights[n], t) for n, t in model.state_dict().items())
    message = str(caught.value)
    assert str(stored) in message
    assert "embedded digits" in message
    assert "delete this one to start anew" in message
    return message


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"lr": 0.004}, "lr: 0.005 there, 0.004 here"),
        ({"batch_size": 100}, "batch_size: 200 there, 100 here"),
        ({"optimizer": "sgd"}, "optimizer: adam there, sgd here"),
        ({"weight_decay": 0.1}, "weight_decay: 0.0 there, 0.1 here"),
        ({"momentum": 0.8}, "momentum: 0.9 there, 0.8 here"),
        ({"schedule": "one-cycle"}, "schedule: constant there, one-cycle here"),
        ({"precision": "bfloat16"}, "precision: float32 there, bfloat16 here"),
        ({"seed": 1}, "seed: 0 there, 1 here"),
    ],
)
def test_other_settings_are_refused(stored, digits, changes, difference):
    assert difference in refuse(stored, network(), digits, replace(RECIPE, **changes))


def test_another_augmentation_or_loss_is_refused(stored, digits):
    message = refuse(stored, network(), digits, replace(RECIPE, augment=RandomCropFlip(2)))
    assert "augmentation: None there, RandomCropFlip(padding=2, flip=0.5) here" in message
    other = replace(RECIPE, loss_function=F.multi_margin_loss)
    message = refuse(stored, network(), digits, other)
    assert "loss: <function cross_entropy> there, <function multi_margin_loss> here" in message


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (NarrowLeNet, "network: Sequential there, NarrowLeNet here"),
        (LeNet5, "… and"),
        (lambda: network(0.3), "layer 3: Dropout(p=0.2, inplace=False) there, Dropout(p=0.3"),
    ],
)
def test_another_network_is_refused(stored, digits, other, difference):
    assert difference in refuse(stored, other(), digits, RECIPE)


def test_other_data_is_refused(stored, digits):
    def change(**parts):
        return refuse(stored, network(), replace(digits, **parts), RECIPE)

    labels = digits.train.labels.clone()
    labels[[0, 1]] = labels[[1, 0]]
    train_set, test = digits.train, digits.test
    for message in (
        change(train=replace(train_set, labels=labels)),
        change(test=test[:-1]),
        change(mean=(0.0,)),
        refuse(stored, network(), digits.hold_out(100), RECIPE),
    ):
        assert re.search(r"checksum of the data: \w{64} there, \w{64} here", message)


def test_fewer_epochs_than_are_done_are_refused(digits, tmp_path):
    path = tmp_path / "checkpoint"
    stop_after(2, network(), digits, RECIPE, path)
    message = refuse(path, network(), digits, replace(RECIPE, epochs=1))
    assert "with 2 finished epochs" in message
    assert "epochs: 3 there, 1 here" in message


def test_a_one_cycle_cannot_be_made_longer(digits, tmp_path):
    path, recipe = tmp_path / "checkpoint", replace(RECIPE, schedule="one-cycle")
    stop_after(1, network(), digits, recipe, path)
    message = refuse(path, network(), digits, replace(recipe, epochs=4))
    assert "epochs: 3 there, 4 here" in message


def test_another_version_is_refused(stored, digits, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "__version__", "99.0")
        assert ", 99.0 here" in refuse(stored, network(), digits, RECIPE)
    monkeypatch.setattr(checkpoint, "FORMAT", 99)
    with pytest.raises(CheckpointError, match="or no checkpoint of this version"):
        checkpoint.fit(network(), digits, RECIPE, stored, progress=False)


def test_another_version_of_pytorch_is_warned_of(stored, digits, monkeypatch):
    training = Training(network(), digits, RECIPE)
    monkeypatch.setattr(torch, "__version__", "99.0")
    with pytest.warns(UserWarning, match=r"written with PyTorch .*, this is 99\.0"):
        Checkpoint(training, stored).resume()
    assert len(training.history.epochs) == 1


def test_a_setting_that_is_newer_than_the_checkpoint_had_its_default(digits, tmp_path):
    path, training = tmp_path / "checkpoint", Training(network(), digits, RECIPE)
    saved = Checkpoint(training, path)
    next(training.epochs(progress=False))
    for name in ("precision", "augmentation", "loss"):
        del saved.plan[name]
    saved.save()
    assert "precision: float32 there, bfloat16 here" in refuse(
        path, network(), digits, replace(RECIPE, precision="bfloat16")
    )
    resumed = Training(network(), digits, RECIPE)
    Checkpoint(resumed, path).resume()
    assert len(resumed.history.epochs) == 1


def test_a_checkpoint_may_go_on_on_another_device(stored, digits):
    training = Training(network(), digits, replace(RECIPE, device="auto"))
    Checkpoint(training, stored).resume()
    assert len(training.history.epochs) == 1


# ---------------------------------------------------------------------------- damaged


def damaged(path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is damaged, or no checkpoint") as caught:
        checkpoint.read(path)
    assert str(path) in str(caught.value)


@pytest.fixture(scope="module")
def packed(digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "checkpoint"
    stop_after(1, network(), digits, RECIPE, path)
    return path.read_bytes()


FILES = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FILES
@given(st.data())
def test_every_changed_byte_is_noticed(packed, tmp_path, data):
    header = 8 + int.from_bytes(packed[:8], "little")  # where most of what is read lies
    place = data.draw(st.integers(0, len(packed) - 1) | st.integers(0, header))
    changed = bytearray(packed)
    changed[place] ^= data.draw(st.integers(1, 255))
    damaged(tmp_path / "checkpoint", bytes(changed))


@FILES
@given(st.data())
def test_every_truncation_and_every_addition_is_noticed(packed, tmp_path, data):
    length = data.draw(st.integers(0, len(packed) - 1))
    damaged(tmp_path / "checkpoint", packed[:length])
    damaged(tmp_path / "checkpoint", packed + data.draw(st.binary(min_size=1)))


@FILES
@given(st.binary(max_size=200))
def test_any_other_file_is_refused(tmp_path, content):
    damaged(tmp_path / "checkpoint", content)


def test_weights_are_no_checkpoint(tmp_path):
    path = tmp_path / "weights"
    save_weights(NarrowLeNet(), path)
    damaged(path, path.read_bytes())


def test_a_checkpoint_is_a_plain_file_of_tensors(packed, tmp_path):
    """Other programs read it too, and none needs to run code for it."""
    path = tmp_path / "checkpoint"
    path.write_bytes(packed)
    with safe_open(path, framework="pt") as opened:
        assert opened.get_tensor("model/1.weight").shape == (20, 784)
        content = json.loads(opened.metadata()["checkpoint"])
    assert content["history"][0]["train"]["num_examples"] == 1438


# ---------------------------------------------------------------------------- where it cannot lie


def test_a_folder_that_cannot_be_written_is_found_before_training(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(train.loop, "train_epoch", None)
    with pytest.raises(FileNotFoundError, match="cannot write the file"):
        checkpoint.fit(network(), digits, RECIPE, tmp_path / "nowhere" / "file", progress=False)


def test_a_full_disk_stops_with_the_checkpoint_before(stored, digits, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    before = stored.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left.*before is untouched"):
            checkpoint.fit(network(), digits, RECIPE, stored, progress=False)
    assert stored.read_bytes() == before
    assert sorted(stored.parent.iterdir()) == [stored, checkpoint.previous(stored)]
    whole, resumed = network(), network()
    train.fit(whole, digits, RECIPE, progress=False)
    checkpoint.fit(resumed, digits, RECIPE, stored, progress=False)
    assert same(whole, resumed)
