"""The way back in the page: its gradients, its steps and its training equal PyTorch's."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Browser, expect
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lenet import tracing
from lenet.data.in_memory import embedded_digits
from lenet.models import LeNet5_1998, LeNet5Linear
from lenet_book.widgets import Widget
from lenet_book.widgets.shared.arrays import pack
from lenet_book.widgets.stage.backward.digits import packed_digits
from lenet_book.widgets.stage.backward.reference import mark_frozen
from lenet_book.widgets.stage.program import program_of
from tests.browsing import visiting
from tests.learners_networks import NETWORKS, build

JS = Path(__file__).parent
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node was found")
TOLERANCE = 1e-4  # of the largest gradient of a tensor

# ---------------------------------------------------------------- more networks


def around(activation: nn.Module) -> nn.Sequential:
    """A small network with numbers far below and above 0 before an activation."""
    layers = nn.Sequential(nn.Conv2d(1, 3, 3), activation, nn.Flatten(), nn.Linear(192, 4))
    layers[0].weight.data *= 8
    return layers


def depthwise() -> nn.Sequential:
    """Groups, strides that leave pixels out, pools that overlap or adapt."""
    return nn.Sequential(
        nn.Conv2d(2, 8, (3, 2), stride=(3, 2), padding=(2, 1)),
        nn.Conv2d(8, 8, 3, groups=8, padding=2, dilation=2, bias=False),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=1, padding=1),
        nn.AdaptiveMaxPool2d((3, 4)),
        nn.Conv2d(8, 6, 1, groups=2),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(24, 3, bias=False),
    )


def on_paper() -> nn.Sequential:
    """Gets exact zeros, as of the empty part of a picture, where relu and max-pooling decide."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 2, bias=False),
        nn.LeakyReLU(),
        nn.MaxPool2d(2, stride=1),
        nn.ELU(2.0),
        nn.Flatten(),
        nn.Linear(16, 4),
    )


class Branches(nn.Module):
    """Values that are used several times, and shares in the middle of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.fc1, self.fc2, self.fc3 = nn.Linear(64, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = F.avg_pool2d(F.gelu(x) + self.norm(x), 3, stride=2, padding=1, count_include_pad=False)
        x = 2 * self.fc1(x.flatten(1)) - 1
        return self.fc3(x + F.log_softmax(x, dim=1) + self.fc2(x.softmax(1)))


MORE: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int]]] = {
    "gelu": (lambda: around(nn.GELU()), (1, 10, 10)),
    "gelu by tanh": (lambda: around(nn.GELU("tanh")), (1, 10, 10)),
    "elu": (lambda: around(nn.ELU(0.7)), (1, 10, 10)),
    "leaky": (lambda: around(nn.LeakyReLU(0.3)), (1, 10, 10)),
    "tanh": (lambda: around(nn.Tanh()), (1, 10, 10)),
    "sigmoid": (lambda: around(nn.Sigmoid()), (1, 10, 10)),
    "depthwise": (depthwise, (2, 17, 15)),
    "paper": (on_paper, (1, 10, 10)),
    "branches": (Branches, (1, 8, 8)),
    "twice": (lambda: nn.Sequential(around(nn.ReLU()), nn.LogSoftmax(1)), (1, 10, 10)),
}


def made(name: str, seed: int) -> tuple[nn.Module, Tensor]:
    """A network as it stands in a page, in eval mode, and two random pictures."""
    if name in NETWORKS:
        model, images = build(name)
        torch.manual_seed(seed)
        return model.eval(), torch.randn(images.shape)
    torch.manual_seed(seed)
    make, shape = MORE[name]
    model, images = make().eval(), torch.randn(2, *shape)
    if name == "paper":
        images[..., :6] = 0
    return model, images


# ---------------------------------------------------------------- gradients


class Keeping(TorchFunctionMode):
    """Keeps the results of all operations, which are asked to keep their gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[Tensor] = []

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.requires_grad and not result.is_leaf:
            result.retain_grad()
            self.results.append(result)
        return result


