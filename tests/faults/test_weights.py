"""Weights that two layers share are saved and come back."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from lenet.models import load_weights, save_weights


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight


def test_shared_weights_come_back_shared(tmp_path: Path) -> None:
    path = tmp_path / "tied.safetensors"
    saved, loaded = Tied(), Tied()
    save_weights(saved, path)
    load_weights(loaded, path)
    assert loaded.second.weight is loaded.first.weight
    for name, tensor in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
