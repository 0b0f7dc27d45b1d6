"""A traced pass is the real pass, step by step, and leaves the model alone."""

from __future__ import annotations

import collections
import copy
import random
import threading
import types
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import prune

from lenet import tracing
from lenet.models import CifarLeNet, LeNet5, NarrowLeNet
from tests.sources import run_cell


def images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


# Pieces of random networks. `expected` computes the result of every step without the tracer.


class Layer(nn.Module):
    """A layer of its own."""

    def __init__(self, channels: int, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)

    def expected(self, x: Tensor) -> list[Tensor]:
        return [self.layer(x.clone())]


class Conv(Layer):
    def __init__(self, channels: int) -> None:
        super().__init__(channels, nn.Conv2d(channels, channels, 3, padding=1))


class InPlaceLayer(Layer):
    def __init__(self, channels: int) -> None:
        super().__init__(channels, nn.ReLU(inplace=True))


class Pool(Layer):
    def __init__(self, channels: int) -> None:
        super().__init__(channels, nn.AvgPool2d(2, stride=1))


class Functional(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        return F.max_pool2d(x, kernel_size=2, stride=1, padding=1)

    def expected(self, x: Tensor) -> list[Tensor]:
        return [F.relu(x), F.max_pool2d(F.relu(x), 2, 1, 1)]


class InPlaceCalls(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x, inplace=True)
        x.mul_(2)
        x += 1
        return x

    def expected(self, x: Tensor) -> list[Tensor]:
        return [F.relu(x), F.relu(x) * 2, F.relu(x) * 2 + 1]


class OneLine(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(torch.tanh(self.conv(x)), 2, 1)

    def expected(self, x: Tensor) -> list[Tensor]:
        conv = self.conv(x)
        return [conv, conv.tanh(), F.max_pool2d(conv.tanh(), 2, 1)]


class Reused(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding="same")
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(2):
            x = self.relu(self.conv(x))
        return x

    def expected(self, x: Tensor) -> list[Tensor]:
        first = self.conv(x)
        second = self.conv(first.relu())
        return [first, first.relu(), second, second.relu()]


class Nested(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.block = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), inner)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)

    def expected(self, x: Tensor) -> list[Tensor]:
        conv = self.block[0](x)
        norm = self.block[1][0](conv)
        return [conv, norm, norm.relu()]


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)

    def expected(self, x: Tensor) -> list[Tensor]:
        return [self.conv(x), x + self.conv(x)]


class Concatenated(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(torch.cat((x, x), dim=1))

    def expected(self, x: Tensor) -> list[Tensor]:
        both = torch.cat((x, x), dim=1)
        return [both, self.conv(both)]


PIECES = (
    Conv, InPlaceLayer, Pool, Functional, InPlaceCalls, OneLine, Reused, Nested, Residual,
    Concatenated,
)  # fmt: skip

FLATTENINGS = {
    "flatten": lambda x: torch.flatten(x, start_dim=1),
    "method": lambda x: x.flatten(1),
    "view": lambda x: x.view(x.size(0), -1),
    "reshape": lambda x: x.reshape(x.shape[0], -1),
    "layer": nn.Flatten(),
}


class RandomNet(nn.Module):
    def __init__(self, pieces: list[type[nn.Module]], channels: int, flattening: str) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels, 3)
        self.pieces = nn.ModuleList(piece(channels) for piece in pieces)
        self.flat = FLATTENINGS[flattening]
        self.last = nn.LazyLinear(10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for piece in self.pieces:
            x = piece(x)
        return self.last(self.flat(x.contiguous()))

    def expected(self, x: Tensor) -> list[Tensor]:
        results = [self.first(x)]
        for piece in self.pieces:
            results += piece.expected(results[-1])
        flat = results[-1].flatten(1)
        return [*results, results[-1], flat, self.last(flat)]


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=5),
    channels=st.integers(1, 4),
    flattening=st.sampled_from(sorted(FLATTENINGS)),
    seed=st.integers(0, 1000),
)
def test_every_step_of_a_random_network_is_that_of_the_real_pass(
    pieces, channels, flattening, seed
):
    torch.manual_seed(seed)
    network = RandomNet(pieces, channels, flattening)
    batch = images(3, 1, 12, 12)
    network(batch)  # the lazy layer learns its size
    steps = tracing.record(network, batch)
    network.eval()
    with torch.no_grad():
        expected = network.expected(batch)
    assert [step.output_shape for step in steps] == [tuple(t.shape) for t in expected]
    for step, tensor in zip(steps, expected, strict=True):
        torch.testing.assert_close(step.output, tensor)
    assert torch.equal(steps[-1].output, network(batch))
    for step in steps:
        for tensor, source in zip(step.inputs, step.sources, strict=True):
            assert torch.equal(tensor, batch if source == -1 else steps[source].output)
    total = sum(p.numel() for p in network.parameters())
    assert sum(step.num_parameters for step in steps) == total


