"""Publishing: the address in every place, and a chapter that installs the book from there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from publish import checked, publish, release
from publishing import PUBLISHED

ROOT = Path(__file__).parents[2]
ADDRESS_LIKE = re.compile(r"https://github\.com/[\w-]+/lenet-book")
PACKAGED = [
    ROOT / name
    for name in ("README.md", "pyproject.toml", "CITATION.cff", "book/lenet_book/__init__.py")
]
CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))


def present_address(root: Path) -> str:
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return config["repository"]["url"]


def git(*arguments: str, cwd: Path) -> str:
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files that belong to the project, as a git repository of its own."""
    target = tmp_path / "repository"
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(".*", "_build", "*.egg-info"))
    git("init", "--quiet", "--initial-branch=main", cwd=target)
    return target


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with nothing in it but its address."""
    shutil.copy(ROOT / "_config.yml", tmp_path)
    return tmp_path


def test_the_address_is_the_same_everywhere() -> None:
    address = present_address(ROOT)
    for path in [*PACKAGED, *ROOT.glob("book/*.md"), *ROOT.glob("book/*.ipynb"), *CHAPTERS]:
        found = set(ADDRESS_LIKE.findall(path.read_text(encoding="utf-8")))
        assert found <= {address}, path.name


def test_the_placeholder_is_no_address() -> None:
    assert not PUBLISHED.fullmatch("https://github.com/your_github_name/lenet-book")
    assert PUBLISHED.fullmatch("https://github.com/some-one/lenet-book")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("https://github.com/owner/name", "https://github.com/owner/name"),
        ("https://github.com/owner/name.git/", "https://github.com/owner/name"),
        ("https://gitlab.com/group/sub/name.git", "https://gitlab.com/group/sub/name.git"),
        (
            "https://git.example.org:8443/owner/my.book",
            "https://git.example.org:8443/owner/my.book",
        ),
    ],
)
def test_accepts_addresses_that_pip_can_install_from(given: str, stored: str) -> None:
    assert checked(given) == stored


HOSTILE = [
    *("", " ", "/", "owner/name", "file:///some/folder", "git@github.com:owner/name.git"),
    *("ssh://git@example.org/owner/name", "git://example.org/owner/name", "http://example.org/a/b"),
    *("javascript:alert(1)", "https://", "https:///owner/name", "https://github.com"),
    *("https://github.com/owner", "https://github.com/owner/name/tree/main", "https://x.org/name"),
    *("https://github.com/owner/..", "https://github.com/../name", "https://github.com/./name"),
    *("https://github.com/owner/...", "https://github.com/own_er/name", "https://x.org/a/../../b"),
    *("https://github.com/-owner/name", "HTTPS://GITHUB.COM/owner/..", "https://github.com//name"),
    *("https://user:TOKEN@github.com/owner/name", "https://TOKEN@github.com/owner/name"),
    *("https://github.com@evil.example/owner/name", "https://github.com:80@x.org/owner/name"),
    *("https://github.com/owner/na`touch X`me", "https://github.com/owner/$(touch X)"),
    *('https://github.com/owner/name";touch X;"', "https://github.com/owner/name;touch X"),
    *("https://github.com/owner/name' || touch X", "https://github.com/owner/name&touch X"),
    *(
        "https://github.com/owner/name|touch X",
        "https://github.com/owner/name>X",
        "$(shell touch X)",
    ),
    *("https://github.com/owner/name\ntouch X", "https://github.com/owner/name\\", "${HOME}"),
    *(
        "https://github.com/owner/name?x=1",
        "https://github.com/owner/name#x",
        "https://x.org/a/b%20c",
    ),
    *("https://github.com/owner/näme", "https://exämple.org/owner/name", "https://x.org/a/b\u202e"),
    *('https://example.org/"; rm -rf', "https://example.org/a b", "https://x.org/a/<script>"),
]


@pytest.mark.parametrize("wrong", HOSTILE)
def test_refuses_other_addresses(wrong: str, repository: Path) -> None:
    config = repository / "_config.yml"
    before = config.read_bytes()
    with pytest.raises(ValueError, match="github") as caught:
        publish(wrong, repository)
    assert "TOKEN" not in str(caught.value)
    assert config.read_bytes() == before


@pytest.mark.parametrize("wrong", [text for text in HOSTILE if "touch" in text])
def test_make_hands_the_address_on_without_running_it(wrong: str, repository: Path) -> None:
    makefile = shutil.copy(ROOT / "Makefile", repository)
    python = repository / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s" "$2" > given\n', encoding="utf-8")
    python.chmod(0o755)
    for name in ("requirements.txt", "pyproject.toml", ".venv/ready"):
        (repository / name).touch()
    command = ["make", "-f", makefile, "publish-to", f"REPO={wrong}"]
    subprocess.run(command, cwd=repository, check=True, capture_output=True)
    assert (repository / "given").read_text(encoding="utf-8") == wrong
    assert not (repository / "X").exists()


def test_sets_the_address_wherever_it_stands_and_can_set_it_again(copy: Path) -> None:
    placeholder = present_address(copy)
    readme = copy / "README.md"
    local = "![A network](book/assets/architecture.svg)"
    readme.write_text(f"# Book\n\n<!-- badges --><!-- /badges -->\n\n{local}\n", encoding="utf-8")
    for address in ("https://github.com/some-one/lenet-book", "https://github.com/an-other/lenet"):
        changed = publish(address, copy)
        assert {copy / "_config.yml", readme} <= set(changed)
        assert present_address(copy) == address
        front = readme.read_text(encoding="utf-8")
        assert f"{address}/actions" in front
        raw = address.replace("//github.com", "//raw.githubusercontent.com")
        assert f"![A network]({raw}/main/book/assets/architecture.svg)" in front
        project = tomllib.loads((copy / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert set(project["urls"].values()) == {address}
        assert address in (copy / "book" / "lenet_book" / "__init__.py").read_text(encoding="utf-8")
        for chapter in copy.glob("chapters/*.ipynb"):
            assert chapter in changed
            assert f"lenet[book] @ git+{address}@v0.1.0\\" in chapter.read_text(encoding="utf-8")
    publish("https://gitlab.com/group/lenet.git", copy)
    assert local in readme.read_text(encoding="utf-8")
    publish(placeholder.replace("your_github_name", "some-one"), copy)
    left = git("grep", "-l", "--untracked", "-F", "an-other/lenet", cwd=copy)
    assert left.split() == ["tests/book/test_publish.py"]


def test_a_new_version_is_installed_by_its_tag(copy: Path) -> None:
    project = copy / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace('version = "0.1.0"', 'version = "0.2.0"'), encoding="utf-8")
    publish("https://github.com/some-one/lenet-book", copy)
    for chapter in copy.glob("chapters/*.ipynb"):
        assert "some-one/lenet-book@v0.2.0\\" in chapter.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(not CHAPTERS, reason="no chapter is written yet")
def test_the_buttons_of_a_published_site_lead_to_its_address(copy: Path) -> None:
    publish("https://github.com/some-one/lenet-book", copy)
    program = Path(sys.executable).with_name("jupyter-book")
    subprocess.run([program, "build", copy, "-W", "-n", "--quiet"], check=True, capture_output=True)
    chapter = f"chapters/{CHAPTERS[0].stem}"
    html = (copy / "_build" / "html" / f"{chapter}.html").read_text(encoding="utf-8")
    for link in (
        f"https://colab.research.google.com/github/some-one/lenet-book/blob/main/{chapter}.ipynb",
        f"https://mybinder.org/v2/gh/some-one/lenet-book/main?urlpath=lab/tree/{chapter}.ipynb",
        'href="https://github.com/some-one/lenet-book"',
        f"../_sources/{chapter}.ipynb",
    ):
        assert link in html


@pytest.mark.slow
@pytest.mark.skipif(not CHAPTERS, reason="no chapter is written yet")
def test_a_chapter_installs_the_book_from_its_address(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://github.com/some-one/lenet-book"
    publish(address, copy)
    git("add", "--all", cwd=copy)
    git("commit", "--quiet", "--message", "Publish", cwd=copy)
    git("tag", release(copy), cwd=copy)
    python = environment_without_lenet(tmp_path / "colab")
    chapter = tmp_path / "elsewhere" / CHAPTERS[0].name
    chapter.parent.mkdir()
    shutil.copy(copy / "chapters" / CHAPTERS[0].name, chapter)

    # git finds the copy at the address, as it would find GitHub's.
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{copy.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", address)
    # pip must build with what is there and must not ask an index: no network is needed.
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip reads it as "build isolation: 0"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.setenv("LENET_OFFLINE", "1")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.setenv("JUPYTER_PATH", str(kernel_for(python, tmp_path / "jupyter")))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert not imports_the_book(python), "lenet must be missing before the chapter runs"
    notebook = nbformat.read(chapter, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="colab-like",
        resources={"metadata": {"path": str(chapter.parent)}},
    )
    client.execute()
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert imports_the_book(python), f"the setup cell did not install the package: {setup.outputs}"


@pytest.mark.slow
def test_a_chapter_that_cannot_install_the_book_stops_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = environment_without_lenet(tmp_path / "colab")
    monkeypatch.setenv("JUPYTER_PATH", str(kernel_for(python, tmp_path / "jupyter")))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    chapter = nbformat.read(CHAPTERS[0], as_version=4)
    setup = next(cell for cell in chapter.cells if cell.cell_type == "code")
    setup.source = setup.source.replace("https://", "file:///nowhere/")
    client = NotebookClient(chapter, timeout=300, kernel_name="colab-like")
    with pytest.raises(CellExecutionError, match="The book could not be installed here; pip says"):
        client.execute()


def environment_without_lenet(folder: Path) -> Path:
    """Make an environment that sees the packages of this one, all but `lenet`."""
    venv.create(folder)
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "lenet" not in package.name:
            (dependencies / package.name).symlink_to(package)
    site_packages = sysconfig.get_path("purelib", vars={"base": str(folder)})
    Path(site_packages, "dependencies.pth").write_text(f"{dependencies}\n")
    return folder / "bin" / "python"


def kernel_for(python: Path, folder: Path) -> Path:
    """Write the description of a Jupyter kernel that runs `python`."""
    kernel = folder / "kernels" / "colab-like" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "like Colab", "language": "python"}
    kernel.write_text(json.dumps(spec))
    return folder


def imports_the_book(python: Path) -> bool:
    found = "import importlib.util, sys; sys.exit(importlib.util.find_spec('lenet_book') is None)"
    return subprocess.run([str(python), "-c", found], cwd=python.parent).returncode == 0
