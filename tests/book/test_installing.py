"""What is built for installing: the parts of both packages, and chapters that run far from here."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.book.test_publish import CHAPTERS, ROOT, environment_without_lenet, kernel_for

EVERYTHING = """
import importlib, pkgutil
import lenet, lenet_book
for package in (lenet, lenet_book):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name != "lenet.__main__":
            importlib.import_module(module.name)

from lenet.models import WEIGHTS, LeNet5, load_weights
load_weights(LeNet5(), WEIGHTS / "lenet5_mnist.safetensors")

from lenet_book import results
files = sorted(file.stem for file in results.FOLDER.glob("*.json"))
assert len(files) >= 12, files
for name in files:
    assert results.load_results(name)

from lenet_book import widgets
for name in widgets.__all__:
    kind = getattr(widgets, name)
    if name != "Widget":
        assert "export default" in kind._esm and kind._css and kind.definition()
widgets.ShapeCalculator(), widgets.ConvPlayground(), widgets.TrainingLab()
print(lenet.__file__, lenet_book.__file__, sep="\\n")
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A source distribution of the project, and a wheel made from it; no network is needed."""
    here = tmp_path_factory.mktemp("built")
    copy = here / "copy"
    copy.mkdir()
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in files.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    source = build("sdist", copy, here)
    with tarfile.open(source) as archive:
        archive.extractall(here / "unpacked", filter="data")
    (unpacked,) = (here / "unpacked").iterdir()
    return source, build("wheel", unpacked, here)


def build(kind: str, project: Path, target: Path) -> Path:
    program = f"from setuptools import build_meta as b; print(b.build_{kind}({str(target)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, check=True, capture_output=True, text=True
    )
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def python(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that sees the wheel's contents and what they need, and no repository."""
    folder = tmp_path_factory.mktemp("elsewhere")
    python = environment_without_lenet(folder / "environment")
    installed = folder / "installed"
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", installed, built[1]],
        check=True,
    )
    (site_packages,) = (folder / "environment").glob("lib/python*/site-packages")
    (site_packages / "installed.pth").write_text(f"{installed}\n")
    return python


def test_the_source_distribution_holds_the_packages_and_nothing_else(built):
    with tarfile.open(built[0]) as archive:
        files = [member.name for member in archive.getmembers() if member.isfile()]
    places = {name.partition("/")[2].rpartition("/")[0] for name in files}
    rooms = {place for place in places if not place.endswith(".egg-info")}
    assert {room.split("/")[0] for room in rooms} == {"", "lenet", "book"}
    assert all(room.startswith("book/lenet_book") for room in rooms if room[:4] == "book")
    top = {name.partition("/")[2] for name in files if name.count("/") == 1}
    assert top == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg"}


def test_the_wheel_holds_all_that_the_packages_hold_here(built):
    with zipfile.ZipFile(built[1]) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        (metadata,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        told = Parser().parsestr(wheel.read(metadata).decode())
    here = {
        str(path.relative_to(folder))
        for folder, package in ((ROOT, "lenet"), (ROOT / "book", "lenet_book"))
        for path in (folder / package).rglob("*")
        if path.is_file() and not path.name.endswith((".pyc", ".d.ts"))
    }
    assert held == here
    assert {"lenet/py.typed", "lenet_book/py.typed"} <= held
    light = [need for need in told.get_all("Requires-Dist") if "extra" not in need]
    assert not [need for need in light if need.startswith(("matplotlib", "anywidget", "ipyw"))]


@pytest.mark.slow
def test_an_installed_wheel_imports_loads_and_draws_everything(python, tmp_path):
    done = subprocess.run([python, "-c", EVERYTHING], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines()[-2:]:
        assert not Path(line).is_relative_to(ROOT)
    version = subprocess.run(
        [python, "-m", "lenet", "--version"], cwd=tmp_path, check=True, capture_output=True
    )
    assert version.stdout.startswith(b"lenet ")


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_an_installed_wheel_runs_a_chapter(chapter, python, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(kernel_for(python, tmp_path / "jupyter")))
    monkeypatch.setenv("LENET_OFFLINE", "1")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    notebook = nbformat.read(chapter, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=900, kernel_name="colab-like", resources=where).execute()