@pytest.mark.parametrize(
    ("network", "shape"),
    [(NarrowLeNet, (1, 28, 28)), (LeNet5, (1, 28, 28)), (CifarLeNet, (3, 32, 32))],
)
def test_the_networks_of_the_book(network, shape):
    model = network().eval()
    batch = images(2, *shape)
    steps = tracing.record(model, batch)
    assert torch.equal(steps[-1].output, model(batch))


def test_a_step_says_what_ran_where_and_on_what():
    steps = tracing.record(NarrowLeNet(), images(2, 1, 28, 28))
    assert len(steps) == 12
    conv, relu, pool = steps[:3]
    assert (conv.name, conv.operation) == ("conv1", "Conv2d")
    assert conv.settings["kernel_size"] == (5, 5)
    assert conv.settings["bias"] is True
    assert conv.input_shapes == ((2, 1, 28, 28),)
    assert conv.num_parameters == 156
    assert (conv.place.code, relu.place.code) == ("self.conv1(t)", "F.relu(self.conv1(t))")
    assert conv.place.line == relu.place.line == pool.place.line - 1
    assert (pool.name, pool.operation, pool.module) == ("max_pool2d", "max_pool2d", None)
    assert pool.settings["stride"] == 2
    assert [step.sources for step in steps] == [(i - 1,) for i in range(12)]


