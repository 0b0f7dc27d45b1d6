"""The networks' parameters, shapes and files."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from lenet.models import (
    CifarLeNet,
    LeNet5,
    LeNet5Linear,
    NarrowLeNet,
    load_weights,
    save_weights,
)


@pytest.mark.parametrize(
    ("network", "input_shape", "num_parameters"),
    [
        (NarrowLeNet, (1, 28, 28), 32_998),
        (LeNet5, (1, 28, 28), 61_706),
        (LeNet5Linear, (1, 28, 28), 61_706),
        (CifarLeNet, (3, 32, 32), 62_006),
    ],
)
def test_parameters_and_output(network, input_shape, num_parameters):
    model = network()
    assert sum(parameter.numel() for parameter in model.parameters()) == num_parameters
    logits = model(torch.zeros(4, *input_shape))
    assert logits.shape == (4, 10)
    assert not torch.allclose(logits.exp().sum(dim=1), torch.ones(4))  # logits, not probabilities


def test_both_forms_of_c5_are_the_same_function():
    torch.manual_seed(0)
    convolution, linear = LeNet5(), LeNet5Linear()
    weights = convolution.state_dict()
    weights["fc3.weight"], weights["fc3.bias"] = weights.pop("fc2.weight"), weights.pop("fc2.bias")
    weights["fc2.weight"], weights["fc2.bias"] = weights.pop("fc1.weight"), weights.pop("fc1.bias")
    weights["fc1.weight"] = weights.pop("conv3.weight").flatten(1)
    weights["fc1.bias"] = weights.pop("conv3.bias")
    linear.load_state_dict(weights)
    images = torch.randn(8, 1, 28, 28)
    torch.testing.assert_close(convolution(images), linear(images))


def test_weights_survive_a_round_trip(tmp_path):
    path = tmp_path / "narrow.safetensors"
    model, other = NarrowLeNet(), NarrowLeNet()
    save_weights(model, path)
    load_weights(other, path)
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True)
    )
    assert load_file(path)["conv1.weight"].shape == (6, 1, 5, 5)
    assert [file.name for file in tmp_path.iterdir()] == ["narrow.safetensors"]


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "narrow.safetensors"
    save_weights(NarrowLeNet(), path)
    model = LeNet5()
    before = model.conv1.weight.clone()
    with pytest.raises(ValueError, match=r"another network than LeNet5: 'conv2.bias'"):
        load_weights(model, path)
    assert torch.equal(model.conv1.weight, before)


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "narrow.safetensors"
    save_weights(NarrowLeNet(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load_weights(NarrowLeNet(), path)
    with pytest.raises(FileNotFoundError):
        load_weights(NarrowLeNet(), tmp_path / "nowhere.safetensors")
