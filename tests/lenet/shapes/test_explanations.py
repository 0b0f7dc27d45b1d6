"""Explanations name what fails, and every fix they offer works when it is made by hand."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.models import CifarLeNet, LeNet5, LeNet5Linear, NarrowLeNet
from lenet.shapes import Explanation, Fix, ShapeError, explain, explaining, trace
from lenet.shapes.diagnosis import Call
from lenet.shapes.edits import apply_edits
from lenet.shapes.explanations import find_device_mismatch
from tests.sources import make_by_hand, run_cell


class Plan:
    """The settings of a random network, before and after something in it is broken."""

    def __init__(self, rng: random.Random) -> None:
        self.style = rng.choice(["modules", "functions", "view", "in place"])
        self.channels = [rng.choice([1, 3]), *(rng.randint(2, 6) for _ in range(rng.randint(1, 3)))]
        self.kernels = [rng.choice([3, 5]) for _ in self.channels[1:]]
        self.paddings = [rng.choice([0, k // 2]) for k in self.kernels]
        self.size = rng.randint(18, 26) + 6 * len(self.kernels)
        self.in_channels = self.channels[:-1]
        self.pool = rng.choice([2, 2, 3]) if len(self.kernels) < 3 else 2
        self.hidden = rng.randint(8, 16)
        self.fc2_inputs = self.hidden
        self.image_channels = self.channels[0]
        self.features = self.channels[-1] * self.final_size() ** 2

    def final_size(self) -> int:
        size = self.size
        for kernel, padding in zip(self.kernels, self.paddings, strict=True):
            size = (size + 2 * padding - kernel + 1) // self.pool
        return size

    def break_something(self, rng: random.Random) -> None:
        layer = rng.randrange(len(self.kernels))
        match rng.choice(["kernel", "padding", "width", "features", "channels", "size", "hidden"]):
            case "kernel":
                self.kernels[layer] = rng.choice([1, 7, 9])
            case "padding":
                self.paddings[layer] = rng.choice([1, 3, 4])
            case "width":
                self.channels[layer + 1] += rng.choice([-1, 1, 2])
            case "features":
                self.features += rng.choice([-7, 1, 12])
            case "channels":
                self.image_channels = 4 - self.image_channels
            case "size":
                self.size = rng.choice([self.size - 8, self.size + 8, 7])
            case "hidden":
                self.fc2_inputs += rng.choice([-1, 3])

    def images(self) -> Tensor:
        return torch.rand(2, self.image_channels, self.size, self.size)


class Network(nn.Module):
    """A LeNet of any plan, written in one of four styles."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.style, self.pool_size, self.depth = plan.style, plan.pool, len(plan.kernels)
        sizes = zip(plan.in_channels, plan.channels[1:], plan.kernels, plan.paddings, strict=True)
        for index, (before, after, kernel, padding) in enumerate(sizes, start=1):
            setattr(self, f"conv{index}", nn.Conv2d(before, after, kernel, padding=padding))
        if self.style == "modules":
            self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(plan.pool)
        self.features = plan.features
        self.fc1 = nn.Linear(plan.features, plan.hidden)
        self.fc2 = nn.Linear(plan.fc2_inputs, 10)

    def forward(self, x: Tensor) -> Tensor:
        for index in range(1, self.depth + 1):
            x = self.rest(getattr(self, f"conv{index}")(x))
        x = x.view(x.size(0), -1) if self.style == "view" else torch.flatten(x, start_dim=1)
        return self.fc2(F.relu(self.fc1(x)))

    def rest(self, x: Tensor) -> Tensor:
        if self.style == "modules":
            return self.pool(self.relu(x))
        return F.max_pool2d(F.relu(x, inplace=self.style == "in place"), self.pool_size)