class Written(nn.Module):
    """Expressions that are hard to cut out."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def helper(self, x: Tensor) -> Tensor:
        return self.fc(x)

    def forward(self, x: Tensor) -> Tensor:
        é = 1 - x  # a letter of two bytes
        y = torch.cat(
            [é, -x],
            dim=1,
        )
        a, b = y.chunk(2, dim=1)
        return self.helper(a @ b.T)[:, :2] * 2


def test_the_code_of_a_step_is_its_exact_expression():
    steps = tracing.record(Written(), images(4, 4))
    assert [(step.name, step.place.code) for step in steps] == [
        ("rsub", "1 - x"),
        ("neg", "-x"),
        ("cat", "torch.cat(\n    [é, -x],\n    dim=1,\n)"),
        ("chunk", "y.chunk(2, dim=1)"),
        ("T", "b.T"),
        ("matmul", "a @ b.T"),
        ("fc", "self.fc(x)"),
        ("getitem", "self.helper(a @ b.T)[:, :2]"),
        ("mul", "self.helper(a @ b.T)[:, :2] * 2"),
    ]
    assert steps[3].output_shapes == ((4, 4), (4, 4))
    assert steps[5].sources == (3, 4)


def written_in(name: str) -> nn.Module:
    """A network whose source lives in `linecache` only, as that of a notebook cell does."""
    source = "class Net(nn.Module):\n    def forward(self, x):\n        return x.relu() + 1\n"
    return run_cell(source, name)["Net"]()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("<ipython-input-7>", "line 3 of the cell"),
        ("<ipython-input-7-0123456789ab>", "line 3 of the cell"),
        ("/tmp/ipykernel_123/456.py", "line 3 of the cell"),
        ("/tmp/ipython-input-123456.py", "line 3 of the cell"),
        ("/home/someone/course/networks.py", "networks.py, line 3"),
        ("<python-input-2>", "line 3"),
    ],
)
def test_a_step_says_which_line_of_what_without_the_machines_folders(name, place):
    steps = tracing.record(written_in(name), images(1, 2))
    assert [step.place for step in steps] == [
        tracing.Place(code, 3, place) for code in ("x.relu()", "x.relu() + 1")
    ]


def test_the_place_of_a_step_in_a_module_of_the_package():
    place = tracing.record(NarrowLeNet(), images(1, 1, 28, 28))[0].place
    assert place.text == f"lenet.py, line {place.line}"


def test_code_without_source_falls_back_to_the_operation():
    space = {"nn": nn, "__name__": "__main__"}
    exec("class Net(nn.Module):\n    def forward(self, x): return x.relu()", space)
    assert tracing.record(space["Net"](), images(1, 2))[0].place.code == "relu"


def test_a_bare_sequential_shows_its_layers():
    steps = tracing.record(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), images(1, 2))
    assert [step.name for step in steps] == ["0", "1"]
    assert steps[0].place == tracing.Place("Linear(in_features=2, out_features=3, bias=True)")


def test_a_single_layer_is_named_after_its_class():
    assert tracing.record(nn.Linear(2, 3), images(1, 2))[0].name == "Linear"


class Restless(nn.Module):
    """A network that changes itself, its weights and the random state in `forward`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("calls", torch.zeros(()))
        self.history: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.conv.weight.clamp_(-0.01, 0.01)
            self.conv.bias.data.fill_(7)
            self.scale.view(-1)[0] = 5
        self.calls += 1
        self.last = F.dropout(F.batch_norm(self.conv(x), None, None, training=True)) * self.scale
        self.history.append(self.last)
        return self.norm(self.last) + torch.rand(1)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_stays_as_it_was(training):
    model = Restless().train(training)
    model(images(2, 1, 8, 8))  # keeps activations that deepcopy would refuse
    model.conv.weight.requires_grad_(False)
    model.norm.eval()
    batch = images(2, 1, 8, 8)
    state, batch_before = copy.deepcopy(model.state_dict()), batch.clone()
    versions = [p._version for p in model.parameters()]
    last, random_state = model.last, torch.get_rng_state()
    tracing.record(model, batch)
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert versions == [p._version for p in model.parameters()]
    assert torch.equal(random_state, torch.get_rng_state())
    assert (model.training, model.norm.training) == (training, False)
    assert model.last is last
    assert len(model.history) == 1
    assert not model.conv.weight.requires_grad
    assert torch.equal(batch, batch_before)
    assert not any(module._forward_pre_hooks for module in model.modules())
    assert "forward" not in vars(model.conv)


def test_python_and_numpy_style_randomness_is_not_consumed():
    state = random.getstate()
    tracing.record(LeNet5(), images(1, 1, 28, 28))
    assert random.getstate() == state


def test_shared_layers_count_their_parameters_once():
    layer = nn.Linear(3, 3)
    tied = nn.Linear(3, 3, bias=False)
    tied.weight = layer.weight
    steps = tracing.record(nn.Sequential(layer, nn.ReLU(), layer, tied), images(1, 3))
    assert [step.num_parameters for step in steps] == [12, 0, 0, 0]
    assert [step.name for step in steps] == ["0", "1", "0", "3"]


def test_a_model_may_return_several_tensors_and_take_several():
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
            return {"sum": x + y, "max": torch.max(x, dim=1).values}

    recording = tracing.run(Two(), (images(2, 3), images(2, 3)))
    assert recording.failure is None
    assert recording.output["sum"].shape == (2, 3)
    assert recording.steps[0].sources == (tracing.MODEL_INPUT, tracing.MODEL_INPUT)
    assert recording.steps[1].output_shapes == ((2,), (2,))


def test_tensors_are_kept_only_when_asked():
    (step,) = tracing.record(nn.ReLU(), images(2, 3), keep_tensors=False)
    assert step.inputs is None
    assert step.output is None


