"""How to run a chapter, folded below its title: here, from a download, in Colab, on Kaggle.

It stands on the page alone. The notebook that a reader has opened already needs none of it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHAPTERS = "chapters/"
COMMANDS = {  # the last opens the chapter, those before it install
    "Linux, macOS": ["make book", ".venv/bin/jupyter lab {}"],
    "Windows": [
        "python -m venv .venv",
        ".venv\\Scripts\\python -m pip install -r requirements.txt",
        ".venv\\Scripts\\python -m pip install --no-deps -e .",
        ".venv\\Scripts\\jupyter lab {}",
    ],
}


def box(page: str, download: str, colab: str) -> str:
    """Return what folds out below the title of a chapter.

    Args:
        page: The name of its page, such as ``"chapters/01_etl"``.
        download: Where its notebook can be had, seen from the page.
        colab: Where it opens in Colab; empty if it cannot.
    """
    blocks = []
    for system, lines in COMMANDS.items():
        file = f"{page}.ipynb".replace("/", "\\" if system == "Windows" else "/")
        text = escape("\n".join(lines).format(file))
        blocks.append(f'<p>{system}:</p><div class="highlight"><pre>{text}\n</pre></div>')
    then = ", and put it into the folder <code>chapters</code>."
    if colab:
        then = (
            f', or <a href="{escape(colab)}">open it in Colab</a>: nothing to install. On Kaggle, '
            "import what you downloaded and switch <b>Internet</b> on in the notebook’s settings; "
            "the first cell then installs the book there."
        )
    return (
        '<details class="lenet-running"><summary>Run this chapter</summary>'
        "<p>In a terminal, in the book's folder. The last line opens the chapter; what stands "
        f"before it installs the book, and is needed once.</p>{''.join(blocks)}"
        f'<p><a href="{escape(download)}" download>Download this chapter</a> as a notebook'
        f"{then}</p>"
        "<p>Run a cell with <kbd>Shift</kbd> + <kbd>Enter</kbd>. The exercises are answered there: "
        "write into a cell, run it, and it says whether you are right.</p></details>"
    )


def show(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Say below the title of each chapter how to run it."""
    if not page.startswith(CHAPTERS) or "body" not in context:
        return
    options, colab = app.config.html_theme_options, ""
    if "published" in app.tags:
        repository = options["repository_url"].removeprefix("https://github.com/")
        place = f"{repository}/blob/{options['repository_branch']}/{page}.ipynb"
        colab = f"https://colab.research.google.com/github/{place}"
    download = context["pathto"](f"_sources/{page}.ipynb", 1)
    context["body"] = context["body"].replace("</h1>", f"</h1>{box(page, download, colab)}", 1)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