def failing_name(network: nn.Module, images: Tensor) -> str | None:
    """Find the failing layer with plain hooks: the one that was entered and never left."""
    entered: list[str] = []
    for name, module in network.named_modules():
        if name:
            module.register_forward_pre_hook(lambda *_, name=name: entered.append(name))
            module.register_forward_hook(lambda *_: entered.pop() and None)
    try:
        network(images)
    except RuntimeError:
        return entered[-1] if entered else "max_pool2d"
    return None


@cache
def broken_plans(count: int) -> list[tuple[int, Plan]]:
    """The first random plans that fail when they run."""
    plans = []
    for seed in range(100_000):
        rng = random.Random(seed)
        plan = Plan(rng)
        plan.break_something(rng)
        if plan.features > 0 and min(plan.channels) > 0:
            try:
                Network(plan)(plan.images())
            except RuntimeError:
                plans.append((seed, plan))
        if len(plans) == count:
            break
    return plans


def edited_network(fix: Fix, plan: Plan) -> nn.Module:
    """Make a network of this file as it stands after the edits of a fix."""
    source = apply_edits(Path(__file__).read_text("utf-8"), fix.edits)
    space = {"__name__": "edited", "__file__": __file__}
    exec(compile(source, "edited", "exec", dont_inherit=True), space)
    network: nn.Module = space["Network"](plan)
    return network


MORE = [pytest.param(start, marks=pytest.mark.slow) for start in range(40, 200, 20)]


@pytest.mark.parametrize("start", [0, 20, *MORE])
def test_broken_networks_are_explained_and_their_fixes_work(start):
    for seed, plan in broken_plans(start + 20)[start:]:
        torch.manual_seed(seed)
        images = plan.images()
        table = explain(Network(plan), images, seconds=60)
        explanation = table.explanation
        assert explanation is not None, seed
        assert explanation.name == failing_name(Network(plan), images), seed
        assert explanation.fixes, f"{seed}: {explanation}"
        for fix in explanation.fixes:
            network, mended = make_by_hand(fix, edited_network(fix, plan), images)
            assert network(mended).shape == (2, 10), f"{seed}: {fix.text}"


def explanation_of(model: nn.Module, images: Tensor) -> Explanation:
    explanation = explain(model, images).explanation
    assert explanation is not None
    return explanation


def texts(explanation: Explanation) -> list[str]:
    return [fix.text for fix in explanation.fixes]


def test_a_missing_padding_is_explained_as_a_teacher_would():
    model = LeNet5Linear()
    model.conv1 = nn.Conv2d(1, 6, kernel_size=5)
    table = trace(model, (1, 28, 28))
    assert [row.name for row in table.rows][-1] == "flatten"
    explanation = table.explanation
    assert explanation.name == "fc1"
    assert explanation.what == (
        "fc1 expects 400 features, but flatten gives (N, 256): 256 features"
    )
    assert explanation.why == "400 = 16·5·5: maps of 5×5 would fit, but 4×4 came"
    assert texts(explanation)[0] == "padding=2 in conv1"
    assert "in_features=256 in fc1" in texts(explanation)
    assert "a 32×32 input" in texts(explanation)
    assert "mat1 and mat2 shapes cannot be multiplied" in explanation.error
    assert str(explanation) in str(table)


def test_every_printed_line_of_code_is_the_fix():
    model = LeNet5Linear()
    model.conv1 = nn.Conv2d(1, 6, kernel_size=5)
    text = str(trace(model, (1, 28, 28)).explanation)
    assert "model.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)" in text
    assert "self.fc1 = nn.Linear(256, 120)" in text
    assert re.search(r"^Where: lenet.py, line \d+: self.fc1\(x\)$", text, re.M)