def test_a_stale_view_is_recorded_as_it_is():
    """Writing through one view changes what is seen through another."""

    class Views(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x * 1
            y.view(-1).add_(1)
            return y * 2

    steps = tracing.record(Views(), torch.zeros(1, 2))
    assert torch.equal(steps[0].output, torch.zeros(1, 2))
    assert torch.equal(steps[-1].inputs[0], torch.ones(1, 2))


def test_a_failure_keeps_the_steps_before_it():
    model = NarrowLeNet()
    model.fc1 = nn.Linear(100, 120)
    recording = tracing.run(model, images(2, 1, 28, 28))
    assert [step.name for step in recording.steps][-1] == "flatten"
    assert recording.failure.step.name == "fc1"
    assert recording.failure.step.input_shapes == ((2, 192),)
    assert recording.failure.place.code == "self.fc1(t)"
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        tracing.record(model, images(2, 1, 28, 28))


def test_a_failure_between_operations_has_its_line():
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.relu() + self.missing(x)

    failure = tracing.run(Broken(), images(1, 2)).failure
    assert failure.step is None
    assert failure.place.code == "self.missing"
    assert failure.place.text == f"test_tracing.py, line {failure.place.line}"


def test_a_failure_that_the_model_handles_is_none():
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(5, 5)

        def forward(self, x: Tensor) -> Tensor:
            try:
                return self.fc(x)
            except RuntimeError:
                return x.relu()

    assert [s.name for s in tracing.record(Careful(), images(1, 2))] == ["relu"]


def test_what_if_the_network_were_another():
    def padded(twin: nn.Module) -> nn.Module:
        twin.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        return twin

    model = NarrowLeNet()
    changed = tracing.run(model, images(2, 1, 28, 28), prepare=padded)
    assert changed.steps[0].output_shape == (2, 6, 28, 28)
    assert tracing.run(model, images(2, 1, 28, 28)).failure is None


def test_parametrized_and_subclassed_layers_are_one_step():
    class Quiet(nn.Conv2d):
        """Adds nothing."""

    class Loud(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * 2

    normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 1, 3))
    network = nn.Sequential(normed, Quiet(1, 1, 3), Loud(1, 1, 3))
    steps = tracing.record(network, images(1, 1, 9, 9))
    assert [s.operation for s in steps] == ["ParametrizedConv2d", "Quiet", "conv2d", "mul"]
    assert sum(s.num_parameters for s in steps) == sum(p.numel() for p in network.parameters())


def test_what_torch_compile_wrapped_is_traced():
    assert len(tracing.record(torch.compile(NarrowLeNet()), images(1, 1, 28, 28))) == 12


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_torchscript_is_one_step_with_its_parameters():
    scripted = torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.ReLU()))
    recording = tracing.run(nn.Sequential(scripted, nn.Linear(4, 2)), images(1, 3))
    assert [(s.name, s.num_parameters) for s in recording.steps] == [("0", 16), ("1", 10)]
    assert recording.num_unused_parameters == 0
    assert len(tracing.record(scripted, images(1, 3))) == 1


class Inputs(nn.Module):
    """Takes tensors in every way in which Python passes them."""

    def forward(
        self, x: Tensor, pair: tuple[Tensor, int], *, by_name: dict[str, list[Tensor]], scale: float
    ) -> Tensor:
        pair[0].add_(1)
        return (x + pair[0]) * scale + by_name["more"][0]


def test_arguments_arrive_as_they_were_given_and_stay_as_they_were():
    one = torch.ones(2, 3)
    by_name = collections.OrderedDict(more=[one])
    kwargs = {"by_name": by_name, "scale": 4.0}
    recording = tracing.run(Inputs(), (one, (one, 2)), kwargs=kwargs)
    assert torch.equal(recording.output, torch.full((2, 3), 13.0))
    assert [step.sources for step in recording.steps] == [
        (tracing.MODEL_INPUT,), (tracing.MODEL_INPUT, 0), (1,), (2, tracing.MODEL_INPUT)
    ]  # fmt: skip
    assert torch.equal(one, torch.ones(2, 3))


