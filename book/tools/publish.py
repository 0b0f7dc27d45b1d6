"""Set the repository's address: `python book/tools/publish.py https://github.com/owner/name`.

The address stands in `_config.yml`. The chapters' setup cells, the pages, the README and the
package repeat it where a reader, Colab or pip needs it word for word; all are changed together.
What the setup cells install is a tag, that of the version in `pyproject.toml`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
REPEATED_IN = [
    *("README.md", "pyproject.toml", "CITATION.cff", "book/lenet_book/__init__.py"),
    *("book/*.md", "book/*.ipynb", "chapters/*.ipynb"),
]
# Names as GitHub allows them, without a character that YAML, JSON, a link or a shell would change.
NAME = r"(?!\.+(?:/|$))[A-Za-z0-9_.-]+"
GITHUB = re.compile(rf"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*)/({NAME})")
ADDRESS = re.compile(rf"https://[a-z0-9.-]+(?::\d+)?(?:/{NAME}){{2,}}")
BADGES = re.compile(r"<!-- badges -->.*?<!-- /badges -->", re.DOTALL)
PICTURE = re.compile(r"(?<=\]\()[^)]*?(book/assets/architecture\.svg)[^)]*(?=\))")


def checked(address: str) -> str:
    """Return the address as it is to be stored.

    Raises:
        ValueError: It is no public https address of a repository; the message does not repeat
            it, because what stands before an @ may be a password.
    """
    address = address.strip().rstrip("/")
    if "@" in address:
        raise ValueError(
            "the address holds a user name, perhaps a password, which every reader would see; "
            "give it as https://github.com/owner/name"
        )
    on_github = address.lower().startswith("https://github.com/")
    address = address.removesuffix(".git") if on_github else address
    if not (GITHUB if on_github else ADDRESS).fullmatch(address):
        raise ValueError(f"{address!r} is not of the form https://github.com/owner/name")
    return address


def badges(address: str) -> str:
    """The README's badges: they lead to pages that only a repository on GitHub has."""
    github = GITHUB.fullmatch(address)
    if not github:
        return "<!-- badges --><!-- /badges -->"
    owner, name = github.groups()
    tests = f"{address}/actions/workflows/test.yml"
    colab = "https://colab.research.google.com"
    return (
        "<!-- badges -->\n"
        f"[![Tests]({tests}/badge.svg)]({tests})\n"
        f"[![Open in Colab]({colab}/assets/colab-badge.svg)]"
        f"({colab}/github/{owner}/{name}/blob/main/chapters/01_etl.ipynb)\n"
        "<!-- /badges -->"
    )


def picture(address: str, path: str) -> str:
    """Where the README's picture is seen from a package index, too; GitHub alone is known well."""
    github = GITHUB.fullmatch(address)
    if not github:
        return path
    owner, name = github.groups()
    return f"https://raw.githubusercontent.com/{owner}/{name}/main/{path}"


def release(root: Path = ROOT) -> str:
    """The tag of this version, which the chapters' setup cells install."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return f"v{tomllib.loads(text)['project']['version']}"


def publish(address: str, root: Path = ROOT) -> list[Path]:
    """Write address and tag into every file that holds the present ones, and return those files.

    Raises:
        ValueError: It is no address that git and pip can read.
    """
    address = checked(address)
    config = root / "_config.yml"
    present = yaml.safe_load(config.read_text(encoding="utf-8"))["repository"]["url"]
    present_here = re.compile(re.escape(present) + r"(?![\w-])")
    installed = re.compile(rf"(?<=git\+{re.escape(address)})@v[\w.]+")
    changed = []
    for path in [config, *(path for pattern in REPEATED_IN for path in sorted(root.glob(pattern)))]:
        before = path.read_text(encoding="utf-8")
        after = present_here.sub(lambda _: address, before)
        after = installed.sub(f"@{release(root)}", after)
        if path.name == "README.md":
            after = BADGES.sub(lambda _: badges(address), after)
            after = PICTURE.sub(lambda found: picture(address, found[1]), after)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


def main() -> int:
    """Set the address named on the command line and list the files that changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    address = parser.parse_args().address
    if not address:
        print("Say where: make publish-to REPO=https://github.com/owner/name", file=sys.stderr)
        return 1
    try:
        changed = publish(address)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for path in changed:
        print(f"changed {path.relative_to(ROOT)}")
    print(
        "Build the site again with make book, and commit the files above. The chapters install "
        f"what is tagged {release()}:\n    git tag {release()}\n"
        f"    git push origin main {release()}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
