"""Time is measured as it passes, side by side, and drawn as it was measured."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import torch

from lenet_book import figures
from lenet_book.timing import Stopwatch, compare, ratio, synchronise


class Clock:
    """A clock that only moves when somebody works."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(time, "process_time", lambda: 2 * self.now)

    def work(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def texts(picture) -> list[str]:
    return [text.get_text() for ax in picture.axes for text in ax.texts]


def test_a_stopwatch_takes_the_time_of_its_block(clock):
    clock.work(100)
    with Stopwatch() as watch:
        clock.work(3)
    clock.work(100)
    assert (watch.seconds, watch.cpu_seconds) == (3, 6)


def test_a_stopwatch_waits_for_the_device_at_both_ends(clock, monkeypatch):
    waits = []

    def wait(device):
        waits.append(str(device))
        clock.work(5)  # what the device still had to do

    monkeypatch.setattr(torch.accelerator, "synchronize", wait)
    with Stopwatch("cuda") as watch:
        clock.work(1)
    assert watch.seconds == 6  # its own work and the wait at its end, not the wait before
    assert waits == ["cuda", "cuda"]


def test_there_is_nothing_to_wait_for_on_a_cpu(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda device: pytest.fail("waited"))
    synchronise("cpu")


def test_candidates_are_warmed_up_and_then_timed_in_every_round(clock):
    calls = []

    def first_call_is_slow():
        clock.work(1 if "slow" in calls else 50)
        calls.append("slow")

    def quick():
        clock.work(0.5)
        calls.append("quick")

    times = compare({"slow": first_call_is_slow, "quick": quick}, rounds=5)
    assert times == {"slow": pytest.approx([1] * 5), "quick": pytest.approx([0.5] * 5)}
    assert Counter(calls) == {"slow": 6, "quick": 6}
    rounds = [tuple(calls[i : i + 2]) for i in range(2, 12, 2)]
    assert {frozenset(pair) for pair in rounds} == {frozenset(("slow", "quick"))}
    assert len(set(rounds)) == 2  # not always in the same order


def test_ratios_are_taken_within_rounds():
    assert ratio([2.0, 40.0, 3.0], [1.0, 10.0, 1.0]) == 3.0
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])


def test_speeds_are_dots_and_a_bar_to_their_median():
    picture = figures.speeds(
        {"fast": [3.0, 5.0, 4.0], "slow": [1.0]}, xlabel="images/s", form=".1f"
    )
    assert texts(picture) == ["4.0", "1.0"]
    (ax,) = picture.axes
    assert [bar.get_width() for bar in ax.patches] == [4.0, 1.0]
    assert [line.get_xdata().tolist() for line in ax.lines] == [[3.0, 5.0, 4.0], [1.0]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["fast", "slow"]
    assert ax.get_xlim()[0] == 0


def test_timelines_show_when_each_piece_of_work_starts_and_ends():
    work = {"load": [(1, 0.0, 2.0), (3, 3.0, 2.0)], "train": [(1, 2.0, 1.0), (2, 5.0, 0.1)]}
    picture = figures.timelines({"naive": work, "ahead": work}, xlabel="ms")
    assert texts(picture) == ["1", "3", "1"] * 2  # the last piece has no room for a number
    for ax in picture.axes:
        drawn = [
            [(box.vertices[:, 0].min(), box.vertices[:, 0].max()) for box in row.get_paths()]
            for row in ax.collections
        ]
        assert drawn == [[(0.0, 2.0), (3.0, 5.0)], [(2.0, 3.0), (5.0, 5.1)]]


def test_growth_draws_every_measurement_and_joins_the_medians():
    found = {"seconds": {2: [5.0, 7.0, 6.0], 1: [3.0]}, "MB": {1: [10.0], 2: [10.0]}}
    seconds, memory = figures.growth({"images": found}).axes
    *dots, line = seconds.lines
    assert [list(d.get_ydata()) for d in dots] == [[3.0], [5.0, 7.0, 6.0]]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 2], [3.0, 6.0])
    assert memory.get_ylim()[0] == seconds.get_ylim()[0] == 0
    assert (seconds.get_xlabel(), memory.get_ylabel()) == ("images", "MB")
