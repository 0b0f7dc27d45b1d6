"""The network of 1998 against the numbers of its paper and against formulas written out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from lenet.data import load, normalise
from lenet.models import LeNet5_1998
from lenet.models.lenet1998 import (
    AMPLITUDE,
    BACKGROUND,
    INK,
    PIXEL_MEAN,
    PIXEL_STD,
    EuclideanRBF,
    SparseConv2d,
    Subsampling,
    class_bitmaps,
    connection_table,
    discriminative_loss,
    mean_squared_error,
    squash,
)
from lenet.shapes import trace
from lenet.tracing import record
from lenet.train import Settings, fit

PARAMETERS = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 0}
SHAPES = {
    "c1": (6, 28, 28),
    "s2": (6, 14, 14),
    "c3": (16, 10, 10),
    "s4": (16, 5, 5),
    "c5": (120, 1, 1),
    "f6": (84,),
    "output": (10,),
}
CONNECTIONS = {
    "c1": 122_304,
    "s2": 5880,
    "c3": 151_600,
    "s4": 2000,
    "c5": 48_120,
    "f6": 10_164,
    "output": 840,
}


@pytest.fixture
def model() -> LeNet5_1998:
    torch.manual_seed(0)
    return LeNet5_1998()


def output_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Run the network and note what every layer gives for one image."""
    shapes = {}
    for name, layer in model.named_children():
        layer.register_forward_hook(
            lambda _, inputs, output, name=name: shapes.update({name: tuple(output.shape[1:])})
        )
    model(torch.zeros(2, 1, 32, 32))
    return shapes


def test_every_layer_has_the_papers_parameters(model):
    counted = {
        name: sum(parameter.numel() for parameter in layer.parameters())
        for name, layer in model.named_children()
    }
    assert counted == PARAMETERS
    assert sum(counted.values()) == 60_000
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_every_layer_has_the_papers_shape(model):
    assert output_shapes(model) == SHAPES


def test_every_layer_has_the_papers_connections(model):
    """A unit is connected to each of its inputs and, but for the output, to a bias."""
    shapes = output_shapes(model)
    inputs = {
        "c1": [25] * 6,
        "s2": [4] * 6,
        "c3": [25 * int(number) for number in model.c3.places[:, :, 0, 0].sum(dim=1)],
        "s4": [4] * 16,
        "c5": [model.c5.weight[0].numel()] * 120,
        "f6": [model.f6.in_features] * 84,
    }
    counted = {
        name: sum((number + 1) * math.prod(shapes[name][1:]) for number in numbers)
        for name, numbers in inputs.items()
    }
    counted["output"] = model.output.centres.numel()
    assert counted == CONNECTIONS
    assert sum(counted.values()) == 340_908


def test_the_table_is_the_papers():
    table = connection_table()
    assert table.shape == (16, 6)
    assert table.sum(dim=1).tolist() == [3] * 6 + [4] * 9 + [6]  # inputs of each map of C3
    assert table.sum(dim=0).tolist() == [10] * 6  # maps of C3 that look at each map of S2
    assert len({tuple(row) for row in table.tolist()}) == 16
    around = torch.cat([table, table[:, :1]], dim=1)  # the maps of S2 in a ring
    runs = (around[:, 1:] & ~around[:, :-1]).sum(dim=1)
    assert runs[:12].tolist() == [1] * 12  # contiguous subsets ...
    assert runs[12:15].tolist() == [2] * 3  # ... and discontinuous ones


def test_sparse_convolution_equals_one_convolution_for_each_map():
    torch.manual_seed(0)
    table = connection_table()
    layer = SparseConv2d(table, kernel_size=5)
    maps = torch.randn(3, 6, 14, 14)
    kernels = iter(layer.kernels)
    expected = []
    for seen, bias in zip(table, layer.bias, strict=True):
        single = nn.Conv2d(int(seen.sum()), 1, kernel_size=5)
        single.weight.data = torch.stack([next(kernels) for _ in range(int(seen.sum()))])[None]
        single.bias.data = bias[None]
        expected.append(single(maps[:, seen]))
    torch.testing.assert_close(layer(maps), torch.cat(expected, dim=1), rtol=1e-4, atol=1e-6)


