"""The faults of the training lab: their code runs, differs as shown, and does what is said."""

from __future__ import annotations

import math
import statistics
from itertools import islice

import pytest
import torch
import torch.nn.functional as F

from lenet.data import ImageData, load
from lenet.train import num_correct
from lenet_book import faults
from lenet_book.faults import FAULTS, LOOPS, Loop, loop, run_loop
from lenet_book.results import load_results

names = pytest.mark.parametrize("name", [found.name for found in LOOPS])
faulty = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
GUESSING = math.log(10)


@pytest.fixture(scope="module")
def digits() -> ImageData:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_OFFLINE", "1")
        return load("mnist")


@pytest.fixture(scope="module")
def stored() -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for run in load_results("training_faults"):
        found.setdefault(run["loop"], []).append(run)
    return found


def moments(name: str, data: ImageData, number: int, seed: int = 0) -> list[faults.Moment]:
    torch.manual_seed(seed)
    return list(islice(loop(name).function()(data), number))


# ---------------------------------------------------------------- code


@faulty
def test_the_difference_leads_from_the_healthy_code_to_the_code_that_runs(fault: Loop) -> None:
    marked = fault.difference()
    assert "\n".join(line[2:] for line in marked if line[0] in " -") == (
        loop(fault.healthy).source().rstrip("\n")
    )
    assert "\n".join(line[2:] for line in marked if line[0] in " +") == fault.source().rstrip("\n")
    changed = [line for line in marked if line[0] != " "]
    assert 1 <= len(changed) <= 3
    assert {line[:2] for line in marked} <= {"  ", "- ", "+ "}


def test_the_healthy_loop_is_the_function_in_the_module(digits: ImageData) -> None:
    torch.manual_seed(3)
    written = [loss for _, loss, _ in islice(faults.train(digits), 4)]
    assert [loss for _, loss, _ in moments("healthy", digits, 4, seed=3)] == written


def test_the_healthy_loop_learns(digits: ImageData) -> None:
    run = run_loop("healthy", digits, num_updates=150)
    assert run["test_accuracy"][-1] > 0.8
    assert run["loss"][-1] < 0.7 < run["loss"][0]


def test_a_change_that_does_not_fit_is_refused() -> None:
    wrong = Loop("wrong", "wrong", changes=(("optimizer.zero_gard()", ""),), healthy="healthy")
    with pytest.raises(ValueError, match=r"'optimizer.zero_gard\(\)' occurs 0 times"):
        wrong.source()


def test_unknown_loops_and_odd_numbers_are_refused(digits: ImageData) -> None:
    with pytest.raises(ValueError, match="no loop 'no-such'; there are healthy, "):
        run_loop("no-such", digits)
    for number in (0, -10, 15):
        with pytest.raises(ValueError, match=f"multiple of 10, not {number}"):
            run_loop("healthy", digits, num_updates=number)


@names
def test_a_record_repeats_itself(digits: ImageData, name: str) -> None:
    first, second = (run_loop(name, digits, seed=1, num_updates=10) for _ in range(2))
    assert first == second
    assert first["tested_after"] == [1, 10]
    assert len(first["loss"]) == 1
    assert first["code"] == loop(name).source()
    assert first != run_loop(name, digits, seed=2, num_updates=10)


# ---------------------------------------------------------------- what is said of each


def test_without_zero_grad_gradients_add_up(digits: ImageData) -> None:
    single, *_ = moments("no-zero-grad", digits, 1)
    many = moments("no-zero-grad", digits, 40)[-1]
    sizes = [model.out.bias.grad.norm().item() for model, _, _ in (single, many)]
    assert sizes[1] > 2 * sizes[0]


def test_without_step_the_weights_stay(digits: ImageData) -> None:
    (first, _, _), (last, _, _) = (
        moments("no-step", digits, 1)[0],
        moments("no-step", digits, 5)[-1],
    )
    for before, after in zip(first.parameters(), last.parameters(), strict=True):
        assert torch.equal(before, after)


def test_a_second_softmax_keeps_the_loss_up() -> None:
    certain = 1000 * F.one_hot(torch.tensor([3]), 10).float()
    lowest = F.cross_entropy(certain.softmax(dim=1), torch.tensor([3])).item()
    assert lowest == pytest.approx(1.46, abs=0.002)
    assert "1.46" in loop("double-softmax").seen


def test_from_zero_weights_only_the_last_bias_moves(digits: ImageData) -> None:
    model, _, _ = moments("zero-weights", digits, 5)[-1]
    moved = [name for name, parameter in model.named_parameters() if parameter.abs().max() > 0]
    assert moved == ["out.bias"]