@pytest.mark.parametrize(
    ("images", "name", "why", "code"),
    [
        (torch.rand(1, 28, 28), "fc1", "batch axis is missing", "images.unsqueeze(0)"),
        (torch.rand(8, 28, 28), "conv1", "channel axis is missing", "images.unsqueeze(1)"),
        (torch.rand(28, 28), "conv1", "batch and a channel axis", "images[None, None]"),
        (torch.rand(8, 28, 28, 1), "conv1", "channels come last", "images.permute(0, 3, 1, 2)"),
        (
            torch.zeros(8, 1, 28, 28, dtype=torch.uint8),
            "conv1",
            "the images are uint8 and the weights float32",
            "images.float() / 255",
        ),
        (
            torch.rand(8, 1, 28, 28, dtype=torch.float64),
            "conv1",
            "the images are float64 and the weights float32",
            "images.float()",
        ),
        (
            torch.zeros(8, 28, 28, 1, dtype=torch.uint8),
            "conv1",
            "channels come last",
            "(images.float() / 255).permute(0, 3, 1, 2)",
        ),
    ],
)
def test_images_in_the_wrong_form(images, name, why, code):
    explanation = explanation_of(LeNet5Linear(), images)
    assert explanation.name == name
    assert why in explanation.why
    (fix,) = explanation.fixes
    assert fix.statements == (f"images = {code}",)
    network, mended = make_by_hand(fix, LeNet5Linear(), images)
    assert network(mended).shape[1] == 10


def test_images_for_a_network_in_half_precision():
    explanation = explanation_of(LeNet5().to(torch.bfloat16), torch.rand(2, 1, 28, 28))
    assert explanation.what == "conv1 has bfloat16 weights, but the images are float32"
    assert texts(explanation)[0].startswith("images.to(torch.bfloat16), of shape")


def test_a_scalar_has_no_batch_to_fold():
    class Loss(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1).mean().reshape(1).sum()

    assert explain(Loss(), torch.rand(4, 1, 3, 3)).explanation is None