def test_a_map_of_c3_is_blind_to_the_others(model):
    table, maps = connection_table(), torch.randn(1, 6, 14, 14)
    for source in range(6):
        changed = maps.clone()
        changed[:, source] += 1
        moved = (model.c3(changed) - model.c3(maps)).abs().amax(dim=(0, 2, 3)) > 1e-4
        assert torch.equal(moved, table[:, source])


def test_subsampling_adds_four_numbers():
    layer = Subsampling(2)
    layer.coefficient.data = torch.tensor([0.5, -2.0]).reshape(2, 1, 1)
    layer.bias.data = torch.tensor([1.0, 10.0]).reshape(2, 1, 1)
    maps = torch.arange(16.0).reshape(1, 1, 4, 4).expand(1, 2, 4, 4)
    sums = torch.tensor([[0 + 1 + 4 + 5, 2 + 3 + 6 + 7], [8 + 9 + 12 + 13, 10 + 11 + 14 + 15.0]])
    expected = torch.stack([0.5 * sums + 1, -2 * sums + 10])[None]
    torch.testing.assert_close(layer(maps), expected)


def test_squashing_maps_one_to_one_and_bends_most_there():
    ends = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(squash(ends), ends, rtol=0, atol=1e-4)
    assert squash(torch.tensor(100.0)) == pytest.approx(AMPLITUDE)
    sums = torch.linspace(0, 3, 3001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(squash(sums).sum(), sums, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), sums)
    assert sums[bend.abs().argmax()].item() == pytest.approx(1, abs=0.02)


def test_outputs_are_the_distances_one_by_one():
    torch.manual_seed(0)
    centres = class_bitmaps().flatten(start_dim=1)
    x = torch.randn(4, 84)
    expected = [[sum((a - b) ** 2 for a, b in zip(f, c, strict=True)) for c in centres] for f in x]
    torch.testing.assert_close(EuclideanRBF(centres)(x), torch.tensor(expected))
    torch.testing.assert_close(EuclideanRBF(centres)(x), torch.cdist(x, centres).square())


def test_the_centres_are_fixed_and_far_apart(model):
    bitmaps = class_bitmaps()
    assert bitmaps.shape == (10, 12, 7)
    assert set(bitmaps.unique().tolist()) == {-1.0, 1.0}
    different = (bitmaps.flatten(1)[:, None] != bitmaps.flatten(1)).sum(dim=2)
    assert different[~torch.eye(10, dtype=torch.bool)].min() >= 3
    assert torch.equal(model.output.centres, bitmaps.flatten(1))
    assert "output.centres" not in dict(model.named_parameters())
    distances = -model.output(bitmaps.flatten(1))
    assert distances.argmax(dim=1).tolist() == list(range(10))


def test_a_perfect_f6_has_logit_zero(model):
    assert model.output(class_bitmaps().flatten(1)).diagonal().tolist() == [0.0] * 10
    logits = model(torch.rand(5, 1, 32, 32))
    assert (logits < 0).all()


