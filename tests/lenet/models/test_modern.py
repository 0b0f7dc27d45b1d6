"""The networks after LeNet: parameters, shapes, and what batch norm and shortcuts do."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torchvision.models.resnet import BasicBlock

from lenet.commands import book_networks
from lenet.models import CifarLeNet
from lenet.models.modern import CifarLeNetBN, ResidualBlock, SmallAlexNet, SmallResNet
from lenet.shapes import trace

NETWORKS = (CifarLeNetBN, SmallAlexNet, SmallResNet)


@pytest.mark.parametrize(
    ("network", "num_parameters", "num_macs"),
    [
        (CifarLeNetBN, 62_232, 651_720),
        (SmallAlexNet, 1_790_154, 16_272_384),
        (SmallResNet, 694_138, 28_055_424),
    ],
)
def test_parameters_and_cost(network, num_parameters, num_macs):
    table = trace(network(), (3, 32, 32))
    assert table.num_parameters == num_parameters
    assert table.num_macs == num_macs


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("num_classes", [3, 10])
def test_gives_one_logit_per_class_and_image(network, num_classes):
    assert network(num_classes)(torch.zeros(2, 3, 32, 32)).shape == (2, num_classes)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_parameter_takes_part(network):
    torch.manual_seed(0)
    model = network()
    F.cross_entropy(model(torch.randn(8, 3, 32, 32)), torch.arange(8)).backward()
    assert [name for name, p in model.named_parameters() if not p.grad.any()] == []


@pytest.mark.parametrize("network", NETWORKS)
def test_an_image_is_judged_apart_from_its_batch(network):
    torch.manual_seed(0)
    model = network().eval()
    images = torch.randn(4, 3, 32, 32)
    alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(model(images), alone, rtol=1e-4, atol=1e-5)


def test_memory_format_changes_nothing_but_speed():
    torch.manual_seed(0)
    model, images = SmallResNet().eval(), torch.randn(4, 3, 32, 32)
    before = model(images)
    after = model.to(memory_format=torch.channels_last)(images)
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-5)


def test_a_norm_that_does_nothing_leaves_the_lenet():
    """With mean 0, variance 1 - eps, weight 1 and bias 0, batch norm is the identity."""
    torch.manual_seed(0)
    plain, normed = CifarLeNet(), CifarLeNetBN().eval()
    for name in ("conv1", "conv2", "fc1", "fc2"):
        getattr(plain, name).bias.data.zero_()
    weights = {k: v for k, v in plain.state_dict().items() if k in normed.state_dict()}
    normed.load_state_dict(weights, strict=False)
    for norm in (normed.bn1, normed.bn2, normed.bn3, normed.bn4):
        norm.running_var.fill_(1 - norm.eps)
    images = torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(normed(images), plain(images))


@pytest.mark.parametrize(("in_channels", "out_channels", "stride"), [(8, 8, 1), (8, 16, 2)])
def test_the_block_is_torchvisions(in_channels, out_channels, stride):
    torch.manual_seed(0)
    block = ResidualBlock(in_channels, out_channels, stride)
    same_shape = stride == 1 and in_channels == out_channels
    theirs = BasicBlock(in_channels, out_channels, stride, None if same_shape else block.shortcut)
    theirs.load_state_dict(
        {name.replace("shortcut", "downsample"): t for name, t in block.state_dict().items()}
    )
    images = torch.randn(4, in_channels, 9, 9)
    torch.testing.assert_close(block(images), theirs(images))


def test_the_resnet_accepts_other_sizes():
    assert SmallResNet()(torch.zeros(2, 3, 48, 40)).shape == (2, 10)


def test_the_command_line_knows_the_networks_and_not_their_parts():
    names = book_networks()
    assert {network.__name__ for network in NETWORKS} <= set(names)
    assert "ResidualBlock" not in names
