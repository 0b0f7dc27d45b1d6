"""The lines of the page Recipes: ```` ```{recipes} N ``` ```` is a table of chapter N's trainings.

Accuracies are read where they are stored: in the book's results, or in what a chapter printed. A
line is linked to as `recipes.md#NAME`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from lenet_book import faults
from lenet_book.results import Record, load_results, spread

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHAPTERS = Path(__file__).parents[2] / "chapters"
NO_BREAK = "\N{NO-BREAK SPACE}"
COLUMNS = ("Accuracy", "n", "Network", "Data", "Settings")
ADAM = "adam, lr 0.01, batches of 100"
FASHION, MNIST, CIFAR = "Fashion-MNIST", "MNIST", "CIFAR-10, re-encoded"


@dataclass(frozen=True)
class Recipe:
    """One line: what was trained, and how.

    Attributes:
        series: What the line belongs to; its name begins with it.
        chapter: The number of the chapter that shows it.
        network: The network's class, and what was changed in it.
        data: The data set, how its pictures were prepared, and what was tested on.
        settings: Epochs, optimizer and so on.
    """

    series: str
    chapter: int
    network: str
    data: str
    settings: str


Lines = dict[Recipe, list[float]]  # the test accuracies of a recipe's runs, in percent


def settings_words(settings: Record) -> str:
    """Write stored settings, from the schedule on only what is not plain, and not the device."""
    words = [
        "{epochs} epochs, {optimizer}, lr {lr:g}, batches of {batch_size:,}".format(**settings)
    ]
    words += [settings["schedule"]] * (settings["schedule"] != "constant")
    words += [f"weight decay {settings['weight_decay']:g}"] * bool(settings["weight_decay"])
    words += [settings["precision"]] * (settings["precision"] != "float32")
    return ", ".join(words)


# ---------------------------------------------------------------- results of the book


def _training_loop(run: Record) -> Recipe | None:
    if "settings" not in run:
        return None
    data = FASHION + (", normalised" if run["normalised"] else ", from 0 to 1")
    data += ", held out" if run["held_out"] else ""
    network, settings = run["network"], settings_words(run["settings"])
    return Recipe(f"loop-{run['experiment']}", 6, network, data, settings)


def _fault(run: Record) -> Recipe:
    title = faults.loop(run["loop"]).title
    data = f"{FASHION}, normalised"
    settings = f"{run['num_updates']:,} updates, {ADAM}: {title}"
    return Recipe(f"lab-{run['loop']}", 6, "NarrowLeNet", data, settings)


def _throughput(run: Record) -> Recipe | None:
    if run["experiment"] != "accuracy":
        return None
    settings = f"{len(run['num_correct'])} epochs, {ADAM}: {run['way']}"
    return Recipe("speed", 7, "NarrowLeNet", f"{FASHION}, normalised", settings)


def _lenet5(run: Record) -> Recipe:
    network = run["network"]
    if isinstance(network, dict):
        network = "LeNet-5: " + ", ".join(f"{part} {value}" for part, value in network.items())
    data = [FASHION if run["data"] == "fashion-mnist" else MNIST, run["pixels"]]
    data += [f"{run['num_images']:,} images"] * bool(run["num_images"])
    data += [f"distortions {run['distortions']}"] * (run["distortions"] != "none")
    settings = settings_words(run["settings"])
    settings += ", 1998's loss" if run["loss"] == "discriminative" else ""
    return Recipe(f"lenet5-{run['experiment']}", 9, network, ", ".join(data), settings)


def _cifar10(run: Record) -> Recipe:
    data = CIFAR + (", normalised" if run["normalised"] else ", from 0 to 1")
    data += ", shifted and mirrored" if run["crop_flip"] else ""
    data += ", held out" if run["held_out"] else ""
    series, settings = f"cifar10-{run['experiment']}", settings_words(run["settings"])
    return Recipe(series, 10, "CifarLeNet", data, settings)


def _beyond_lenet(run: Record) -> Recipe | None:
    if "settings" not in run:
        return None
    data = f"{CIFAR}, normalised" + (", shifted and mirrored" if run["augmented"] else "")
    data += ", held out" if "held-out" in run["data"] else ""
    series, settings = f"beyond-{run['experiment']}", settings_words(run["settings"])
    return Recipe(series, 11, run["network"], data, settings)


READERS: dict[str, Callable[[Record], Recipe | None]] = {
    "training_loop": _training_loop,
    "training_faults": _fault,
    "throughput": _throughput,
    "lenet5": _lenet5,
    "cifar10": _cifar10,
    "beyond_lenet": _beyond_lenet,
}


def accuracy_of(run: Record) -> float:
    """Return what a run's last test found, in percent; in the lab, the mean of the last three."""
    if "test_accuracy" in run:
        return 100 * mean(run["test_accuracy"][-3:])
    if "num_correct" in run:
        return run["num_correct"][-1] / 100  # of 10,000
    test = run["epochs"][-1]["test"]
    return 100 * test["num_correct"] / test["num_examples"]


