"""Several processes train one network: the one that a single process would have trained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from lenet.models import NarrowLeNet
from lenet.train import Settings, Training, checkpoint, distributed
from lenet.train.distributed import DistributedTraining, is_first, processes
from tests.lenet.train.shared_training import tasks

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parent / "shared_training.py"
TIMEOUT = 540  # seconds, for a machine that does much else


def torchrun(num_processes: int, *command: object) -> subprocess.CompletedProcess[str]:
    """Start processes that talk to each other inside this machine, on a port that is free."""
    options = ["--standalone", "--nproc-per-node", num_processes, *command]
    inside = {"GLOO_SOCKET_IFNAME": "lo"} if Path("/sys/class/net/lo").exists() else {}
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *map(str, options)],
        env=os.environ | {"LENET_OFFLINE": "1", "TQDM_DISABLE": "1"} | inside,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def alone(digits):
    """What one process ends with, by the name of the task."""
    found = {}
    for task in tasks(digits):
        training = Training(task.model, digits, task.settings)
        for _ in training.epochs(progress=False):
            pass
        found[task.name] = training
    return found


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.slow)])
def together(request, digits, tmp_path_factory):
    """What each of several processes ends with, by the name of the task; and their folder.

    Three of them do not begin the ragged task: they go on where one process stopped.
    """
    folder = tmp_path_factory.mktemp(f"processes{request.param}")
    if request.param == 3:
        task = list(tasks(digits))[1]
        training = Training(task.model, digits, task.settings)
        next(checkpoint.epochs(training, folder / f"{task.name}.checkpoint", progress=False))
    done = torchrun(request.param, PROGRAM, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the end") == 1, "only the first process prints"
    assert "Grad strides" not in done.stderr
    found = {
        name: [torch.load(folder / f"{name}-{rank}.pt") for rank in range(request.param)]
        for name in ("affine", "ragged", "noisy")
    }
    return found, folder


@pytest.mark.parametrize("name", ["affine", "ragged", "noisy"])
def test_all_processes_end_with_the_same_weights(together, name):
    first, *others = together[0][name]
    for other in others:
        assert first["scores"] == other["scores"]
        for key, tensor in first["state"].items():
            assert torch.equal(tensor, other["state"][key]), key


@pytest.mark.parametrize("name", ["affine", "ragged"])
def test_they_are_those_of_one_process_but_for_rounding(together, alone, name):
    found, expected = together[0][name][0], alone[name]
    for key, tensor in expected.model.state_dict().items():
        torch.testing.assert_close(found["state"][key], tensor, rtol=1e-3, atol=1e-5)
    epochs = expected.history.epochs
    scores = [score for epoch in epochs for score in (epoch.train, epoch.test)]
    for (loss, num_correct, num_examples), score in zip(found["scores"], scores, strict=True):
        assert loss == pytest.approx(score.loss, rel=1e-4)
        assert abs(num_correct - score.num_correct) <= 2
        assert num_examples == score.num_examples


def test_training_did_something(alone):
    torch.manual_seed(0)
    untrained = next(tasks(None)).model
    assert not torch.allclose(untrained.fc1.weight, alone["affine"].model.fc1.weight, atol=1e-3)


def test_dropout_differs_from_process_to_process(together):
    first, *others = together[0]["noisy"]
    for other in others:
        assert not torch.equal(first["draw"], other["draw"])


def test_one_checkpoint_serves_any_number_of_processes(together, alone, digits, tmp_path):
    """That of several processes is read by one, which finds nothing left to do."""
    task = list(tasks(digits))[1]
    training = Training(task.model, digits, task.settings)
    path = together[1] / f"{task.name}.checkpoint"
    before = path.read_bytes()
    assert list(checkpoint.epochs(training, path, progress=False)) == []
    found = together[0][task.name][0]["state"]
    assert all(torch.equal(found[key], t) for key, t in training.model.state_dict().items())
    assert path.read_bytes() == before


def test_an_error_in_one_process_ends_all(tmp_path):
    done = torchrun(2, PROGRAM, tmp_path, "fail")
    assert done.returncode != 0
    assert "the second process fails" in done.stderr
    assert "the end" not in done.stdout


# ---------------------------------------------------------------------------- one process


def test_without_torchrun_nothing_is_joined():
    assert is_first()
    with processes("cuda:7") as device:
        assert device == "cuda:7"
        assert not torch.distributed.is_initialized()


@pytest.fixture
def of_four(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "3")
    return monkeypatch


def test_each_process_takes_a_gpu_of_its_own(of_four):
    chosen = []
    of_four.setattr(torch.cuda, "is_available", lambda: True)
    of_four.setattr(torch.cuda, "device_count", lambda: 4)
    of_four.setattr(torch.cuda, "set_device", chosen.append)
    assert distributed._own_device("auto") == distributed._own_device("cuda") == "cuda:3"
    assert chosen == ["cuda:3"] * 2
    assert distributed._own_device("cpu") == "cpu"
    of_four.setattr(torch.cuda, "is_available", lambda: False)
    assert distributed._own_device("auto") == "cpu"


def test_too_few_gpus_are_named(of_four):
    of_four.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="4 processes need a GPU each, and this machine has 2"):
        distributed._own_device("cuda")
    with pytest.raises(ValueError, match="not on 'mps'"):
        distributed._own_device("mps")


def test_a_graph_is_recorded_by_one_process_alone(digits):
    dist.init_process_group("gloo", rank=0, world_size=1, store=dist.HashStore())
    try:
        with pytest.raises(ValueError, match="graph records the steps of one process"):
            DistributedTraining(NarrowLeNet(), digits, Settings(graph=True, device="cpu"))
    finally:
        dist.destroy_process_group()
