"""The remedies of bench/gpu.py train what the plain loop trains; its results are kept by device."""

from __future__ import annotations

import json
import runpy
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def gpu():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "bench" / "gpu.py"), run_name="bench"))


@pytest.fixture(scope="module")
def pictures(gpu):
    torch.manual_seed(0)
    return gpu.random_images(130, 20)  # at a batch size of 50, the last batch is smaller


def trained(gpu, recipe, data, device=CPU):
    """Train for two epochs; return what the second counted, and the weights."""
    model = gpu.new_network(0, device)
    step, batches = recipe.step(model, device), recipe.fetch(data, 50, device)
    counts = [recipe.epoch(step, batches) for _ in range(2)][1]
    return counts, model.state_dict()


def distance(gpu, weights, others, device=CPU):
    """Say how far apart two networks are, as a share of the way that training has moved one."""
    begun = gpu.new_network(0, device).state_dict()
    apart = sum((weights[name] - others[name]).abs().sum() for name in begun)
    return float(apart / sum((others[name] - begun[name]).abs().sum() for name in begun))


@pytest.mark.parametrize("name", ["nothing read in the loop", "fused Adam", "CUDA graph"])
def test_a_remedy_alone_trains_what_the_plain_loop_trains(gpu, pictures, name):
    counts, weights = trained(gpu, gpu.REMEDIES[name], pictures)
    expected, plain = trained(gpu, gpu.PLAIN, pictures)
    assert counts == pytest.approx(expected, rel=1e-4)
    assert distance(gpu, weights, plain) < 1e-3


@pytest.mark.parametrize(
    "name",
    ["bfloat16", "float16 with GradScaler", "TF32", "channels_last", "CUDA graph"],
)
def test_remedies_together_train_alike(gpu, pictures, name):
    counts, weights = trained(gpu, gpu.REMEDIES[f"together, {name}"], pictures)
    expected, together = trained(gpu, gpu.TOGETHER, pictures)
    assert counts[0] == pytest.approx(expected[0], rel=0.01)
    assert distance(gpu, weights, together) < 0.2


def test_chosen_arithmetic_ends_with_the_epoch(gpu):
    def now():
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark

    before, seen = now(), []

    def step(images, labels):
        seen.append(now())
        return torch.zeros(2)

    batches = [(torch.zeros(1), torch.zeros(1))]
    gpu.Recipe(tf32=True, cudnn_benchmark=True).epoch(step, batches)
    gpu.PLAIN.epoch(step, batches)
    assert seen == [("high", True), ("highest", False)]
    assert now() == before


def test_batches_of_every_kind_hold_the_same_images(gpu, pictures):
    sums = []
    for fetch in (gpu.loaded, gpu.resident):
        batches = list(fetch(pictures, 50, CPU))
        assert [len(labels) for _, labels in batches] == [50, 50, 30]
        labels = torch.cat([labels for _, labels in batches])
        assert torch.equal(labels.bincount(), pictures.train.labels.bincount())
        sums.append(sum(float(images.double().sum()) for images, _ in batches))
    assert sums[0] == pytest.approx(sums[1], rel=1e-6)


def test_ways_to_save_memory_compute_the_same_gradients(gpu, pictures):
    gradients = {}
    for name, way in gpu.GRADIENTS.items():
        model = gpu.new_network(0, CPU)
        way(model, pictures.train.images / 255, pictures.train.labels)
        gradients[name] = [p.grad for p in model.parameters()]
    usual = gradients.pop("all at once")
    for name, found in gradients.items():
        tolerance = 5e-3 if name == "bfloat16" else 1e-6
        for one, other in zip(found, usual, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=tolerance)


def test_a_remedy_that_fails_is_left_out_with_its_reason(gpu):
    def fail(seed):
        raise OSError("no compiler\nand more")

    found, failed = gpu.rounds({"one": lambda seed: seed, "two": fail}, 3)
    assert found == {"one": [0, 1, 2]}
    assert failed == {"two": "OSError: no compiler"}


def test_everything_is_measured_where_it_can_be(gpu, pictures, capsys):
    sizes = gpu.Sizes(images=130, rounds=2, batch_sizes=(50, 130), epochs=1, seeds=2)
    records = {r["experiment"]: r for r in gpu.measure(pictures, CPU, sizes)}
    assert list(records) == ["remedies", "batch sizes", "trainings", "memory"]
    assert not any(record["failed"] for record in records.values())
    speeds = records["remedies"]["images_per_second"]
    assert set(speeds) == {n for n, r in gpu.REMEDIES.items() if gpu.can_run(r, CPU)}
    assert all(len(found) == 2 and min(found) > 0 for found in speeds.values())
    assert set(records["batch sizes"]["images_per_second"]) == {"50", "130"}
    assert [len(found) for found in records["trainings"]["trainings"].values()] == [2]
    said = capsys.readouterr().out
    assert "lenet.train.fit" in said
    assert "±" not in said  # accuracies of random bytes mean nothing