def test_an_assertion_about_the_size_is_answered_with_the_size():
    class Particular(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            torch._assert(x.shape[-1] == 224, "Wrong image height!")
            return x.mean((2, 3))

    explanation = explanation_of(Particular(), torch.rand(2, 1, 28, 28))
    assert "Wrong image height!" in explanation.what
    assert texts(explanation) == ["a 224×224 input"]


def test_a_single_colour_image_from_a_picture_file():
    explanation = explanation_of(CifarLeNet(), torch.rand(32, 32, 3))
    assert texts(explanation)[0].startswith("images.permute(2, 0, 1).unsqueeze(0), of shape")


def test_colour_images_for_a_grey_network_and_the_reverse():
    explanation = explanation_of(LeNet5(), torch.rand(4, 3, 28, 28))
    assert explanation.what == (
        "conv1 expects 1 channel, but the images are (N, 3, 28, 28): 3 channels"
    )
    assert texts(explanation)[0] == "in_channels=3 in conv1"
    assert texts(explanation)[1].startswith("images.mean(dim=1, keepdim=True), of shape")
    explanation = explanation_of(CifarLeNet(), torch.rand(4, 1, 32, 32))
    assert any("images.expand(-1, 3, -1, -1)" in text for text in texts(explanation))


def test_an_image_smaller_than_the_kernel():
    explanation = explanation_of(LeNet5(), torch.rand(2, 1, 6, 6))
    assert explanation.name == "conv2"
    assert "kernel_size=5 is larger than the input of size 3" in explanation.what
    assert any(re.fullmatch(r"a (\d+)×\1 input", text) for text in texts(explanation))


def test_a_linear_network_fed_with_unflattened_images():
    explanation = explanation_of(nn.Sequential(nn.Linear(784, 10)), torch.rand(4, 1, 28, 28))
    assert texts(explanation)[0].startswith("images.flatten(start_dim=1), of shape")


class Viewing(nn.Module):
    """The tutorial network with `view`, whose size is up to the test."""

    def __init__(self, features: int, reshape: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.reshape = reshape
        self.fc = nn.Linear(features, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.reshape(F.max_pool2d(self.conv(x), 2)))


def test_a_wrong_view_size():
    model = Viewing(100, lambda x: x.view(x.size(0), 100))
    explanation = explanation_of(model, torch.rand(3, 1, 14, 14))
    assert explanation.name == "view"
    assert (
        "view asks for (x.size(0), 100), but max_pool2d gives (N, 4, 6, 6): 144 numbers per image"
        in (explanation.what)
    )
    assert any(re.fullmatch(r"a (12×12|13×13) input", text) for text in texts(explanation))
    assert any("in_features=144 in fc" in text for text in texts(explanation))


@pytest.mark.parametrize("number", [2, 3, 64])
def test_a_batch_folded_into_the_features_is_found_though_nothing_is_raised(number):
    model = Viewing(72, lambda x: x.view(-1, 72))
    images = torch.rand(number, 1, 14, 14)
    assert len(model(images)) == 2 * number
    explanation = explanation_of(model, images)
    assert explanation.name == "view"
    assert explanation.error == ""
    assert f"{number} images go in, but the first axis is {2 * number} afterwards" in (
        explanation.what
    )
    assert any("flatten(1) instead of view(-1, 72)" in text for text in texts(explanation))
    assert trace(model, (1, 14, 14)).explanation is not None
    assert trace(model, (1, 14, 14)).rows[-1].output_shape == (6, 10)


FORWARD = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.flat = nn.Flatten(0)
        self.fc1 = nn.Linear({features}, 120)
        self.fc2 = nn.Linear(120, 10)
    def forward(self, t):
        t = F.max_pool2d(F.relu(self.conv1(t)), 2)
        t = F.max_pool2d(F.relu(self.conv2(t)), 2)
        {flatten}
        t = F.relu(self.fc1(t))
        return self.fc2(t)
"""


def written(source: str) -> nn.Module:
    """A network from its source, which can be read back as that of a notebook cell."""
    return run_cell(source)["Net"]()


def test_an_explanation_says_where_without_naming_the_machines_folders():
    table = trace(written(FORWARD.format(flatten="", features=400)), (1, 28, 28))
    where = "line 14 of the cell: self.fc1(t)"
    assert table.explanation.where == where
    assert f"Where: {where}\n" in str(table)
    for text in (str(table), table._repr_html_(), table.to_markdown()):
        assert where in text
        assert "ipython-input" not in text


@pytest.mark.parametrize("features", [400, 5, 300])
@pytest.mark.parametrize(
    ("flatten", "fix"),
    [
        ("", "t.flatten(1) before fc1"),
        ("t = torch.flatten(t)", "t.flatten(1) instead of torch.flatten(t)"),
        ("t = t.flatten()", "flatten(1) instead of flatten()"),
        ("t = t.flatten(0, 1)", "flatten(1) instead of flatten(0, 1)"),
        ("t = t.flatten(2)", "flatten(1) instead of flatten(2)"),
        ("t = t.view(-1)", "flatten(1) instead of view(-1)"),
        ("t = t.reshape(-1)", "flatten(1) instead of reshape(-1)"),
        ("t = self.flat(t)", "start_dim=1 in flat"),
    ],
)
def test_a_forgotten_or_wrong_flatten_has_one_fix_which_flattens(flatten, fix, features):
    source = FORWARD.format(flatten=flatten, features=features)
    explanation = explanation_of(written(source), torch.rand(3, 1, 28, 28))
    assert explanation.name in ("fc1", "flatten")
    (found,) = explanation.fixes
    follower = "" if features == 400 else " and in_features=400 in fc1"
    assert found.text == fix + follower
    assert explanation.why
    assert written(apply_edits(source, found.edits))(torch.rand(3, 1, 28, 28)).shape == (3, 10)


def test_maps_whose_width_fits_a_linear_layer_by_chance_are_found_though_nothing_is_raised():
    source = FORWARD.format(flatten="", features=5)
    model = written(source)
    assert model(torch.rand(3, 1, 28, 28)).shape == (3, 16, 5, 10)
    table = trace(model, (1, 28, 28))
    assert table.explanation.what == (
        "fc1 gets maps, (N, 16, 5, 5), and works on every row of 5 pixels by itself: "
        "it gives (N, 16, 5, 120) instead of one row per image"
    )
    assert table.explanation.error == ""
    assert [row.name for row in table.rows][-1] == "fc2"
    with pytest.raises(ShapeError, match="one row per image"), explaining(model):
        F.cross_entropy(model(torch.rand(3, 1, 28, 28)), torch.zeros(3, dtype=torch.long))


def test_a_forgotten_flatten_in_a_sequential_network():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Linear(144, 10))
    explanation = explanation_of(network, torch.rand(3, 1, 14, 14))
    assert texts(explanation) == ["nn.Flatten() before model[3]"]


class AlongAnAxis(nn.Module):
    """Linear layers that work along one axis on purpose, in the manner of mixers."""

    def __init__(self, channels_last: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.fc = nn.Linear(8, 8)
        self.channels_last = channels_last

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        if self.channels_last:
            return self.fc(x.permute(0, 2, 3, 1))
        return self.fc(x).mean((2, 3))


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_linear_layer_along_one_axis_may_be_meant(channels_last):
    assert trace(AlongAnAxis(channels_last), (1, 8, 8)).explanation is None
    assert trace(nn.Linear(8, 3), (1, 8, 8)).explanation is None


def test_a_width_that_only_makes_a_product_fit_is_offered_when_nothing_else_is_found():
    model = LeNet5Linear()
    model.conv1 = nn.Conv2d(1, 6, kernel_size=5)
    assert not any("out_channels" in text for text in texts(trace(model, (1, 28, 28)).explanation))

    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3)
            self.register_buffer("weight", torch.ones(10, 288))

        def forward(self, x: Tensor) -> Tensor:
            if x.shape[1:] != (1, 14, 14) or (y := self.conv(x)).shape[2:] != (12, 12):
                raise ValueError("other sizes are not allowed")
            return F.linear(torch.flatten(F.max_pool2d(y, 2), 1), self.weight)

    assert texts(explanation_of(Fixed(), torch.rand(2, 1, 14, 14))) == ["out_channels=8 in conv"]


def test_a_residual_sum_of_different_shapes():
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
            self.conv2 = nn.Conv2d(4, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv1(x)
            return x + self.conv2(x)

    explanation = explanation_of(Residual(), torch.rand(2, 1, 8, 8))
    assert explanation.name == "add"
    assert explanation.what == (
        "x + self.conv2(x) needs the same sizes, but x is (N, 4, 8, 8) and "
        "self.conv2(x) is (N, 4, 6, 6)"
    )
    assert "padding=1 in conv2" in texts(explanation)


def test_a_wider_layer_takes_its_normalisation_along():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.Flatten()
    )
    explanation = explanation_of(network, torch.rand(2, 1, 8, 8))
    assert explanation.name == "3"
    assert "out_channels=6 in model[0] and num_features=6 in model[1]" in texts(explanation)
    assert explanation.fixes[0].lines == ["model[3] = nn.Conv2d(4, 8, kernel_size=3)"]


def test_an_error_that_is_not_about_shapes_is_passed_on_in_words():
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return self.missing(x)

    explanation = explanation_of(Broken(), torch.rand(1, 2))
    assert "AttributeError" in explanation.what
    assert explanation.fixes == ()
    assert "No single change" in str(explanation)


def test_a_network_with_two_inputs_given_one():
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y

    assert (
        "missing 1 required positional argument: 'y'" in trace(Two(), (1, 4, 4)).explanation.error
    )


def test_the_context_manager_raises_the_explanation():
    model = NarrowLeNet()
    with pytest.raises(ShapeError, match="channels come last") as caught, explaining(model):
        model(torch.rand(4, 28, 28, 1))
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert not model._forward_pre_hooks


def test_the_context_manager_catches_a_folded_batch_at_the_loss():
    model = Viewing(72, lambda x: x.view(-1, 72))
    labels = torch.zeros(4, dtype=torch.long)
    with pytest.raises(ShapeError, match="every image is split into 2 rows"), explaining(model):
        F.cross_entropy(model(torch.rand(4, 1, 14, 14)), labels)


def test_the_context_manager_leaves_other_errors_and_success_alone():
    model = NarrowLeNet()
    with explaining(model):
        assert model(torch.rand(1, 1, 28, 28)).shape == (1, 10)
    with pytest.raises(ValueError, match="Expected input batch_size"), explaining(model):
        F.cross_entropy(model(torch.rand(2, 1, 28, 28)), torch.zeros(3, dtype=torch.long))
    with pytest.raises(RuntimeError, match="before any call"), explaining(model):
        raise RuntimeError("before any call")


def test_explaining_leaves_the_model_alone():
    model = LeNet5Linear()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    explain(model, torch.rand(2, 1, 20, 20))
    torch.set_rng_state(random_state)
    explanation_of(model, torch.ones(2, 1, 20, 20))
    assert torch.equal(random_state, torch.get_rng_state())
    assert model.conv1.padding == (2, 2)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


METHODS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.fc = nn.Linear(8 * 14 * 14, 10)

    def encode(self, x):
        x = F.relu(self.conv(x))
        return F.max_pool2d(x, 2)

    def $name(self, x):
        x = self.encode(x).flatten(1)
        return self.fc(x)
"""


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("__call__", lambda net, images: net(images)),
        ("forward", lambda net, images: net.forward(images)),
        ("forward", lambda net, images: net.forward(torch.zeros(4, 3, 32, 32))),
        ("classify", lambda net, images: net.classify(images)),
    ],
)
@pytest.mark.parametrize("is_given", [True, False])
def test_a_network_is_found_however_it_is_called(name, call, is_given):
    net, images = run_cell(METHODS.replace("$name", name))["Net"](), torch.rand(4, 3, 32, 32)
    with pytest.raises(ShapeError) as caught, explaining(net if is_given else None):
        call(net, images)
    said = str(caught.value)
    assert said.startswith("fc expects 1568 features, but flatten gives (N, 1800): 1800 features")
    assert "self.fc = nn.Linear(1800, 10)" in said
    assert "a 30×30 input" in said


