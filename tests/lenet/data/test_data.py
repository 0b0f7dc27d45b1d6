"""Loaders against files written by hand in the published formats, batches against the pixels."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import pickle
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import datasets
from torchvision.transforms import v2

from lenet.data import (
    Batches,
    DataError,
    LabelledImages,
    channel_statistics,
    data_root,
    dataset,
    finding,
    load,
    normalise,
)
from lenet.data.loading import IMAGES_AT_ONCE

IDX_NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
FOLDERS = {"fashion-mnist": "FashionMNIST/raw", "mnist": "MNIST/raw"}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    for name in ("LENET_DATA", "LENET_OFFLINE", "LENET_REQUIRE_REAL"):
        monkeypatch.delenv(name, raising=False)
    finding._notice.cache_clear()


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_idx(root: Path, name: str = "fashion-mnist", num_train: int = 40, num_test: int = 20):
    """Write a small data set in the IDX format; return its arrays by split."""
    rng = np.random.default_rng(1)
    folder = root / FOLDERS[name]
    folder.mkdir(parents=True)
    arrays = {}
    for split, num in (("train", num_train), ("test", num_test)):
        images = rng.integers(0, 256, (num, 28, 28), dtype=np.uint8)
        labels = (np.arange(num) % 10).astype(np.uint8)
        for file, array in zip(IDX_NAMES[split], (images, labels), strict=True):
            (folder / file).write_bytes(idx_bytes(array))
        arrays[split] = (images, labels)
    return arrays


class Python2Pickler(pickle._Pickler):
    """Writes strings and bytes as Python 2 did, which made the published CIFAR-10 files."""

    dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012

    def save_text(self, text):
        raw = text.encode("latin1") if isinstance(text, str) else text
        self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(text)

    dispatch[str] = save_text
    dispatch[bytes] = save_text


def write_python2_pickle(file: Path, content: object) -> None:
    with file.open("wb") as stream:
        Python2Pickler(stream, protocol=2).dump(content)


def write_cifar(root: Path, per_batch: int = 10):
    """Write a small CIFAR-10 as Python 2 would have; return the rows by file."""
    rng = np.random.default_rng(2)
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rows = {}
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        rows[name] = rng.integers(0, 256, (per_batch, 3072), dtype=np.uint8)
        labels = [int(i) % 10 for i in range(per_batch)]
        content = {"batch_label": name, "labels": labels, "data": rows[name]}
        write_python2_pickle(folder / name, content)
    meta = {"label_names": [f"class {i}" for i in range(10)], "num_vis": 3072}
    write_python2_pickle(folder / "batches.meta", meta)
    return rows


# ------------------------------------------------------------------ files written by hand


@pytest.mark.parametrize("name", ["fashion-mnist", "mnist"])
def test_idx_files_are_read_pixel_for_pixel(tmp_path, capsys, name):
    arrays = write_idx(tmp_path, name)
    data = load(name, tmp_path)
    for split in ("train", "test"):
        images, labels = arrays[split]
        loaded = getattr(data, split)
        assert loaded.images.shape == (len(images), 1, 28, 28)
        assert np.array_equal(loaded.images[:, 0].numpy(), images)
        assert np.array_equal(loaded.labels.numpy(), labels)
    assert len(data.classes) == 10
    assert "differs from the published files" in data.source
    assert "another checksum" in capsys.readouterr().out


def test_cifar_files_are_read_pixel_for_pixel(tmp_path):
    rows = write_cifar(tmp_path)
    data = load("cifar-10", tmp_path)
    train = np.concatenate([rows[f"data_batch_{i}"] for i in range(1, 6)])
    assert np.array_equal(data.train.images.numpy().reshape(50, 3072), train)
    assert np.array_equal(data.test.images.numpy().reshape(10, 3072), rows["test_batch"])
    assert data.classes == tuple(f"class {i}" for i in range(10))
    image, label = dataset("cifar-10", train=False, root=tmp_path)[3]
    assert image.size == (32, 32)
    assert label == 3


def test_files_with_the_published_checksum_are_called_published(tmp_path, monkeypatch, capsys):
    write_idx(tmp_path)
    folder = tmp_path / FOLDERS["fashion-mnist"]
    for file in folder.iterdir():
        checksum = hashlib.md5(file.read_bytes()).hexdigest()
        monkeypatch.setitem(finding.PUBLISHED["fashion-mnist"].md5, file.name, checksum)
    assert load("fashion-mnist", tmp_path).source == "Fashion-MNIST, the published files"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("file", "change", "complaint"),
    [
        ("train-images-idx3-ubyte", lambda b: b[:-5], "announces"),
        ("t10k-labels-idx1-ubyte", lambda b: b + b"\0", "announces"),
        ("train-labels-idx1-ubyte", lambda b: b"PK" + b[2:], "does not begin like"),
        ("train-labels-idx1-ubyte", lambda b: b[:6], "does not begin like"),
        ("train-labels-idx1-ubyte", lambda b: b[:-1] + b"\x0c", "label 12"),
        ("t10k-labels-idx1-ubyte", lambda b: idx_bytes(np.zeros(3, np.uint8)), "3 labels for 20"),
        ("t10k-labels-idx1-ubyte", lambda b: idx_bytes(np.zeros(0, np.uint8)), "no element"),
        ("t10k-images-idx3-ubyte", lambda b: idx_bytes(np.zeros((20, 5, 5), np.uint8)), "28×28"),
    ],
)
def test_a_damaged_idx_file_is_refused_by_name(tmp_path, file, change, complaint):
    write_idx(tmp_path)
    path = tmp_path / FOLDERS["fashion-mnist"] / file
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=complaint) as caught:
        load("fashion-mnist", tmp_path)
    assert str(path) in str(caught.value)
    assert "Delete" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"not a pickle",
        pickle.dumps([1, 2]),
        pickle.dumps({"data": np.zeros((10, 3072)), "labels": [0] * 10}),
        pickle.dumps({"data": np.zeros((10, 99), np.uint8), "labels": [0] * 10}),
        pickle.dumps({"data": np.zeros((10, 3072), np.uint8), "labels": [0] * 9}),
        pickle.dumps({"data": np.zeros((10, 3072), np.uint8), "labels": [10] * 10}),
        pickle.dumps({"data": np.zeros((10, 3072), np.uint8), "labels": [0] * 10})[:-40],
    ],
)
def test_a_damaged_cifar_batch_is_refused_by_name(tmp_path, content):
    write_cifar(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(content)
    with pytest.raises(DataError, match="data_batch_3 is damaged"):
        load("cifar-10", tmp_path)


class Command:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_cannot_run_code(tmp_path):
    write_cifar(tmp_path)
    trap = tmp_path / "trap"
    batch = tmp_path / "cifar-10-batches-py" / "test_batch"
    batch.write_bytes(pickle.dumps({"data": Command(trap), "labels": []}))
    with pytest.raises(DataError, match="has no place"):
        load("cifar-10", tmp_path)
    assert not trap.exists()


# ------------------------------------------------------------------ finding and downloading


class Server:
    """An HTTP server on this machine that offers gzipped IDX files, and can misbehave."""

    def __init__(self, files: dict[str, bytes], hang: bool = False):
        self.released = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):  # noqa: N805
                if hang:
                    self.released.wait(60)
                    return
                body = files[handler.path.strip("/")]
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(handler, *args):  # noqa: N805
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """Offer a small data set as the published one; return its gzipped files."""
    write_idx(tmp_path / "origin")
    origin = tmp_path / "origin" / FOLDERS["fashion-mnist"]
    files = {f"{file.name}.gz": gzip.compress(file.read_bytes()) for file in origin.iterdir()}
    resources = [(name, hashlib.md5(body).hexdigest()) for name, body in files.items()]
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    return files


def offer(monkeypatch, server: Server) -> None:
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [server.url])


def test_what_is_missing_is_downloaded_once(tmp_path, monkeypatch, archives):
    root = tmp_path / "root"
    root.mkdir()
    with Server(archives) as server:
        offer(monkeypatch, server)
        assert len(load("fashion-mnist", root).train) == 40
    assert len(load("fashion-mnist", root).test) == 20  # the server is gone: no second download
    assert [path.name for path in root.iterdir()] == ["FashionMNIST"]


def test_a_broken_download_leaves_nothing_behind(tmp_path, monkeypatch, capsys, archives):
    root = tmp_path / "root"
    root.mkdir()
    name = "t10k-labels-idx1-ubyte.gz"
    archives[name] = archives[name][:-3]
    with Server(archives) as server:
        offer(monkeypatch, server)
        data = load("fashion-mnist", root)
    assert "embedded digits" in data.source
    assert "the download failed" in capsys.readouterr().out
    assert list(root.iterdir()) == []


def test_a_server_that_does_not_answer_is_given_up(tmp_path, monkeypatch, capsys, archives):
    monkeypatch.setattr(finding, "NETWORK_TIMEOUT", 0.2)
    with Server(archives, hang=True) as server:
        offer(monkeypatch, server)
        data = load("fashion-mnist", tmp_path)
    assert "embedded digits" in data.source
    assert "timed out" in capsys.readouterr().out


def test_an_archive_that_is_not_the_published_one_is_named(tmp_path, monkeypatch, capsys, archives):
    packed = tmp_path / "train-images-idx3-ubyte.gz"
    packed.write_bytes(archives.pop(packed.name) + b" ")
    with Server(archives) as server:
        offer(monkeypatch, server)
        data = load("fashion-mnist", tmp_path)
    assert "embedded digits" in data.source
    assert f"({packed} is not the published archive" in capsys.readouterr().out


def test_an_incomplete_folder_is_completed(tmp_path, monkeypatch, archives):
    write_idx(tmp_path / "root")
    missing = tmp_path / "root" / FOLDERS["fashion-mnist"] / "t10k-images-idx3-ubyte"
    missing.unlink()
    with Server(archives) as server:
        offer(monkeypatch, server)
        load("fashion-mnist", tmp_path / "root")
    assert missing.is_file()


def test_the_root_is_lenet_data_or_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    assert data_root() == tmp_path
    monkeypatch.setenv("LENET_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"nowhere.* not a folder"):
        data_root()
    monkeypatch.delenv("LENET_DATA")
    assert "lenet" in data_root().parts


def test_a_missing_root_is_an_error(tmp_path):
    with pytest.raises(DataError, match="not a folder"):
        load("mnist", tmp_path / "nowhere")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="fashion-mnist, mnist, cifar-10"):
        load("imagenet")


# ------------------------------------------------------------------ the embedded default


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mnist", (1, 28, 28)), ("fashion-mnist", (1, 28, 28)), ("cifar-10", (3, 32, 32))],
)
def test_the_embedded_digits_take_any_place(monkeypatch, capsys, name, shape):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    data = load(name)
    assert data.train.images.shape == (1438, *shape)
    assert data.test.images.shape == (359, *shape)
    assert data.classes == tuple("0123456789")
    assert "embedded" in data.source
    assert "embedded digits" in capsys.readouterr().out
    assert torch.equal(load(name).train.images, data.train.images)
    counts = data.train.labels.bincount()
    assert counts.min() > 120


def test_the_embedded_digits_are_used_as_a_torchvision_dataset(monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    for name in ("mnist", "cifar-10"):
        opened = dataset(name, transform=v2.Compose([v2.ToImage()]))
        image, label = opened[0]
        assert torch.equal(image, load(name).train.images[0])
        assert label == int(load(name).train.labels[0])


def test_the_embedded_digits_can_be_refused(monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    monkeypatch.setenv("LENET_REQUIRE_REAL", "1")
    with pytest.raises(DataError, match="LENET_REQUIRE_REAL"):
        load("mnist")


# ------------------------------------------------------------------ tensors and batches


def examples(num: int, channels: int = 1, size: int = 4) -> LabelledImages:
    generator = torch.Generator().manual_seed(num)
    images = torch.randint(
        0, 256, (num, channels, size, size), generator=generator, dtype=torch.uint8
    )
    images[:, 0, 0, 0] = torch.arange(num) % 256
    return LabelledImages(images, torch.arange(num) % 10)


@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_are_those_of_the_pixels(channels):
    images = examples(500, channels).images
    mean, std = channel_statistics(images)
    scaled = images.double() / 255
    assert mean == pytest.approx(scaled.mean(dim=(0, 2, 3)).tolist(), abs=1e-12)
    assert std == pytest.approx(scaled.std(dim=(0, 2, 3), correction=0).tolist(), abs=1e-12)


def test_normalise_equals_torchvision():
    images = examples(50, channels=3).images
    mean, std = channel_statistics(images)
    ours = normalise(images, mean, std)
    theirs = v2.Normalize(mean, std)(v2.ToDtype(torch.float32, scale=True)(images))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
    assert ours.mean(dim=(0, 2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(ours.std(dim=(0, 2, 3), correction=0), torch.ones(3))


@settings(max_examples=200, deadline=None)
@given(
    num=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    shuffle=st.booleans(),
)
def test_a_pass_covers_every_example_once(num, batch_size, shuffle):
    batches = Batches(examples(num), (0.0,), (1.0,), batch_size, shuffle=shuffle)
    got = list(batches)
    assert len(got) == len(batches)
    assert len(batches) == -(-num // batch_size)
    assert all(len(labels) == batch_size for _, labels in got[:-1])
    seen = [round(float(image[0, 0, 0]) * 255) for images, _ in got for image in images]
    labels = [int(label) for _, labels in got for label in labels]
    assert labels == [index % 10 for index in seen]  # image and label stay together
    assert sorted(seen) == list(range(num))
    if not shuffle:
        assert seen == list(range(len(seen)))


@pytest.mark.parametrize("batch_size", [1, 7, 400, 1000, 1500, 3000])
@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_do_not_depend_on_how_many_images_are_scaled_at_once(
    batch_size, shuffle, monkeypatch
):
    def made(at_once):
        monkeypatch.setattr("lenet.data.loading.IMAGES_AT_ONCE", at_once)
        generator = torch.Generator().manual_seed(0)
        return list(
            Batches(
                examples(2345), (0.2,), (0.3,), batch_size, shuffle=shuffle, generator=generator
            )
        )

    for ours, one_by_one in zip(made(IMAGES_AT_ONCE), made(1), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, one_by_one, strict=True))


def test_shuffling_is_new_each_pass_and_repeatable():
    def order(seed):
        generator = torch.Generator().manual_seed(seed)
        batches = Batches(examples(50), (0.0,), (1.0,), 7, shuffle=True, generator=generator)
        return [torch.cat([images[:, 0, 0, 0] for images, _ in batches]) for _ in range(2)]

    first, second = order(seed=1)
    assert not torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip((first, second), order(seed=1), strict=True))
    assert not torch.equal(first, order(seed=2)[0])


def test_held_out_images_come_from_the_training_images(monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    data = load("mnist")
    tuning = data.hold_out(200, seed=3)
    assert (len(tuning.train), len(tuning.test)) == (1238, 200)
    both = torch.cat([tuning.train.images, tuning.test.images]).flatten(1)
    assert sorted(map(tuple, both.tolist())) == sorted(
        map(tuple, data.train.images.flatten(1).tolist())
    )
    assert torch.equal(data.hold_out(200, seed=3).test.images, tuning.test.images)
    assert "held-out" in tuning.source
    for wrong in (0, 1438):
        with pytest.raises(ValueError, match="num_images"):
            data.hold_out(wrong)


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "ten"])
def test_a_batch_size_must_be_a_positive_number(wrong):
    with pytest.raises(ValueError, match="batch_size"):
        Batches(examples(5), (0.0,), (1.0,), wrong)


def test_images_and_labels_must_fit():
    good = examples(5)
    with pytest.raises(ValueError, match="uint8"):
        LabelledImages(good.images.float(), good.labels)
    with pytest.raises(ValueError, match="one for each image"):
        LabelledImages(good.images, good.labels[:4])
    assert len(good[1:3]) == 2
    with pytest.raises(ValueError, match="split"):
        load_offline().batches("training")


def load_offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_OFFLINE", "1")
        return load("mnist")


def test_a_frame_is_black_and_leaves_the_rest_as_it_is(monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    data = load("mnist")
    padded = data.pad(2)
    assert padded.test.images.shape == (len(data.test), 1, 32, 32)
    assert torch.equal(padded.test.images[:, :, 2:-2, 2:-2], data.test.images)
    assert padded.test.images.sum() == data.test.images.sum()
    assert torch.equal(padded.train.labels, data.train.labels)
    assert (padded.mean, padded.std) == (data.mean, data.std)
