"""A saved network says what it is for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lenet.models import NarrowLeNet, load_weights, save_weights
from lenet.models.weights import ModelCard, read_card, save_trained

CARD = ModelCard(
    network="NarrowLeNet",
    dataset="fashion-mnist",
    source="Fashion-MNIST, the published files",
    classes=("T-shirt/top", "Kleid"),
    image_shape=(1, 28, 28),
    mean=(0.1307,),
    std=(0.1 + 0.2,),
    accuracy=8774 / 10_000,
)


def test_card_and_weights_survive_a_round_trip(tmp_path):
    path = tmp_path / "narrow.safetensors"
    card = replace(CARD, source="Ordner „Äpfel“")
    model, other = NarrowLeNet(), NarrowLeNet()
    save_trained(model, path, card)
    load_weights(other, path)
    assert all(map(torch.equal, model.parameters(), other.parameters()))
    assert read_card(path) == card


def test_weights_without_a_card_are_told_from_damaged_files(tmp_path):
    path = tmp_path / "narrow.safetensors"
    save_weights(NarrowLeNet(), path)
    with pytest.raises(ValueError, match="does not say which network"):
        read_card(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        read_card(path)
    with pytest.raises(FileNotFoundError):
        read_card(tmp_path / "nowhere.safetensors")