SILENT = """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)

    def forward(self, x):
        x = self.conv(x)
        $end

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.fc = nn.Linear(4, 2)

    def pooled(self, x):
        x = self.block(x)
        $pooledx.mean((2, 3))

    def forward(self, x):
        x = self.pooled(x)
        $forwardself.fc(x)
"""


@pytest.mark.parametrize(
    ("missing", "name", "line"),
    [
        ({"$end": "x = F.relu(x)"}, "Block.forward", "return x"),
        ({"$end": "F.relu(x)"}, "Block.forward", "return F.relu(x)"),
        ({"$end": "if self.training: return x"}, "Block.forward", "return x"),
        ({"$pooled": "x = "}, "Net.pooled", "return x"),
        ({"$forward": "x = "}, "Net.forward", "return x"),
        ({"$forward": ""}, "Net.forward", "return self.fc(x)"),
    ],
)
def test_a_missing_return_is_found_wherever_it_is(missing, name, line):
    source = SILENT
    whole = {"$end": "return x", "$pooled": "return ", "$forward": "return "}
    for mark, end in (whole | missing).items():
        source = source.replace(mark, end)
    net, images = run_cell(source)["Net"]().eval(), torch.rand(3, 1, 8, 8)
    with pytest.raises(ShapeError) as caught, explaining(net):
        net(images).argmax(1)
    said = str(caught.value)
    assert said.startswith(f"{name} reaches its end without a return")
    assert f"      {line}" in said
    explanation = explain(net, images).explanation
    assert explanation is not None
    mended = run_cell(apply_edits(source, explanation.fixes[0].edits))["Net"]().eval()
    assert mended(images).shape == (3, 2)