# ---------------------------------------------------------------- what chapters printed

PRINTED = {  # a recipe; for each of its runs a cell's id, and a pattern of what it prints
    Recipe("in-the-weights", 3, "NarrowLeNet", f"{FASHION}, normalised", f"3 epochs, {ADAM}"): [
        ("knowledge-code", r"itself: ([\d.]+)%")
    ],
    Recipe("here-fit", 6, "NarrowLeNet", f"{FASHION}, from 0 to 1", f"10 epochs, {ADAM}"): [
        ("fit-figure", r"\n +10 .*% .* ([\d.]+)%")
    ],
    Recipe(
        *("here-sgd", 6, "NarrowLeNet", f"{FASHION}, from 0 to 1, held out"),
        "1 epoch, sgd, lr 0.1, momentum 0, batches of 100",
    ): [("three-recipes", r"lr 0.1 .* ([\d.]+)%")],
    Recipe(
        *("here-momentum", 6, "NarrowLeNet", f"{FASHION}, from 0 to 1, held out"),
        "1 epoch, sgd, lr 0.05, momentum 0.9, batches of 100",
    ): [("three-recipes", r"momentum .* ([\d.]+)%")],
    Recipe(
        *("here-adam", 6, "NarrowLeNet", f"{FASHION}, from 0 to 1, held out"),
        f"1 epoch, {ADAM}",
    ): [("three-recipes", r"Adam, .* ([\d.]+)%")],
    Recipe(
        *("here-large", 6, "NarrowLeNet", f"{FASHION}, from 0 to 1, held out"),
        "1 epoch, adam, lr 0.01, batches of 10,000",
    ): [("two-sizes", r"10,000: .* ([\d.]+)%")],
    **{
        Recipe(
            *("here-batches", 7, "NarrowLeNet", f"{FASHION}, normalised, 24,000 images, held out"),
            f"2 epochs, adam, lr {lr}, batches of {size}",
        ): [("batch-lr-try", rf"batch {size}, lr {lr}: ([\d.]+)%")]
        for size, lr in ((100, "0.002"), (800, "0.002"), (800, "0.0057"), (800, "0.016"))
    },
    **{
        Recipe(
            *("here-bits", 7, "NarrowLeNet", f"{FASHION}, normalised, 6,000 images"),
            f"2 epochs, adam, lr 0.003, batches of 100, {dtype}",
        ): [("precisions", rf"\.{dtype}: test accuracy ([\d.]+)%")]
        for dtype in ("float32", "bfloat16", "float16")
    },
    Recipe(
        "to-judge", 8, "NarrowLeNet", f"{FASHION}, normalised", f"4 epochs, {ADAM}, one-cycle"
    ): [
        ("train", r"test: ([\d,]+)"),
        ("second", r"right, second right: (\d+)[^$]*wrong, second right: (\d+)"),
    ],
    Recipe("frozen", 8, "Frozen", f"{FASHION}, normalised", f"1 epoch, {ADAM}"): [
        ("no-slope-epoch", r"Frozen .*: ([\d.]+)%")
    ],
    Recipe("one-epoch", 8, "NarrowLeNet", f"{FASHION}, normalised", f"1 epoch, {ADAM}"): [
        ("no-slope-epoch", r"NarrowLeNet .*: ([\d.]+)%")
    ],
    Recipe(
        *("here-lenet5", 9, "LeNet5", f"{MNIST}, normalised, 12,000 images"),
        "2 epochs, adam, lr 0.002, batches of 100",
    ): [("c5-train-run", r" 2 .*% .* ([\d.]+)%"), ("no-proof", r" 2 .*% .* ([\d.]+)%")],
    Recipe(
        *("here-1998", 9, "LeNet5_1998", f"{MNIST}, as in 1998, 12,000 images"),
        "4 epochs, adam, lr 0.003, batches of 25, one-cycle, 1998's loss",
    ): [("train-1998", r" 4 .*% .* ([\d.]+)%")],
    Recipe(
        *("here-tutorial", 10, "CifarLeNet", f"{CIFAR}, normalised"),
        "2 epochs, sgd, lr 0.001, batches of 4",
    ): [("proper", r"tutorial: +([\d.]+)%")],
    Recipe(
        *("here-one-cycle", 10, "CifarLeNet", f"{CIFAR}, normalised"),
        "2 epochs, sgd, lr 0.02, batches of 32, one-cycle, weight decay 0.0005",
    ): [("proper", r"one-cycle: +([\d.]+)%")],
}