def test_weights_start_within_the_papers_limits():
    torch.manual_seed(0)
    model = LeNet5_1998()
    fan_in = torch.tensor([25 * len(inputs) for inputs in model_inputs()])
    limits = {
        "c1": 2.4 / 25,
        "s2": 2.4 / 4,
        "s4": 2.4 / 4,
        "c5": 2.4 / 400,
        "f6": 2.4 / 120,
    }
    for name, limit in limits.items():
        for parameter in getattr(model, name).parameters():
            assert parameter.abs().max() <= limit
        weight = next(getattr(model, name).parameters())
        assert weight.abs().max() > 0.5 * limit
    assert (model.c3.bias.abs() <= 2.4 / fan_in).all()
    per_kernel = torch.cat([torch.full((int(n) // 25,), 2.4 / int(n)) for n in fan_in])
    largest = model.c3.kernels.abs().amax(dim=(1, 2))
    assert (largest <= per_kernel).all()
    assert (largest > 0.5 * per_kernel).all()


def model_inputs() -> list[list[int]]:
    return [row.nonzero().flatten().tolist() for row in connection_table()]


def test_pixels_run_from_the_papers_background_to_its_ink():
    images = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 1, 2)
    found = normalise(images, PIXEL_MEAN, PIXEL_STD).flatten()
    torch.testing.assert_close(found, torch.tensor([BACKGROUND, INK]))


def test_both_losses_are_the_papers_formulas():
    torch.manual_seed(0)
    distances = torch.rand(7, 10, dtype=torch.float64) * 20
    labels = torch.randint(10, (7,))
    right = [float(y[label]) for y, label in zip(distances, labels, strict=True)]
    assert mean_squared_error(-distances, labels).item() == pytest.approx(sum(right) / 7)
    for j in (0.5, 10.0):
        terms = [
            r + math.log(math.exp(-j) + sum(math.exp(-d) for d in y.tolist()))
            for r, y in zip(right, distances, strict=True)
        ]
        assert all(term >= 0 for term in terms)
        found = discriminative_loss(-distances, labels, j=j).item()
        assert found == pytest.approx(sum(terms) / 7)


def test_without_its_constant_the_second_loss_is_cross_entropy():
    logits, labels = -torch.rand(6, 10) * 20, torch.arange(6)
    torch.testing.assert_close(
        discriminative_loss(logits, labels, j=1e6), nn.functional.cross_entropy(logits, labels)
    )


def test_far_away_wrong_classes_are_hardly_pushed():
    distances = torch.tensor([[1.0, 5.0, 40.0]], requires_grad=True)
    discriminative_loss(-distances, torch.tensor([0]), j=10.0).backward()
    pushes = -distances.grad[0]
    assert pushes[0] < 0 < pushes[1]
    assert 0 <= pushes[2] < 1e-6


@pytest.mark.parametrize("loss", [mean_squared_error, discriminative_loss])
def test_one_batch_can_be_learned(model, loss):
    torch.manual_seed(0)
    images, labels = (
        torch.rand(20, 1, 32, 32) * (INK - BACKGROUND) + BACKGROUND,
        torch.arange(20) % 10,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    before = loss(model(images), labels).item()
    for _ in range(150):
        optimizer.zero_grad()
        loss(model(images), labels).backward()
        optimizer.step()
    assert loss(model(images), labels) < 0.1 * before
    assert model(images).argmax(dim=1).eq(labels).all()


def test_it_can_be_traced(model):
    table = trace(model, (1, 32, 32))
    assert table.explanation is None
    assert table.num_parameters == 60_000
    fields = {row.receptive_field[0] for row in table.rows if row.receptive_field}
    assert fields == {5, 6, 14, 16, 32}
    assert record(model, torch.zeros(2, 1, 32, 32))[-1].output_shape == (2, 10)


def test_a_28_pixel_image_is_explained(model):
    assert trace(model, (1, 28, 28)).explanation is not None


def test_the_books_loop_trains_it_with_its_own_loss():
    data = load("mnist")
    data = replace(data, train=data.train[:100], test=data.test[:50])
    data = replace(data.pad(2), mean=PIXEL_MEAN, std=PIXEL_STD)
    torch.manual_seed(0)
    model = LeNet5_1998()
    images, labels = next(iter(data.batches("test", 50)))
    settings = Settings(epochs=1, batch_size=20, lr=0.001, loss_function=mean_squared_error)
    history = fit(model, data, settings, progress=False)
    expected = mean_squared_error(model(images), labels).item()
    assert history.epochs[0].test.loss == pytest.approx(expected, rel=1e-5)