MASKED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        layer = nn.TransformerEncoderLayer(8, 2, 16)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x, mask):
        x = $call
        return x.mean(1)
"""


@pytest.mark.parametrize(
    ("call", "mask", "says", "line"),
    [
        (
            "self.attention(x, x, x, key_padding_mask=mask)[0]",
            (5, 3),
            "takes (3, 5, 8) for 3 sequences of 5: attn_mask has to be (5, 5), or (6, 5, 5)",
            "key_padding_mask=mask.transpose(0, 1)",
        ),
        (
            "self.attention(x, x, x, attn_mask=mask)[0]",
            (3, 5),
            "key_padding_mask (3, 5)",
            "key_padding_mask=mask)",
        ),
        (
            "self.attention(x, x, x, attn_mask=mask)[0]",
            (9, 9),
            "x is (3, 5, 8) and mask is (9, 9)",
            "mask[:x.size(1), :x.size(1)]",
        ),
        (
            "self.attention(x, x, x, attn_mask=mask)[0]",
            (3, 5, 5),
            "(6, 5, 5) with one for each head",
            "mask.repeat_interleave(2, dim=0)",
        ),
        (
            "self.encoder(x, mask=mask)",
            (5, 5),
            "has batch_first=False and takes (3, 5, 8) for 5 sequences of 3",
            "nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)",
        ),
        (
            "F.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None], mask)[:, 0]",
            (3, 5),
            "(N, 1, 5, 8)",
            "mask[:, None, None]",
        ),
    ],
)
def test_masks_are_explained_by_what_attention_takes(call, mask, says, line):
    source = MASKED.replace("$call", call)
    net, masks = run_cell(source)["Net"](), torch.zeros(mask, dtype=torch.bool)
    explanation = explain(net, (torch.rand(3, 5, 8), masks)).explanation
    assert explanation is not None
    assert says in explanation.what
    assert line in explanation.fixes[0].lines[0]
    mended = run_cell(apply_edits(source, explanation.fixes[0].edits))["Net"]()
    assert len(mended(torch.rand(3, 5, 8), masks)) == 3


@pytest.mark.parametrize(
    ("loss", "output", "target", "fix"),
    [
        (F.mse_loss, (10, 33), torch.arange(10), "F.cross_entropy(output, target)"),
        (F.mse_loss, (9, 33), torch.arange(9.0), "F.cross_entropy(output, target.long())"),
        (F.binary_cross_entropy, (5, 12), torch.rand(5, 1, 3, 4), "target.view_as(output)"),
        (F.binary_cross_entropy, (6, 1), torch.ones(16, 1), "target[:len(output)]"),
        (
            F.binary_cross_entropy,
            (4, 1, 6, 6),
            torch.ones(4, 1),
            "target[:, :, None, None].expand_as(output)",
        ),
        (F.cross_entropy, (2, 4, 8, 8), torch.ones(2, 8, 8, 3).long(), "target[..., 0]"),
        (
            F.cross_entropy,
            (3, 3),
            torch.eye(3).long().view(-1),
            "target.view_as(output).argmax(dim=1)",
        ),
    ],
)
def test_a_loss_is_mended_by_what_it_is_given(loss, output, target, fix):
    output = torch.rand(output)
    with pytest.raises(ShapeError, match=re.escape(f"  - {fix}")), explaining():
        loss(output, target)


def test_losses_of_pairs_and_of_time_are_explained():
    output, target = torch.rand(6, 4), torch.ones(6, 1)
    pairs = r"(?s)one target for each pair.*\n  - target\.squeeze\(1\)"
    with pytest.raises(ShapeError, match=pairs), explaining():
        F.cosine_embedding_loss(output, output, target)
    scores, texts = torch.rand(5, 24, 12).log_softmax(2), torch.ones(5, 6).long()
    times = r"(?s)\(T, N, C\), time first.*\n  - scores\.transpose\(0, 1\)"
    with pytest.raises(ShapeError, match=times), explaining():
        F.ctc_loss(scores, texts, torch.full((5,), 24), torch.full((5,), 6))


def test_a_broadcast_in_a_loop_is_warned_of_once_on_the_users_line():
    output = torch.rand(5, 1, requires_grad=True)
    with warnings.catch_warnings(record=True) as heard, explaining():
        warnings.simplefilter("default")
        for _ in range(3):
            loss = F.mse_loss(output, torch.zeros(5, 3))
    (warning,) = heard
    assert "takes (5, 3) with (5, 1)" in str(warning.message)
    assert Path(warning.filename) == Path(__file__)
    torch.testing.assert_close(loss, (output**2).mean())


def test_a_layer_that_another_module_calls_is_not_taken_for_the_network():
    source = METHODS.replace("$name", "forward")
    net = run_cell(source.replace("x = self.encode(x)", "x = self.encode(x); x = x"))["Net"]()
    with pytest.raises(RuntimeError) as caught, explaining():
        net.forward(*iter([torch.rand(4, 3, 32, 32)]))
    assert "model = " not in f"{caught.value}{getattr(caught.value, '__notes__', '')}"


def test_a_device_mismatch_names_both_devices():
    """Images without memory stand for those of another device on a machine without one."""
    call = Call(LeNet5(), (torch.rand(2, 1, 28, 28, device="meta"),))
    explanation = find_device_mismatch(call)
    assert explanation.what == "conv1 has its weights on cpu, but the images are on meta"
    assert find_device_mismatch(Call(LeNet5(), (torch.rand(2, 1, 28, 28),))) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_images_and_weights_on_different_devices():
    explanation = explanation_of(LeNet5().cuda(), torch.rand(2, 1, 28, 28))
    assert explanation.what == "conv1 has its weights on cuda:0, but the images are on cpu"
    assert [line for fix in explanation.fixes for line in fix.statements] == [
        'images = images.to("cuda:0")',
        'model.to("cpu")',
    ]


def test_without_flatten_and_without_padding_either_can_be_mended():
    layers = [nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2)]
    explanation = trace(nn.Sequential(*layers, nn.Linear(400, 10)), (1, 28, 28)).explanation
    assert texts(explanation) == [
        "nn.Flatten() before model[4] and in_features=256 in model[4]",
        "nn.Flatten() before model[4] and padding=2 in model[0]",
    ]
    assert explanation.why == ""


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (nn.MaxPool2d(2), "(N, C, H, W)"),
        (nn.AvgPool2d(2), "(N, C, H, W)"),
        (nn.BatchNorm2d(6), "(N, 6, H, W)"),
        (nn.ConvTranspose2d(6, 1, 2), "(N, 6, H, W)"),
    ],
)
def test_layers_for_maps_say_what_they_expect_behind_a_flatten(layer, wanted):
    network = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Flatten(), layer)
    explanation = trace(network, (1, 28, 28)).explanation
    assert explanation.what == (
        f"model[2] expects the shape {wanted}, but model[1] gives (N, 3456)"
    )


def test_no_image_is_cut_off_for_a_state_of_a_smaller_batch():
    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.of_input, self.of_state = nn.Linear(4, 5), nn.Linear(5, 5)

        def forward(self, x, state):
            return torch.tanh(self.of_input(x) + self.of_state(state))

    explanation = explain(Cell(), (torch.rand(6, 4), torch.rand(4, 5))).explanation
    assert "their first axes differ" in explanation.what
    assert explanation.fixes == ()


def test_what_is_viewed_in_five_axes_is_not_called_flattened():
    class Detector(nn.Module):
        def forward(self, x):
            return x.view(x.size(0), 3, 85, 13, 13)

    explanation = explain(Detector(), torch.rand(2, 75, 13, 13)).explanation
    assert "flattened" not in str(explanation)


def test_of_a_loss_that_fails_nothing_is_warned(recwarn):
    with pytest.raises(ShapeError), explaining():
        F.mse_loss(torch.rand(3, 2), torch.rand(4, 5))
    assert not recwarn.list