@cache
def printed_in(chapter: int) -> dict[str, str]:
    """Return what the code cells of a stored chapter print, by their ids."""
    (file,) = CHAPTERS.glob(f"{chapter:02}_*.ipynb")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return {
        cell["id"]: "".join(text for output in cell["outputs"] for text in output.get("text", []))
        for cell in cells
        if cell["cell_type"] == "code"
    }


def printed_accuracy(chapter: int, cell: str, pattern: str) -> float:
    """Read an accuracy in percent from what a cell prints, or from counts of 10,000 pictures.

    Raises:
        LookupError: The cell prints nothing of this form.
    """
    found = re.search(pattern, printed_in(chapter)[cell])
    if not found:
        raise LookupError(f"no accuracy in the cell {cell!r} of chapter {chapter}: {pattern}")
    number = sum(float(group.replace(",", "")) for group in found.groups())
    return number if number <= 100 else number / 100


# ---------------------------------------------------------------- lines


@cache
def lines() -> Lines:
    """Return every training of the book, chapter by chapter."""
    found: Lines = {}
    for name, read in READERS.items():
        for run in load_results(name):
            if recipe := read(run):
                found.setdefault(recipe, []).append(accuracy_of(run))
    for recipe, places in PRINTED.items():
        found[recipe] = [printed_accuracy(recipe.chapter, *place) for place in places]
    series = list(dict.fromkeys(recipe.series for recipe in found))
    return dict(sorted(found.items(), key=lambda line: series.index(line[0].series)))


@cache
def names() -> dict[str, Recipe]:
    """Name every line: its series, and a number from the second of a series on."""
    named: dict[str, Recipe] = {}
    counts: dict[str, int] = {}
    for recipe in lines():
        series = recipe.series.replace(" ", "-")
        counts[series] = counts.get(series, 0) + 1
        named[series if counts[series] == 1 else f"{series}-{counts[series]}"] = recipe
    return named


def in_words(accuracies: list[float]) -> str:
    """Write mean ± standard deviation, or one run's accuracy as it was stored."""
    if len(accuracies) == 1:
        return f"{accuracies[0]:.2f}".removesuffix("0") + " %"
    return f"{spread(accuracies, '.2f')} %"


def table(chapter: int) -> Iterator[tuple[str, str]]:
    """Return names and Markdown rows of a chapter's lines."""
    for name, recipe in names().items():
        if recipe.chapter == chapter:
            found = lines()[recipe]
            cells = (
                in_words(found).replace(" ", NO_BREAK),
                str(len(found)),
                recipe.network,
                recipe.data,
                recipe.settings,
            )
            yield name, f"| {' | '.join(cells)} |"


class Recipes(Directive):
    """A table of the trainings of the chapter whose number is the argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Let the Markdown of a table be parsed, and give each row its name."""
        named, rows = zip(*table(int(self.arguments[0])), strict=True)
        head = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
        made = nodes.container()
        self.state.nested_parse(StringList([*head, *rows]), 0, made)
        (body,) = made.findall(nodes.tbody)
        for name, row in zip(named, body.children, strict=True):
            row["ids"].append(name)
        return made.children


def offer_names(app: Sphinx, document: nodes.document) -> None:
    """Let links of other pages end at lines, as they end at headings."""
    page, env = app.env.docname, app.env
    shown = {row_id for row in document.findall(nodes.row) for row_id in row["ids"]}
    for name in names().keys() & shown:
        slugs = env.metadata[page].setdefault("myst_slugs", {})
        slugs[name] = (0, name, names()[name].network)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("recipes", Recipes)
    app.connect("doctree-read", offer_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
