"""Every classification network of torchvision traces to the right output and parameters.

It builds 80 networks, the largest with 645 million parameters, and takes up to 8 GB of memory.
"""

from __future__ import annotations

import gc

import pytest
from torch import nn
from torchvision import models

from lenet.shapes import trace

pytestmark = pytest.mark.slow

NAMES = models.list_models(module=models)
# These were published for larger images than they are built for, or take minutes at that size.
AT_224 = ("vit", "regnet_y_128gf")


def build(name: str) -> nn.Module:
    """Build a network with random weights, and without slow ones where that can be chosen."""
    settings = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **settings)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_torchvision(name: str):
    """Parameters are compared with the network's own, multiplications with torchvision's pages."""
    published = models.get_model_weights(name).DEFAULT
    published_size = published.transforms.keywords["crop_size"]
    size = 224 if name.startswith(AT_224) else published_size
    model = build(name)
    table = trace(model, (3, size, size))
    assert table.explanation is None
    assert table.rows[-1].output_shape == ("N", 1000)
    assert table.num_parameters == sum(p.numel() for p in model.parameters())
    if size == published_size:
        assert table.num_macs / 1e9 == pytest.approx(published.meta["_ops"], abs=0.0006)
        used = table.num_parameters - table.num_unused_parameters  # without training's extras
        assert published.meta["num_params"] in (used, table.num_parameters)
    del model, table
    gc.collect()
