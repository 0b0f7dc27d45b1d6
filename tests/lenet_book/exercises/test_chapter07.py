"""What the checks of chapter 7 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lenet_book.exercises import chapter07 as check
from tests.sources import cells_of, value_of

HALF = torch.float16
GPU, BOTH = 1 / 0.62, 50.0


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The names of the chapter that its exercises need, and its cells by id."""
    cells = cells_of("07_gpu_training")
    names: dict[str, Any] = {"cells": cells}
    for name in ("imports", "checks", "solution-5"):
        value_of(cells[name], names)
    return names


@pytest.mark.parametrize("name", ["solution-3", "solution-4", "solution-5-store"])
def test_solutions_are_right(chapter: dict[str, Any], name: str) -> None:
    assert str(value_of(chapter["cells"][name], chapter)) == "Right."


def test_numbers_of_the_solutions_in_words() -> None:
    assert check.errors({1, 3, 5, 8}).right
    assert check.salesman(1.61, 2.5, 50).right


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_not_filled_in_is_not_answered(chapter: dict[str, Any], number: int) -> None:
    assert str(value_of(chapter["cells"][f"answer-{number}"], chapter)) == "Not answered yet."


@pytest.mark.parametrize(
    ("number", "hint"), [(3, "Ask the network"), (4, "float32"), (5, "trains nothing")]
)
def test_what_stands_there_at_first_gets_a_hint(
    chapter: dict[str, Any], number: int, hint: str
) -> None:
    verdict = value_of(chapter["cells"][f"answer-{number}"], chapter)
    assert str(verdict).startswith("Not yet.")
    assert hint in str(verdict)


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        (1, "Give a set"),
        ({1, 3, 9}, "no line [9]"),
        ({3, 5, 8}, "Line 1"),
        ({1, 5, 8}, "Line 3"),
        ({1, 3, 8}, "Line 5"),
        ({1, 3, 5}, "Line 8"),
        ({1, 2, 3, 5, 8}, "Line 2"),
        ({1, 3, 4, 5, 8}, "Line 4"),
        ({1, 3, 5, 6, 8}, "Line 6"),
        ({1, 3, 5, 7, 8}, "Line 7"),
    ],
)
def test_errors(lines: Any, hint: str) -> None:
    verdict = check.errors(lines)
    assert not verdict.right
    assert hint in str(verdict)


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("1.61", 2.5, 50), "The GPU: '1.61' is no number"),
        ((20, 2.5, 50), "only what trains"),
        ((0.62, 2.5, 50), "0.62 of the time is left"),
        ((12, 2.5, 50), "0.6 · 20"),
        ((2.326, 2.5, 50), "not the fetching"),
        ((3, 2.5, 50), "The GPU: add up"),
        ((GPU, 0.4, 50), "0.4 of the time is left"),
        ((GPU, 1.667, 50), "it is the fetching that goes"),
        ((GPU, 1.6, 50), "not being 60 % faster"),
        ((GPU, 2.5, 20), "after the fetching is gone"),
        ((GPU, 2.5, 4.11), "do not add up"),
        ((GPU, 2.5, 4.03), "share one time"),
    ],
)
def test_salesman(answers: tuple[Any, ...], hint: str) -> None:
    verdict = check.salesman(*answers)
    assert not verdict.right
    assert hint in str(verdict)


def counts(model: nn.Module, batches: check.Batches, place: Any) -> list[torch.Tensor]:
    """Return the right answers of each batch, counted on a device."""
    found = []
    for images, labels in batches:
        winners = model(images.to(place)).argmax(dim=1)
        found.append(winners.eq(labels.to(place)).sum())
    return found


def of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def images_only(model: nn.Module, batches: check.Batches) -> int:
    found = [model(x.to(of(model))).argmax(dim=1).eq(y).sum() for x, y in batches]
    return int(sum(found))


def with_numpy(model: nn.Module, batches: check.Batches) -> int:
    found = [model(x.to(of(model))).argmax(dim=1).numpy() == y.numpy() for x, y in batches]
    return int(np.concatenate(found).sum())


def mistakes_counted(model: nn.Module, batches: check.Batches) -> int:
    return 25 - int(sum(counts(model, batches, of(model))))


COUNTS: dict[str, Callable[[nn.Module, check.Batches], Any]] = {
    "You wait 3 times": lambda m, b: sum(n.item() for n in counts(m, b, of(m))),
    "You return a tensor": lambda m, b: sum(counts(m, b, of(m))),
    "in two places": images_only,
    "You need no NumPy": with_numpy,
    "Ask the network": lambda m, b: int(sum(counts(m, b, "cuda"))),
    "inside the loop": lambda m, b: int(counts(m, b, of(m))[0]),
    "the last batch alone": lambda m, b: int(counts(m, b, of(m))[-1]),
    "You return a share": lambda m, b: sum(counts(m, b, of(m))).item() / 25,  # type: ignore[union-attr]
    "You count mistakes": mistakes_counted,
    "returns nothing": lambda m, b: None,
    "Leave it where it is": lambda m, b: int(sum(counts(m.to("cpu"), b, "cpu"))),
}