def scores_of(output: Tensor, program: list[dict[str, Any]], results: list[Tensor]) -> Tensor:
    """What the loss is computed from: the scores, also where the network returns their shares."""
    if not program[-1]["kind"].endswith("oftmax"):
        return output
    shape = tuple(program[program[-1]["inputs"][0]]["shape"])
    return next(r for r in reversed(results) if r is not output and tuple(r.shape[1:]) == shape)


def write_program(folder: Path, name: str, model: nn.Module, images: Tensor, **more: Any) -> Any:
    steps = tracing.record(model, images)
    program = program_of(steps, images, torch.float32)
    for instruction, step in zip(program.instructions[1:], steps, strict=True):
        instruction["name"] = step.name
    mark_frozen(model, program, steps)
    entries, data = pack({**program.arrays, "pictures": images})
    meta = {"steps": program.instructions, "arrays": entries, **more}
    (folder / f"{name}.json").write_text(json.dumps(meta), encoding="utf-8")
    (folder / f"{name}.bin").write_bytes(data)
    return program, [images, *(step.output for step in steps)]


def assert_near(
    found: list[float], expected: Tensor, what: object, largest: float | None = None
) -> None:
    error = (torch.tensor(found) - expected.flatten()).abs().max()
    size = float(expected.abs().max()) if largest is None else largest
    assert float(error) <= TOLERANCE * max(size, 1e-6), what


@pytest.mark.parametrize("name", [*NETWORKS, *MORE])
def test_gradients_equal_pytorch(tmp_path: Path, name: str) -> None:
    model, images = made(name, seed=5)
    labels = [1, 2]
    program, outputs = write_program(tmp_path, "case", model, images, labels=labels)
    subprocess.run([NODE, JS / "run_backward.js", tmp_path], check=True, timeout=120)
    found = json.loads((tmp_path / "case.out").read_text())
    for sample, label in enumerate(labels):
        picture = images[sample : sample + 1].clone().requires_grad_()
        with Keeping() as keeping:
            output = model(picture)
        scores = scores_of(output, program.instructions, keeping.results)
        loss = F.cross_entropy(scores, torch.tensor([label]))
        model.zero_grad()
        loss.backward()
        assert found[sample]["blockedAt"] is None
        assert found[sample]["loss"] == pytest.approx(loss.item(), abs=1e-4)
        assert found[sample]["shares"] == pytest.approx(scores.softmax(1)[0].tolist(), abs=1e-5)
        assert_near(found[sample]["values"][0], picture.grad, "picture")
        check_values(found[sample]["values"], [o[sample] for o in outputs], keeping.results)
        check_weights(found[sample]["weights"], program.arrays, model)
        check_terms(found[sample], program.instructions)


def check_values(found: list[Any], outputs: list[Tensor], results: list[Tensor]) -> None:
    """Compare step by step; what an operation overwrote in place is not there any more."""
    left = list(results)
    num_compared = 0
    for step, output in enumerate(outputs[1:], 1):
        same = [
            r
            for r in left
            if r[0].shape == output.shape and torch.allclose(r[0], output, atol=1e-5)
        ]
        if found[step] is None or not same or same[0].grad is None:
            continue
        left = left[next(i for i, r in enumerate(left) if r is same[0]) + 1 :]
        assert_near(found[step], same[0].grad, f"step {step}")
        num_compared += 1
    assert num_compared >= len(outputs) // 2


def check_weights(found: dict[str, list[float]], arrays: Any, model: nn.Module) -> None:
    parameters = dict(model.named_parameters())
    for name, gradient in found.items():
        (own,) = [key for key, p in parameters.items() if torch.equal(p, arrays[name])]
        expected = parameters.pop(own).grad
        assert expected is not None
        assert_near(gradient, expected, own)
    assert parameters == {}