def test_unshuffled_batches_hold_one_class(digits: ImageData, monkeypatch) -> None:
    seen: list[set[int]] = []
    real = F.cross_entropy

    def watching(logits, labels):
        seen.append(set(labels.tolist()))
        return real(logits, labels)

    monkeypatch.setattr(faults.F, "cross_entropy", watching)
    moments("not-shuffled", digits, 1)
    moments("healthy", digits, 1)
    assert seen[0] == {0}
    assert len(seen[1]) > 5


def test_mixed_pictures_are_those_of_other_labels(digits: ImageData) -> None:
    model, _, tests = moments("mixed-labels", digits, 60)[-1]
    healthy, _, _ = moments("healthy", digits, 60)[-1]
    images, labels = next(iter(tests))
    with torch.no_grad():
        assert num_correct(model(images), labels) < num_correct(healthy(images), labels) / 2


def test_raw_pixels_reach_the_network_unscaled(digits: ImageData) -> None:
    _, loss, tests = moments("raw-pixels", digits, 1)[0]
    images, _ = next(iter(tests))
    assert images.max() == pytest.approx(255)
    assert images.min() == pytest.approx(0)
    assert loss > 1.3 * GUESSING


def test_without_eval_the_same_picture_gets_two_answers(digits: ImageData) -> None:
    for name, differs in (("no-eval", True), ("healthy-dropout", False)):
        model, _, tests = moments(name, digits, 1)[0]
        images, _ = next(iter(tests))
        assert model.training == differs
        assert torch.equal(model(images), model(images)) != differs


# ---------------------------------------------------------------- the stored runs


def late(runs: list[dict]) -> float:
    return statistics.fmean(statistics.fmean(run["test_accuracy"][-3:]) for run in runs)


def ends(runs: list[dict], key: str) -> list[float]:
    return [statistics.fmean(run[key][-10:]) for run in runs]


def test_the_stored_runs_are_those_of_the_present_code(stored: dict[str, list[dict]]) -> None:
    assert list(stored) == [found.name for found in LOOPS]
    for name, runs in stored.items():
        assert sorted(run["seed"] for run in runs) == [0, 1, 2]
        for run in runs:
            assert run["code"] == loop(name).source(), f"bench/training_faults.py --again: {name}"
            assert run["num_updates"] == faults.NUM_UPDATES
            assert run["data"] == "Fashion-MNIST, the published files"
            assert run["environment"]["threads"] == 1
            assert len(run["loss"]) == faults.NUM_UPDATES // faults.LOSS_EVERY


@pytest.mark.parametrize("name", ["no-step", "mixed-labels", "zero-weights"])
def test_flat_curves_are_flat(stored: dict[str, list[dict]], name: str) -> None:
    assert loop(name).flat
    for run in stored[name]:
        assert max(abs(loss - GUESSING) for loss in run["loss"][1:]) < 0.1
        assert max(run["test_accuracy"]) < 0.2


def test_other_curves_are_not(stored: dict[str, list[dict]]) -> None:
    for fault in FAULTS:
        if not fault.flat:
            spans = [max(run["loss"]) - min(run["loss"]) for run in stored[fault.name]]
            assert min(spans) > 0.2, fault.name


def test_what_is_seen_is_in_the_stored_runs(stored: dict[str, list[dict]]) -> None:
    healthy, dropout = stored["healthy"], stored["healthy-dropout"]
    for run in stored["no-zero-grad"]:
        assert min(run["loss"][:5]) < GUESSING < min(ends([run], "loss"))
    for run in stored["no-step"]:
        assert len(set(run["test_accuracy"])) == 1
    for run in stored["double-softmax"]:
        assert min(run["loss"]) > 1.46
        assert run["loss"][0] > min(run["loss"]) + 0.2
        assert max(run["test_accuracy"]) > 0.25
        assert late([run]) < max(run["test_accuracy"]) - 0.1
    for run in stored["lr-times-100"]:
        assert max(run["loss"][:3]) > 100
        assert ends([run], "loss")[0] == pytest.approx(GUESSING, abs=0.3)
    for run in stored["lr-over-100"]:
        assert 0.6 < late([run]) < late(healthy)
        assert statistics.fmean(run["loss"][-20:]) < statistics.fmean(run["loss"][-60:-40])
    for run in stored["not-shuffled"]:
        assert min(run["loss"]) < 0.01
        assert max(run["loss"]) > 10
        assert max(run["test_accuracy"]) < 0.2
    for run in stored["raw-pixels"]:
        assert run["loss"][0] > GUESSING
        assert late([run]) > 0.6
    assert late(stored["raw-pixels"]) < late(healthy)
    assert late(stored["no-eval"]) < late(dropout) - 0.01
    assert statistics.fmean(ends(stored["no-eval"], "loss")) == pytest.approx(
        statistics.fmean(ends(dropout, "loss")), abs=0.05
    )