@pytest.mark.parametrize("hint", COUNTS)
def test_count_correct(hint: str) -> None:
    verdict = check.count_correct(COUNTS[hint])
    assert not verdict.right
    assert hint in str(verdict)


def half(
    *moves: str, dtype: torch.dtype = HALF, autocast: bool = True, forget: bool = True
) -> check.HalfStep:
    """Make a step of moves in the given order, some of which may be wrong or missing."""

    def step(model: Any, optimizer: Any, scaler: Any, images: Any, labels: Any) -> None:
        if forget:
            optimizer.zero_grad()
        with torch.autocast("cpu", dtype=dtype, enabled=autocast):
            loss = F.cross_entropy(model(images), labels)
        act = {
            "scaled": lambda: scaler.scale(loss).backward(),
            "backward": loss.backward,
            "unscale": lambda: scaler.unscale_(optimizer),
            "clip": lambda: nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0),
            "step": lambda: scaler.step(optimizer),
            "own step": optimizer.step,
            "update": scaler.update,
        }
        for move in moves:
            act[move]()

    return step


RIGHT = ("scaled", "unscale", "clip", "step", "update")


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (half(*RIGHT, autocast=False), "runs in float32"),
        (half(*RIGHT, dtype=torch.bfloat16), "A T4 wants torch.float16"),
        (half("backward", "clip", "own step"), "The loss is not scaled"),
        (half("scaled", "unscale", "clip", "own step", "update"), "steps by itself"),
        (half("scaled", "unscale", "clip", "step"), "`update`"),
        (half("scaled", "clip", "step", "update"), "`unscale_` is missing"),
        (half("scaled", "clip", "unscale", "step", "update"), "clipped before"),
        (half("scaled", "unscale", "step", "update"), "are not clipped"),
        (half(*RIGHT, forget=False), "zero_grad"),
        (lambda *a: None, "never calls the network"),
    ],
)
def test_half_step(step: check.HalfStep, hint: str) -> None:
    verdict = check.half_step(step)
    assert not verdict.right
    assert hint in str(verdict)


def surviving(
    *,
    keep: str = "model adam random",
    lr: float = 0.003,
    forget: bool = True,
    move: bool = True,
    anew: bool = False,
    in_all: bool = True,
    whole: bool = False,
) -> check.Train:
    """Make a training that goes on, with one thing wrong."""

    def train(model: Any, loader: Any, epochs: int, file: str) -> None:
        adam = torch.optim.Adam(model.parameters(), lr=lr)
        done = 0
        if Path(file).exists() and not anew:
            state = torch.load(file)
            if "model" in keep:
                model.load_state_dict(state["model"])
            if "adam" in keep:
                adam.load_state_dict(state["adam"])
            if "random" in keep:
                torch.set_rng_state(state["random"])
            done = state["done"] if in_all else 0
        for epoch in range(done, epochs):
            for images, labels in loader:
                if forget:
                    adam.zero_grad()
                F.cross_entropy(model(images.to("cpu") if move else images), labels).backward()
                adam.step()
            state = {"model": model.state_dict(), "adam": adam.state_dict(), "done": epoch + 1}
            state["random"] = torch.get_rng_state()
            torch.save(model if whole else state, file)

    return train


def without_a_file(model: Any, loader: Any, epochs: int, file: str) -> None:
    surviving()(model, loader, epochs, f"{file}.elsewhere")


@pytest.mark.parametrize(
    ("train", "hint"),
    [
        (lambda *a: None, "trains nothing"),
        (surviving(lr=0.001), "yours is the default"),
        (surviving(lr=0.1), "not those of Adam at 0.003"),
        (surviving(forget=False), "`zero_grad` is missing"),
        (surviving(move=False), "stay on the CPU"),
        (without_a_file, "leaves no checkpoint"),
        (surviving(anew=True), "begins anew"),
        (surviving(in_all=False), "how many in all"),
        (surviving(keep="model random"), "Adam begins with empty averages"),
        (surviving(keep="model adam"), "in another order"),
        (surviving(keep="model"), "Weights are not enough"),
        (surviving(keep="adam random"), "does not begin with the stored weights"),
        (surviving(whole=True), "Store their state_dict()"),
    ],
)
def test_train(train: check.Train, hint: str) -> None:
    verdict = check.train(train)
    assert not verdict.right
    assert hint in str(verdict)


def test_a_check_leaves_the_random_state_alone() -> None:
    before = torch.get_rng_state()
    assert check.train(surviving()).right
    assert torch.equal(before, torch.get_rng_state())


def test_whose_code_stops_learns_where() -> None:
    def broken(model: nn.Module, batches: check.Batches) -> int:
        return int("all of them")

    assert "Your code stopped at the line" in str(check.count_correct(broken))