def check_terms(found: dict[str, Any], program: list[dict[str, Any]]) -> None:
    """See that products add up to the gradients, of weights and of what goes in."""
    sums: dict[tuple[str | int, int], float] = {}
    kinds = {program[picked["step"]]["kind"] for picked in found["picked"]}
    for picked in found["picked"]:
        step = program[picked["step"]]
        arriving = torch.tensor(found["values"][picked["step"]]).reshape(step["shape"])
        for term in picked["terms"]:
            assert term["gradient"] == pytest.approx(float(arriving[tuple(term["unit"])]))
            assert term["product"] == pytest.approx(term["factor"] * term["gradient"])
        if step["kind"] == "conv" and picked["role"] != "unit":
            assert len(picked["terms"]) == step["shape"][1] * step["shape"][2]
        key = (picked["of"], picked["at"])
        reused = sum(picked["of"] in (i.get("weight"), i.get("bias")) for i in program) > 1
        if not reused:
            sums[key] = sums.get(key, 0) + sum(t["product"] for t in picked["terms"])
    assert sums
    assert kinds >= {i["kind"] for i in program} - {"input", "softmax", "logSoftmax"}
    for (of, at), total in sums.items():
        whole = found["weights"][of] if isinstance(of, str) else found["values"][of]
        assert_near([total], torch.tensor(whole[at : at + 1]), (of, at), max(map(abs, whole)))


