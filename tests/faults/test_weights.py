"""Files of weights and checkpoints: damage is noticed, equal is equal, nothing waits for ever."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file
from torch import nn

from lenet.data import ImageData
from lenet.models import WEIGHTS, LeNet5, NarrowLeNet, load_weights, read_card, save_weights
from lenet.models.weights import pack, unpack
from lenet.train import Settings, checkpoint
from lenet.train.checkpoint import CheckpointError

SHIPPED = WEIGHTS / "lenet5_mnist.safetensors"
EPOCHS = Settings(epochs=3, batch_size=500, device="cpu")


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def test_shared_weights_come_back_shared(tmp_path: Path) -> None:
    path = tmp_path / "tied.safetensors"
    saved, loaded = Tied(), Tied()
    save_weights(saved, path)
    load_weights(loaded, path)
    assert loaded.second.weight is loaded.first.weight
    for name, tensor in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


# ---------------------------------------------------------------------------- damage


@pytest.mark.parametrize("share", range(48))
def test_a_flipped_byte_is_noticed_and_the_file_named(share: int, tmp_path: Path) -> None:
    """In the header, where most is read, and anywhere."""
    content = bytearray(SHIPPED.read_bytes())
    end = len(content) if share % 2 else 8 + int.from_bytes(content[:8], "little")
    content[share * (end - 1) // 47] ^= 1 << share % 8
    path = tmp_path / "flipped.safetensors"
    path.write_bytes(content)
    for read in (lambda: load_weights(LeNet5(), path), lambda: read_card(path)):
        with pytest.raises(ValueError, match=r"flipped\.safetensors is "):
            read()


@pytest.mark.parametrize("share", range(12))
def test_a_truncated_file_is_named(share: int, tmp_path: Path) -> None:
    content = SHIPPED.read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(content[: share * len(content) // 12])
    with pytest.raises(ValueError, match=r"cut\.safetensors is not a whole safetensors file"):
        load_weights(LeNet5(), path)


def with_header(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


FOREIGN = {
    "nothing": b"",
    "text": b"no weights at all, but a text",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "pickle": b"\x80\x04\x95cos\nsystem\n.",
    "nested lists": with_header(b'{"__metadata__":' + 100_000 * b"[" + b"}"),
    "nested maps": with_header(100_000 * b'{"a":'),
    "endless header": (2**63).to_bytes(8, "little") + b"{}",
    "list": with_header(b"[]"),
    "number": with_header(b"3"),
    "metadata of numbers": with_header(b'{"__metadata__":{"checksum":3}}'),
    "no UTF-8": with_header(b'{"\xff":3}'),
    "overlapping tensors": with_header(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    )
    + bytes(4),
    "too large a shape": with_header(
        b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_another_file_is_refused_as_weights_and_as_a_checkpoint(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FOREIGN[kind])
    with pytest.raises(ValueError, match="is not a whole safetensors file"):
        load_weights(LeNet5(), path)
    with pytest.raises(CheckpointError, match="is damaged, or no checkpoint"):
        checkpoint.read(path)


CONTENTS = {
    "no content": {},
    "nested content": {"checkpoint": 100_000 * "["},
    "a number": {"checkpoint": "3"},
    "no format": {"checkpoint": "{}"},
    "no JSON": {"checkpoint": "{"},
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_whole_file_without_a_training_is_no_checkpoint(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack({}, CONTENTS[kind]))
    with pytest.raises(CheckpointError, match="is damaged, or no checkpoint"):
        checkpoint.read(path)


def test_nested_json_on_a_card_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack({}, {"network": 100_000 * "["}))
    with pytest.raises(ValueError, match="does not say which network"):
        read_card(path)


READERS: dict[str, Callable[[Path], object]] = {
    "weights": lambda path: load_weights(LeNet5(), path),
    "card": read_card,
    "checkpoint": checkpoint.read,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_a_device_a_folder_and_nothing_are_refused(reader: str, tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (pipe, loop, Path("/dev/zero"), tmp_path, tmp_path / "nowhere"):
        with pytest.raises(OSError, match=re.escape(str(path))):
            READERS[reader](path)


# ---------------------------------------------------------------------------- older files


def test_weights_without_a_checksum_are_loaded(tmp_path: Path) -> None:
    """As older versions and other programs write them."""
    saved, loaded = NarrowLeNet(), NarrowLeNet()
    save_file(saved.state_dict(), tmp_path / "old", {"made": "elsewhere"})
    load_weights(loaded, tmp_path / "old")
    for name, tensor in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_a_checksum_cannot_be_left_out_of_a_file_of_ours(tmp_path: Path) -> None:
    tensors, metadata = unpack(SHIPPED)
    (tmp_path / "bare").write_bytes(save(tensors, metadata | {"lenet": "0.1.0"}))
    with pytest.raises(ValueError, match="its checksum does not fit"):
        load_weights(LeNet5(), tmp_path / "bare")


# ---------------------------------------------------------------------------- equal trainings


TRAIN = "train mnist --network NarrowLeNet --epochs 1 --batch-size 500 --device cpu --seed 5"


def test_equal_trainings_write_equal_bytes(tmp_path: Path) -> None:
    """In two processes, with other seeds of Python's own hashes."""
    folders = tmp_path / "first", tmp_path / "second"
    for number, folder in enumerate(folders):
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "lenet", *TRAIN.split(), "--save", "w", "--checkpoint", "c"],
            cwd=folder,
            env=os.environ | {"LENET_OFFLINE": "1", "PYTHONHASHSEED": str(number)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    first, second = folders
    assert (first / "w").read_bytes() == (second / "w").read_bytes()
    parts = [checkpoint.read(folder / "c") for folder in folders]
    for _, content in parts:
        for epoch in content["history"]:
            assert epoch.pop("seconds") > 0  # measured: all that differs
    packed = [pack(tensors, {"content": json.dumps(content)}) for tensors, content in parts]
    assert packed[0] == packed[1]


# ---------------------------------------------------------------------------- the one before


@pytest.fixture
def kept(digits: ImageData, tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    checkpoint.fit(network(), digits, EPOCHS, path, progress=False)
    return path


def num_epochs(path: Path) -> int:
    return len(checkpoint.read(path)[1]["history"])


def test_the_last_two_checkpoints_are_kept(kept: Path) -> None:
    assert (num_epochs(kept), num_epochs(checkpoint.previous(kept))) == (3, 2)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_where_one_is_damaged_the_training_goes_on_from_the_one_before(
    damage: str, kept: Path, digits: ImageData
) -> None:
    whole = kept.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    kept.write_bytes({"flipped": flipped, "cut": whole[:-9], "empty": b""}[damage])
    resumed = network()
    with pytest.warns(UserWarning, match=r"kept is damaged: going on from .*kept\.previous"):
        history = checkpoint.fit(resumed, digits, EPOCHS, kept, progress=False)
    assert [epoch.number for epoch in history.epochs] == [1, 2, 3]
    assert (num_epochs(kept), num_epochs(checkpoint.previous(kept))) == (3, 2), "both are whole"
    expected = network()
    checkpoint.fit(expected, digits, EPOCHS, kept.with_name("whole"), progress=False)
    assert all(map(torch.equal, resumed.parameters(), expected.parameters()))


def test_where_both_are_damaged_the_newer_is_named(kept: Path, digits: ImageData) -> None:
    for path in (kept, checkpoint.previous(kept)):
        path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=r"kept is damaged, or no checkpoint"):
        checkpoint.fit(network(), digits, EPOCHS, kept, progress=False)


def test_a_place_for_the_one_before_is_asked_for_before_training(
    tmp_path: Path, digits: ImageData
) -> None:
    (tmp_path / "new.previous").mkdir()
    with pytest.raises(OSError, match="a folder is there"):
        checkpoint.fit(network(), digits, EPOCHS, tmp_path / "new", progress=False)
    assert not (tmp_path / "new").exists()