def test_named_tuples_and_packed_sequences_are_passed_on():
    packed = nn.utils.rnn.pack_sequence([images(3, 4), images(2, 4)])
    (step,) = tracing.record(nn.LSTM(4, 5), [packed])
    assert step.output_shape == (5, 5)
    assert step.sources[0] == tracing.MODEL_INPUT


class Energy(nn.Module):
    """Differentiates in `forward`, as networks of physics do."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        x.requires_grad_()
        (force,) = torch.autograd.grad(self.fc(x).tanh().sum(), x)
        return force


def test_a_gradient_inside_forward_is_computed():
    network = Energy()
    recording = tracing.run(network, images(2, 3))
    assert recording.failure is None
    assert recording.output.shape == (2, 3)
    assert network.fc.weight.grad is None


def test_lazy_layers_learn_their_sizes_on_the_copy():
    network = nn.Sequential(
        nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(5)
    )
    steps = tracing.record(network, images(2, 1, 6, 6))
    assert [step.operation for step in steps] == ["Conv2d", "BatchNorm2d", "Flatten", "Linear"]
    assert [step.num_parameters for step in steps] == [40, 8, 0, 325]
    assert isinstance(network[0], nn.LazyConv2d)
    assert isinstance(network[3].weight, nn.UninitializedParameter)
    failed = tracing.run(nn.Sequential(nn.Linear(4, 4), nn.LazyLinear(5)), images(2, 3))
    assert failed.failure.step.name == "0"


def test_weights_on_the_meta_device_get_stand_ins():
    network = nn.Sequential(nn.Linear(5, 2), nn.BatchNorm1d(2)).to("meta")
    recording = tracing.run(network, images(2, 5))
    assert recording.output.shape == (2, 2)
    assert recording.output.device.type == "cpu"
    assert network[0].weight.is_meta


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_quantized_layers_are_steps():
    network = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    quantized = torch.ao.quantization.quantize_dynamic(network, {nn.Linear})
    steps = tracing.record(quantized, images(3, 8))
    assert [step.name for step in steps] == ["0", "1", "2"]
    assert steps[-1].output_shape == (3, 2)


def test_compiled_parts_run_as_they_were_written(caplog):
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = torch.compile(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))
            self.fc = nn.Linear(2, 2)
            self.fc.compile()

        def forward(self, x: Tensor) -> Tensor:
            return double(self.fc(self.features(x).mean((2, 3))))

    @torch.compile
    def double(x: Tensor) -> Tensor:
        return 2 * x

    steps = tracing.record(Mixed(), images(2, 1, 5, 5))
    assert [s.name for s in steps] == ["features.0", "features.1", "mean", "fc", "mul"]
    assert not caplog.records


def test_what_torch_fx_wrote_is_traced():
    network = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
    assert [s.name for s in tracing.record(network, images(1, 2))] == ["0", "1"]


def test_a_parallel_wrapper_is_looked_through():
    assert tracing.record(nn.DataParallel(nn.Linear(2, 3)), images(1, 2))[0].name == "Linear"


def test_hooks_of_the_user_do_not_fire_and_those_of_pytorch_do():
    calls = []
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten())
    prune.l1_unstructured(network[0], "weight", amount=0.5)
    network[0].register_forward_hook(lambda *_: calls.append("layer"))
    network.register_forward_pre_hook(lambda *_: calls.append("network"))
    batch = images(1, 1, 5, 5)
    steps = tracing.record(network, batch)
    assert calls == []
    assert torch.equal(steps[-1].output, network(batch).detach())
    assert calls == ["network", "layer"]


class Options(dict[str, int]):
    """A dictionary whose keys are read as attributes, as many write it."""

    def __getattr__(self, name: str) -> int:
        return self[name]


@pytest.mark.parametrize("value", [threading.Lock(), Options(width=3)], ids=["lock", "options"])
def test_what_cannot_be_copied_is_shared(value):
    network = nn.Sequential(nn.Linear(2, 3))
    network.own = value
    step, *_ = tracing.record(network, images(1, 2))
    assert step.output_shape == (1, 3)


patched = nn.Identity()  # a global name, as a script's network has


@pytest.mark.parametrize("kind", ["closure", "global", "method"])
def test_a_patched_forward_speaks_of_the_copy(kind, monkeypatch):
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).train()

    def method(self: nn.Module, x: Tensor) -> Tensor:
        return self[1](self[0](x))

    monkeypatch.setitem(globals(), "patched", network)
    network.forward = {
        "closure": lambda x: network[1](network[0](x)),
        "global": lambda x: patched[1](patched[0](x)),
        "method": types.MethodType(method, network),
    }[kind]
    recording = tracing.run(network, images(4, 2))
    assert [step.name for step in recording.steps] == ["0", "1"]
    assert sum(s.num_parameters for s in recording.steps) == 15
    assert recording.num_unused_parameters == 0
    assert network[1].num_batches_tracked == 0


def test_frozen_parameters_are_told_from_trainable_ones():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    network[0].weight.requires_grad_(False)
    steps = tracing.record(network, images(1, 2))
    assert [(s.num_parameters, s.num_trainable) for s in steps] == [(9, 3), (16, 16)]


def test_layers_in_a_plain_list_are_not_registered():
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(2, 3), nn.Linear(3, 3)]
            self.fc = nn.Linear(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = layer(x)
            return self.fc(x)

    recording = tracing.run(Listed(), images(1, 2))
    assert [s.num_parameters for s in recording.steps] == [9, 12, 4]
    assert (recording.num_unused_parameters, recording.num_unregistered_parameters) == (0, 21)


def test_only_new_memory_is_counted():
    class Views(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x.view(-1).double()
            y += 1
            return y.reshape(2, 3).half()

    steps = tracing.record(Views(), images(2, 3))
    assert [(s.name, s.num_bytes) for s in steps] == [
        ("view", 0), ("double", 48), ("add_", 0), ("reshape", 0), ("half", 12)
    ]  # fmt: skip
    assert steps[-1].output_dtypes == (torch.float16,)


def test_it_works_inside_inference_mode_and_with_gradients_on():
    with torch.inference_mode():
        assert len(tracing.record(NarrowLeNet(), images(1, 1, 28, 28))) == 12
    batch = images(1, 1, 28, 28).requires_grad_()
    assert not tracing.record(NarrowLeNet(), batch)[-1].output.requires_grad


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_on_the_gpu_is_traced_on_the_cpu_and_stays_where_it_was():
    model = NarrowLeNet().cuda()
    steps = tracing.record(model, images(2, 1, 28, 28).cuda())
    assert steps[-1].output.device.type == "cpu"
    assert all(p.device.type == "cuda" for p in model.parameters())


def test_what_comes_behind_the_network_is_recorded_and_may_fail():
    batch, then = images(3, 4), partial(F.mse_loss, target=torch.zeros(3, 2))
    recording = tracing.run(nn.Linear(4, 2), batch, then=then)
    assert [step.name for step in recording.steps] == ["Linear", "mse_loss"]
    assert recording.output.shape == (3, 2)
    then = partial(F.cross_entropy, target=torch.zeros(2, dtype=torch.int64))
    recording = tracing.run(nn.Linear(4, 2), batch, then=then)
    assert recording.failure.step.name == "cross_entropy"
    assert recording.failure.step.sources == (0, None)
    assert recording.output.shape == (3, 2)


def test_a_step_that_failed_has_its_inputs():
    batch = images(2, 5)
    (failed,) = tracing.run(nn.Linear(4, 2), batch).failure.step.inputs
    assert torch.equal(failed, batch)


def test_arguments_named_as_numpy_names_them_are_known():
    class Joined(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, x.mean(axis=1, keepdims=True)], axis=1)

    mean, cat = tracing.record(Joined(), images(2, 3))
    assert mean.settings == {"dim": 1, "keepdim": True}
    assert cat.settings == {"dim": 1}
