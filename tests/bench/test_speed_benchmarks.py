"""The benchmarks of training speed compare like with like."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lenet.data import load
from lenet.models import NarrowLeNet
from lenet.train import train_epoch

ROOT = Path(__file__).parents[2]


def program(name):
    return runpy.run_path(str(ROOT / "bench" / f"{name}.py"), run_name="bench")


@pytest.fixture(scope="module")
def digits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_OFFLINE", "1")
        return load("mnist")


def network():
    torch.manual_seed(0)
    return NarrowLeNet()


def test_the_textbook_loop_learns_what_train_epoch_learns(digits):
    batches = list(digits.batches("train"))
    loader = DataLoader(TensorDataset(*map(torch.cat, zip(*batches, strict=True))), 100)
    ours, theirs = network(), network()
    score = train_epoch(ours, batches, torch.optim.SGD(ours.parameters(), lr=0.01))
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.01)
    _, correct = program("throughput")["textbook_epoch"](theirs, loader, optimizer)
    assert correct == score.num_correct
    for name, weights in theirs.state_dict().items():
        torch.testing.assert_close(weights, ours.state_dict()[name])


def test_guests_that_are_not_installed_are_left_out_with_a_notice(monkeypatch, capsys):
    throughput = program("throughput")
    monkeypatch.setitem(throughput["ways"].__globals__, "find_spec", lambda package: None)
    assert list(throughput["ways"]()) == list(throughput["WAYS"])
    said = capsys.readouterr().out
    assert all(guest in said for guest in throughput["GUESTS"])
    assert "pip install -r bench/requirements.txt" in said


def test_the_race_is_won_by_ratios_within_rounds():
    rounds = [
        {
            "experiment": "race",
            "device": "cpu",
            "threads": 1,
            "images": 100,
            "ways": ["lenet.train.fit", "slow"],
            "seconds": {"lenet.train.fit": busy, "slow": 3 * busy},
        }
        for busy in (1.0, 50.0, 2.0)
    ]
    _, _, fit, slow = program("throughput")["table"](rounds, "cpu", 1).splitlines()
    assert fit.split() == ["lenet.train.fit", "50", "1.00", "(1.00", "to", "1.00)"]
    assert slow.split() == ["slow", "17", "3.00", "(3.00", "to", "3.00)"]


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("PoolFirst", 1e-5), ("InPlace", 0), ("channels_last", 1e-5), ("mixed_precision", 0.03)],
)
def test_variants_of_the_network_compute_the_same(name, tolerance):
    images = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    variant = program("step_variants")[name]()
    with torch.inference_mode():
        torch.testing.assert_close(variant(images), network()(images), rtol=0, atol=tolerance)


def test_variants_train_on_the_same_images(digits):
    variants = program("step_variants")
    expected = digits.train.images.double().sum()
    for make in ("resident_bytes", "resident_floats", "loader_over_tensors"):
        batches = list(variants[make](digits, 100))
        total = sum(images.double().sum() for images, _ in batches)
        pixels = total * digits.std[0] + digits.mean[0] * digits.train.images.numel()
        assert pixels * 255 == pytest.approx(float(expected), rel=1e-4)
        assert sum(len(labels) for _, labels in batches) == len(digits.train)


def test_the_profile_accounts_for_the_whole_step(digits):
    profile_step = program("profile_step")
    found = profile_step["measure"](digits, 0)
    shares = found["shares"]
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert all(share > 0 for share in shares.values()), shares  # every kind was found
    conv1, conv2, linear = 6 * 25 * 24 * 24, 12 * 150 * 8 * 8, 192 * 120 + 120 * 60 + 60 * 10
    by_hand = 2 * (2 * conv1 + 3 * conv2 + 3 * linear)
    assert profile_step["operations_per_image"]() == by_hand


@pytest.mark.parametrize("width", [1, 3])
def test_wide_networks_have_that_many_times_as_many_channels(width):
    wide = program("cost_growth")["WideLeNet"](width)
    assert wide(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    for name, layer in NarrowLeNet().named_children():
        outputs = "out_channels" if isinstance(layer, nn.Conv2d) else "out_features"
        factor = 1 if name == "out" else width
        assert getattr(getattr(wide, name), outputs) == factor * getattr(layer, outputs)


def test_a_process_reports_what_its_training_cost():
    cost_growth = program("cost_growth")
    point = {"images": 200, "epochs": 1, "batch_size": 100, "width": 1}
    found = cost_growth["train_in_a_new_process"](point)
    assert found["cpu_seconds"] > 0
    assert found["peak_bytes"] > 50e6  # Python with PyTorch needs more than that
