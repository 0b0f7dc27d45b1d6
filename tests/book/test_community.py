"""What surrounds the book: workflows that take no risk, and locked versions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
PINNED = re.compile(r"- uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
VERSION = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def jobs(workflow: Path) -> dict[str, Any]:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]


def versions(file: str) -> dict[str, str]:
    found = VERSION.findall((ROOT / file).read_text(encoding="utf-8"))
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_a_workflow_runs_only_what_nobody_can_exchange(workflow: Path) -> None:
    lines = workflow.read_text(encoding="utf-8").splitlines()
    used = [line.strip() for line in lines if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []
    steps = [step for job in jobs(workflow).values() for step in job["steps"]]
    for step in steps:
        if "pip install" in (command := step.get("run", "")):
            assert "--require-hashes" in command or "--no-deps" in command
        if "checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_a_job_may_do_no_more_than_it_needs(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text(encoding="utf-8"))["permissions"] == {}
    for job in jobs(workflow).values():
        deploys = any("deploy-pages@" in step.get("uses", "") for step in job["steps"])
        needs = {"pages": "write", "id-token": "write"} if deploys else {"contents": "read"}
        assert job["permissions"] == needs
        assert len(job["steps"]) == 1 or not deploys, "what may publish runs nothing else"


def test_the_lock_holds_the_same_versions_and_a_hash_for_each() -> None:
    asked, locked = versions("requirements.txt"), versions("requirements.lock")
    assert asked.items() <= locked.items(), "its first lines say how to make it again"
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", text[text.index("\n", text.index("uv pip")) + 1 :])
    assert len(entries) == len(locked)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_systems_that_readers_have_are_tried() -> None:
    tested = jobs(ROOT / ".github" / "workflows" / "test.yml")
    assert tested["reader"]["strategy"]["matrix"]["system"] == ["macos-latest", "windows-latest"]
    assert tested["linux"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    commands = [step["run"] for step in tested["oldest"]["steps"] if "run" in step]
    assert commands == ["make test-oldest PYTHON=python"]


def test_binder_and_the_dev_container_install_versions_of_the_book() -> None:
    small = versions("binder/requirements.txt")
    small = {name: version.removesuffix("+cpu") for name, version in small.items()}
    assert small.items() <= versions("requirements.txt").items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["book"] + ["ipykernel>="]
    assert set(small) == {need.partition(">=")[0] for need in needed}
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert "binder/requirements.txt" in container["postCreateCommand"]
    assert all(os.access(ROOT / "binder" / name, os.X_OK) for name in ("postBuild", "start"))
    python = (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip()
    assert container["image"].endswith(python.replace("-", ":"))


def test_the_citation_and_the_changes_are_of_this_version() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = tomllib.loads(text)["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([\d.]+)", changes, re.MULTILINE)[0] == version


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    places = re.findall(r"`((?:book|tests|lenet|bench|chapters)/[\w/.]+)`", text)
    missing = [name for name in links + places if not (ROOT / name).exists()]
    assert [name for name in missing if "12" not in name] == []  # of a chapter to be written


def test_an_issue_form_asks_what_is_needed_to_help() -> None:
    forms = sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml"))
    assert [path.stem for path in forms] == ["failure", "idea", "mistake"]
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert form.keys() == {"name", "description", "body"}, path.name
        assert any(field.get("validations", {}).get("required") for field in form["body"])
        identities = [field["id"] for field in form["body"]]
        assert len(set(identities)) == len(identities)


def test_the_oldest_versions_are_read_from_the_bounds() -> None:
    run = subprocess.run(
        ["make", "--dry-run", "test-oldest"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    (rule,) = re.findall(r"(sed .+) > build/oldest/versions.txt", run.stdout)
    oldest = subprocess.run(rule, shell=True, cwd=ROOT, check=True, capture_output=True, text=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = project["dependencies"] + project["optional-dependencies"]["book"]
    assert oldest.stdout.split() == [bound.replace(">=", "==") for bound in bounds]