def test_what_needs_cuda_runs_on_cuda_alone(gpu):
    def names(kind):
        return {n for n, r in gpu.REMEDIES.items() if gpu.can_run(r, torch.device(kind))}

    assert names("cuda") == set(gpu.REMEDIES)
    assert {n for n in gpu.REMEDIES if "graph" in n} == names("cuda") - names("mps")


def test_memory_is_what_the_gradients_add_at_their_peak(gpu, pictures, monkeypatch):
    read = iter([100, 350])
    for name, answer in {
        "reset_peak_memory_stats": lambda: None,
        "memory_allocated": lambda: next(read),
        "max_memory_allocated": lambda: next(read),
    }.items():
        monkeypatch.setattr(torch.accelerator, name, answer)
    assert gpu.peak_bytes(gpu.at_once, pictures.train, 0) == 250


def test_accuracies_stand_beside_those_of_a_cpu(gpu):
    record = {
        "experiment": "trainings",
        "data": "Fashion-MNIST",
        "epochs": 10,
        "failed": {"compiled": "no compiler"},
        "environment": {"gpu": "A GPU", "torch": "2"},
        "trainings": {"fast": [{"seconds": s, "num_correct": 8700 + s} for s in (1, 2, 30)]},
    }
    assert len(gpu.on_a_cpu()) == 5
    title, time, accuracy, failure = gpu.table(record).splitlines()
    assert "A GPU" in title
    assert "2.00 s for 10 epochs, n = 3" in time
    assert "87.11% ± 0.16% (on a CPU 8" in accuracy
    assert failure.split() == ["compiled", "no", "compiler"]


def test_results_replace_those_of_an_experiment_on_the_same_device_alone(gpu, tmp_path):
    def record(name, experiment, value):
        return {"environment": {"gpu": name}, "experiment": experiment, "value": value}

    file = tmp_path / "gpu.json"
    gpu.store([record("A", "speed", 1), record("A", "memory", 2)], file)
    gpu.store([record("B", "speed", 3)], file)
    gpu.store([record("A", "speed", 4)], file)
    kept = [record("A", "memory", 2), record("B", "speed", 3)]
    assert json.loads(file.read_text()) == [*kept, record("A", "speed", 4)]


def test_a_cpu_is_not_stored_as_a_gpu(gpu, pictures, monkeypatch, tmp_path):
    stored = []
    functions = gpu.main.__globals__
    monkeypatch.setitem(functions, "images", lambda: pictures)
    monkeypatch.setitem(functions, "measure", lambda *given: [{"environment": {"gpu": "cpu"}}])
    monkeypatch.setitem(functions, "store", lambda records, file: stored.append(file))
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu"])
    gpu.main()
    assert stored == []
    own = tmp_path / "own.json"
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu", "--results", str(own)])
    gpu.main()
    assert stored == [own]


def test_what_is_stored_in_the_book_is_of_gpus():
    file = ROOT / "book" / "lenet_book" / "results" / "gpu.json"
    for record in json.loads(file.read_text()) if file.exists() else []:
        assert record["environment"]["device"] != "cpu"
        assert record["environment"]["torch"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_cuda_a_graph_trains_what_the_same_step_trains(gpu, pictures):
    device = torch.device("cuda")
    counts, weights = trained(gpu, gpu.FASTEST, pictures, device)
    expected, eager = trained(gpu, replace(gpu.FASTEST, graph=False), pictures, device)
    assert counts == pytest.approx(expected, rel=1e-3)
    assert distance(gpu, weights, eager, device) < 0.02


def test_what_chapter_7_says_of_the_gpu_is_what_was_measured():
    file = ROOT / "book" / "lenet_book" / "results" / "gpu.json"
    records = json.loads(file.read_text(encoding="utf-8"))
    (h100,) = {record["environment"]["gpu"] for record in records}  # the one that it speaks of
    found = {record["experiment"]: record for record in records}
    speeds = found["remedies"]["images_per_second"]
    times = {
        name.partition(":")[0]: statistics.median(
            own / plain for own, plain in zip(speed, speeds["plain loop"], strict=True)
        )
        for name, speed in speeds.items()
    }
    alone = {name: value for name, value in times.items() if not name.startswith("together")}
    best, second = sorted(alone, key=alone.__getitem__, reverse=True)[:2]
    assert (best, second) == ("images on the device", "pinned memory, 4 workers"), h100
    for name in ("bfloat16", "float16 with GradScaler", "torch.compile"):
        assert times[f"together, {name}"] < times["together"]
    assert 20 < times["together, CUDA graph"] < 22

    runs = found["trainings"]["trainings"]
    plain, graphed = runs["lenet.train.fit"], runs["lenet.train.fit, graph=True"]
    assert [run["num_correct"] for run in graphed] == [run["num_correct"] for run in plain]
    seconds = [statistics.median(run["seconds"] for run in each) for each in (graphed, plain)]
    assert 0.18 < seconds[0] / seconds[1] < 0.22  # a fifth
    memory = {name: value for name, (value,) in found["memory"]["bytes"].items()}
    assert memory["activation checkpointing"] >= memory["all at once"]