class Halved(nn.Module):
    """Has an operation that the page has only recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(self.conv(x), size=2)
        return self.fc(x.flatten(1).relu())


@pytest.mark.parametrize(("make", "size"), [(Halved, 8), (LeNet5_1998, 32)])
def test_the_way_back_ends_where_it_has_no_rule(
    tmp_path: Path, make: Callable[[], nn.Module], size: int
) -> None:
    torch.manual_seed(2)
    model = make().eval()
    program, _ = write_program(tmp_path, "case", model, torch.randn(2, 1, size, size), labels=[0])
    subprocess.run([NODE, JS / "run_backward.js", tmp_path], check=True, timeout=120)
    (found,) = json.loads((tmp_path / "case.out").read_text())
    steps = program.instructions
    recorded = [i for i, step in enumerate(steps) if step["kind"] == "recorded"]
    last = max(recorded)
    assert found["blockedAt"] == last
    assert steps[last]["reason"]
    assert [value is not None for value in found["values"]] == [
        i >= last for i in range(len(steps))
    ]
    after = {
        step[role] for step in steps[last + 1 :] for role in ("weight", "bias") if role in step
    }
    assert set(found["weights"]) == after


# ---------------------------------------------------------------- training


def batch_normed() -> nn.Sequential:
    """Batch norm over maps and over features, with weights and without; some are frozen."""
    layers = nn.Sequential(
        nn.Conv2d(1, 6, 3, bias=False),
        nn.BatchNorm2d(6, eps=1e-3, momentum=0.3),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3, stride=2, bias=False),
        nn.BatchNorm2d(4, affine=False),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(36, 8, bias=False),
        nn.BatchNorm1d(8),
        nn.Linear(8, 3),
    )
    for frozen in (layers[3].weight, layers[8].bias):
        frozen.requires_grad_(False)
    return layers


TRAINED: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int]]] = {
    "lenet": (LeNet5Linear, (1, 28, 28)),
    "batch norm": (batch_normed, (1, 10, 10)),
}
OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, float]]] = {
    "sgd": (torch.optim.SGD, {"lr": 0.05}),
    "adam": (torch.optim.Adam, {"lr": 0.001}),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", TRAINED)
def test_a_hundred_steps_end_where_pytorch_ends(
    tmp_path: Path, network: str, optimizer: str
) -> None:
    make, shape = TRAINED[network]
    kind, settings = OPTIMIZERS[optimizer]
    torch.manual_seed(11)
    model = make().eval()
    labels = torch.arange(30) % 3
    images = torch.randn(3, *shape)[labels] + 0.5 * torch.randn(30, *shape)
    batches = [torch.randperm(30)[: 8 - step % 3].tolist() for step in range(100)]
    batches[0] = list(range(8))
    plan = {"labels": labels.tolist(), "batches": batches, "optimizer": kind.__name__}
    plan["rate"] = settings["lr"]
    program, _ = write_program(tmp_path, "case", model, images, **plan)
    names = array_names(program, model)
    subprocess.run([NODE, JS / "run_training.js", tmp_path], check=True, timeout=120)
    found = json.loads((tmp_path / "case.out").read_text())
    losses = train(model, kind(model.parameters(), **settings), images, labels, batches)
    assert found["losses"] == pytest.approx(losses, abs=1e-3)
    assert losses[-1] < losses[0] / 2
    for name, own in names.items():
        expected = own()
        assert expected.shape == program.arrays[name].shape
        difference = torch.tensor(found["trained"][name]) - expected.detach().flatten()
        assert float(difference.abs().max()) <= 1e-3, name
    check_score(found["score"], model.eval(), images, labels)


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    batches: list[list[int]],
) -> list[float]:
    losses = []
    model.train()
    for batch in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def array_names(program: Any, model: nn.Module) -> dict[str, Callable[[], Tensor]]:
    """By the name of an array, what gives its tensor in a model that goes on learning."""
    layers = [m for m in model.modules() if not list(m.children()) and list(m.state_dict())]
    steps = [i for i in program.instructions if {"weight", "mean"} & i.keys()]
    names: dict[str, Callable[[], Tensor]] = {}
    for layer, step in zip(layers, steps, strict=True):
        for role in {"weight", "bias"} & step.keys():
            names[step[role]] = lambda layer=layer, role=role: getattr(layer, role)
        if "mean" in step:
            names[step["mean"]] = lambda layer=layer: layer.running_mean
            names[step["deviation"]] = lambda layer=layer: (layer.running_var + layer.eps).sqrt()
    return names


def check_score(score: dict[str, Any], model: nn.Module, images: Tensor, labels: Tensor) -> None:
    with torch.no_grad():
        scores = model(images)
    answers = scores.argmax(1)
    assert score["numRight"] == int((answers == labels).sum())
    confusion = torch.zeros(scores.shape[1], scores.shape[1], dtype=torch.int64)
    confusion.index_put_((labels, answers), torch.tensor(1), accumulate=True)
    assert score["confusion"] == confusion.tolist()


# ---------------------------------------------------------------- from nothing, in a worker


class Learning(Widget):
    """Trains a network from random weights."""

    front_end = JS / "front_ends" / "learning.js"


def learn(
    browser: Browser, folder: Path, model: nn.Module, epochs: int
) -> tuple[list[Any], list[Any], Any]:
    """Train in a page from disk: what it told, a few of its pictures, and the program."""
    images = torch.zeros(1, 1, 28, 28)
    program = program_of(tracing.record(model.eval(), images), images, torch.float32)
    settings = {"seed": 4, "batchSize": 32, "rate": 0.003, "numEpochs": epochs}
    meta = {"steps": program.instructions, "digits": packed_digits(), "settings": settings}
    with visiting(browser, folder.as_uri()) as visit:
        page = visit.show(Learning(meta, program.arrays), folder / "page.html")
        expect(page.locator(".lenet-widget")).to_have_text(f"{epochs} epochs", timeout=120_000)
        pictures = page.evaluate("training.slice(0, 20).map(({ picture }) => Array.from(picture))")
        return page.evaluate("progress"), pictures, program


def test_a_worker_teaches_a_network_from_random_weights(browser: Browser, tmp_path: Path) -> None:
    model = LeNet5Linear()
    told, pictures, program = learn(browser, tmp_path, model, epochs=15)
    assert [progress["epoch"] for progress in told] == list(range(1, 16))
    assert {len(progress["losses"]) for progress in told} == {13}
    losses = [loss for progress in told for loss in progress["losses"]]
    assert len(losses) == 195
    assert losses[0] == pytest.approx(2.3, abs=0.3)
    for name, own in array_names(program, model).items():
        own().data = torch.tensor(told[-1]["arrays"][name]).reshape(own().shape)
    digits = [map(torch.from_numpy, embedded_digits(train)) for train in (True, False)]
    images, labels = zip(*digits, strict=True)
    first = [own[:n].sort(stable=True) for own, n in zip(labels, (400, 200), strict=True)]
    training, test = (
        (own[order][:, None].float() / 255 - 0.1307) / 0.3081
        for own, (_, order) in zip(images, first, strict=True)
    )
    levels = (torch.tensor(pictures) - training[:20].flatten(1)).abs() * 0.3081 * 255
    assert float(levels.max()) < 1.01  # a half may be rounded either way
    assert float((levels > 0.01).float().mean()) < 0.01
    check_score(told[-1]["score"], model, test, first[1].values)
    assert told[-1]["score"]["numRight"] > 180
