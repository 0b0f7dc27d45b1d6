"""Where each thing that the book promises is taught: the heading below which it stands.

The letters are the courses that the book covers: S0 and S2 the CIFAR-10 tutorial and its run end to
end, S1 LeNet-5 on MNIST, S3 the long course on Fashion-MNIST, S4 ways to improve.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

CHAPTERS = Path(__file__).parents[2] / "chapters"


class Place(NamedTuple):
    """A thing taught, and the headings of a chapter below which it is."""

    number: str
    thing: str
    chapter: str
    headings: tuple[str, ...]


def place(number: str, thing: str, chapter: str, *headings: str) -> Place:
    return Place(number, thing, chapter, headings)


ETL, BUILD, WEIGHTS = "01_etl", "02_building_a_network", "03_inside_the_weights"
FORWARD, SHAPES, TRAINING = "04_forward_pass", "05_output_shapes", "06_training_loop"
MEASURED = "../book/measured"
GPU, RESULTS, LENET5 = "07_gpu_training", "08_reading_the_results", "09_lenet5"
CIFAR, BEYOND = "10_cifar10", "11_beyond_lenet"

TAUGHT = [
    place("S0.1", "CIFAR-10, its files and counts", ETL, "The whole road again, in colour"),
    place("S0.1", "what two loaders are for", ETL, "Two loaders and what they are for"),
    place("S0.2", "looking at samples first", ETL, "One picture, then twenty"),
    place("S0.2", "looking at photographs first", CIFAR, "Look before you model"),
    place("S0.3", "the CIFAR-10 network", BUILD, "The same recipe for colour pictures"),
    place("S0.3", "what changes for CIFAR-10", CIFAR, "What the network needs to change"),
    place("S0.4", "a picture of the architecture", BUILD, "The same recipe for colour pictures"),
    place("S0.5", "the output-size formula", SHAPES, "Count the positions"),
    place("S0.5", "pooling has the same size formula", SHAPES, "Pooling counts in the same way"),
    place("S0.6", "view, reshape, flatten", SHAPES, "`view`, `reshape` and `flatten`"),
    place("S0.7", "cross-entropy", TRAINING, "The loss of a network"),
    place("S0.7", "SGD with momentum", TRAINING, "What momentum does"),
    place("S0.8", "the eight moves", TRAINING, "The training step in eight moves"),
    place("S1.1", "28 or 32 pixels", LENET5, "28 pixels or 32?"),
    place("S1.1", "the walk from 28 to 1", SHAPES, "LeNet-5: from 28 to 32 and down to 1"),
    place("S1.2", "where 120 comes from", LENET5, "Is 120 special?"),
    place(
        "S1.3", "C5 as convolution and as linear layer", LENET5, "One layer, two ways to write it"
    ),
    place("S1.3", "larger pictures", LENET5, "What the convolution buys"),
    place("S1.3", "relu before or after pooling", LENET5, "ReLU before or after pooling"),
    place("S1.4", "0.1307 and 0.3081", ETL, "Normalize, and where 0.1307 comes from"),
    place(
        "S1.4",
        "whether Normalize helps",
        MEASURED,
        "Did leaving out the normalisation cost anything?",
    ),
    place(
        "S1.5", "84 and the RBF output", LENET5, "The network of 1998, piece by piece", "Its loss"
    ),
    place(
        "S1.6",
        "batch sizes and powers of two",
        MEASURED,
        '"Use powers of two, because computers are binary"',
    ),
    place(
        "S1.7",
        "log-softmax and NLL",
        TRAINING,
        "Log-softmax and NLL: the same loss in two pieces",
    ),
    place("S1.8", "`Variable` and other history", TRAINING, "Reading old code"),
    place("S1.8", "`.cuda()` then", GPU, "`.cuda()` then, and choosing a GPU"),
    place("S2.1", "ToTensor", ETL, "ToTensor"),
    place(
        "S2.1", "Normalize, scaling, standardising", ETL, "Normalize, and where 0.1307 comes from"
    ),
    place("S2.1", "one scale for each channel", CIFAR, "One scale for each channel"),
    place("S2.2", "DataLoader's arithmetic", ETL, "How many batches?", "Why shuffle?"),
    place("S2.2", "workers", ETL, "Two loaders and what they are for"),
    place("S2.3", "the arguments of Conv2d", BUILD, "Every argument of `Conv2d`"),
    place("S2.3", "max-pooling", BUILD, "Max-pooling keeps the strongest answer"),
    place("S2.3", "the arguments of MaxPool2d", BUILD, "Every argument of `MaxPool2d`"),
    place("S2.3", "3×3 now, 5×5 then", BUILD, "Why 5×5, when networks today use 3×3?"),
    place("S2.4", "the recipe", BUILD, "The recipe", "Why flatten first?"),
    place("S2.5", "four test images", CIFAR, "Four pictures, then all of them"),
    place("S2.5", "the tutorials' result", CIFAR, "Is that the published result?"),
    place("S2.5", "accuracy by class is recall", RESULTS, "Class by class"),
    place("S3.1", "four stages, ETL, packages", ETL, "Four stages, and why data comes first"),
    place("S3.2", "Fashion-MNIST, root, download", ETL, "Extract: open the files"),
    place("S3.2", "how it was made", ETL, "Where the pictures come from: ETL, one scale up"),
    place("S3.2", "a Dataset of one's own", ETL, "Write your own Dataset"),
    place("S3.3", "balance and its lack", ETL, "How many of each class?"),
    place("S3.3", "samples, iter, next", ETL, "Transform: one sample at a time"),
    place("S3.3", "a batch, make_grid, permute", ETL, "A batch"),
    place("S3.3", "next(iter(loader))", ETL, "`next(iter(loader))` starts anew"),
    place("S3.4", "a layer is code plus data", BUILD, "A layer is code plus data"),
    place("S3.4", "nn.Module and forward", BUILD, "From loose parts to a class"),
    place("S3.5", "who chooses which number", BUILD, "Who decides the numbers?"),
    place("S3.6", "printing", BUILD, "It knows how to print itself"),
    place("S3.6", "registration", BUILD, "It notices what you assign"),
    place("S3.7", "reading weights", WEIGHTS, "Reading a weight", "Ten tensors"),
    place("S3.7", "the class Parameter", WEIGHTS, "What is a `Parameter`?"),
    place("S3.8", "a linear layer", WEIGHTS, "A linear layer multiplies a matrix by a vector"),
    place("S3.8", "the call and its hooks", WEIGHTS, "Why you call the network, not `forward`"),
    place("S3.8", "PyTorch's own code", WEIGHTS, "Reading PyTorch's own code"),
    place("S3.9", "layers and operations", BUILD, "Layers carry weights, operations do not"),
    place("S3.9", "composition", BUILD, "A network is a function made of functions"),
    place("S3.9", "counting layers", BUILD, "How many layers has this network?"),
    place("S3.10", "one picture as a batch", FORWARD, "A batch of one"),
    place("S3.10", "softmax", FORWARD, "From scores to an answer"),
    place("S3.10", "no softmax inside", FORWARD, "Why is there no softmax in the network?"),
    place("S3.10", "the graph and its memory", FORWARD, "What the pass writes down"),
    place("S3.10", "no_grad", FORWARD, "Switch it off when you only look", "Not globally"),
    place("S3.10", "untrained networks guess", FORWARD, "The same picture before training"),
    place("S3.11", "counting right answers", FORWARD, "Ten pictures at once"),
    place("S3.12", "rows and columns", SHAPES, "Rows and columns are counted separately"),
    place("S3.12", "the table", SHAPES, "The answer: a walk through the network"),
    place("S3.12", "relu lifts the minimum", FORWARD, "Operation 2: `relu`"),
    place("S3.13", "one update", TRAINING, "One update, the same batch twice"),
    place("S3.13", "gradients", TRAINING, "From the loss back to every weight"),
    place("S3.13", "the same batch twice, with Adam", TRAINING, "Adam, three steps by hand"),
    place("S3.13", "many epochs", TRAINING, "Ten epochs", "Three accuracies"),
    place("S3.13", "the reference runs", MEASURED, "How much is luck?"),
    place("S3.14", "zero_grad", TRAINING, "Why `zero_grad`?"),
    place("S3.14", "the batch size", TRAINING, "How many pictures per update?"),
    place("S3.14", "the batch size, measured", MEASURED, "How many pictures per update?"),
    place("S3.15", "the loop on a GPU", GPU, "Move the loop", "What may mix"),
    place("S3.15", "choosing a GPU", GPU, "`.cuda()` then, and choosing a GPU"),
    place("S3.16", "debugging", RESULTS, "When the number is bad", "Look inside while it runs"),
    place("S3.16", "the confusion matrix", RESULTS, "Who is mistaken for whom"),
    place("S4.1", "the network read line by line", FORWARD, "Twelve operations, written down"),
    place("S4.1", "local receptive fields", SHAPES, "What one number has seen"),
    place("S4.1", "learning rate", TRAINING, "What the learning rate does", "Find a learning rate"),
    place("S4.1", "momentum", TRAINING, "What momentum does"),
    place("S4.1", "the loop as a function", TRAINING, "The loop as a function"),
    place("S4.1", "translation", CIFAR, "Does it matter where the thing is?"),
    place("S4.2", "400 from the trace", SHAPES, "The answer: a walk through the network"),
    place("S4.3", "batch normalisation", BEYOND, "Batch norm"),
    place("S4.3", "deeper networks", BEYOND, "AlexNet: LeNet, larger", "Shortcuts"),
    place("S4.3", "augmentation", BEYOND, "More pictures from the same ones"),
    place("S4.3", "schedules", BEYOND, "A learning rate with a plan"),
    place("S4.3", "what each buys", BEYOND, "What does each of them buy?"),
]
NUMBERS = {0: 8, 1: 8, 2: 5, 3: 16, 4: 3}  # how many rows each course has


@cache
def sections(chapter: str) -> dict[str, str]:
    """Return each heading of a chapter and what stands below it, code and all, up to the next."""
    notebook = json.loads((CHAPTERS / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    parts = {"": ""}
    heading = ""
    for cell in notebook["cells"]:
        pieces = [None, "".join(cell["source"])]
        if cell["cell_type"] == "markdown":
            pieces = re.split(r"^#{2,3} +(.+?) *$", "".join(cell["source"]), flags=re.MULTILINE)
            pieces = [None, *pieces]
        for title, text in zip(pieces[::2], pieces[1::2], strict=True):
            heading = title or heading
            parts[heading] = parts.get(heading, "") + (text or "")
    return parts


@pytest.mark.parametrize("where", TAUGHT, ids=lambda where: f"{where.number}-{where.thing}")
def test_is_taught_where_the_table_says(where: Place) -> None:
    found = sections(where.chapter)
    for heading in where.headings:
        assert heading in found, f"{where.thing}: no such heading in {where.chapter}"
        assert found[heading].strip(), f"{heading} is empty"


def test_nothing_is_left_out() -> None:
    rows = {f"S{course}.{row}" for course, last in NUMBERS.items() for row in range(1, last + 1)}
    assert {where.number for where in TAUGHT} == rows


@pytest.mark.parametrize(
    ("call", "chapter", "heading"),
    [
        (
            "datasets.FashionMNIST(root=root, train=True, download=True)",
            ETL,
            "Extract: open the files",
        ),
        ("download=False)", ETL, "Extract: open the files"),
        ("datasets.CIFAR10(root", ETL, "The whole road again, in colour"),
        (
            "datasets.CIFAR10(root=root, train=True, download=True)",
            CIFAR,
            "Look before you model",
        ),
        ("plt.subplots(", CIFAR, "Look before you model"),
        ("DataLoader(train_set, batch_size=4, shuffle=True)", CIFAR, "The recipe of the tutorials"),
        ("torch.optim.SGD(network.parameters()", CIFAR, "The recipe of the tutorials"),
        ("OneCycleLR(", CIFAR, "The same network, trained properly"),
        ("plt.imshow(", ETL, "One picture, then twenty"),
        ("plt.subplots(", ETL, "One picture, then twenty"),
        ("next(iter(train_set))", ETL, "Transform: one sample at a time"),
        (".squeeze()", ETL, "ToTensor"),
        ("next(iter(loader))", ETL, "A batch"),
        ("make_grid(", ETL, "A batch"),
        (".permute(1, 2, 0)", ETL, "A batch"),
        ("{cite:t}`buda2018`", ETL, "How many of each class?"),
        ("nn.Conv2d(1, 20, 5)", BUILD, "Every argument of `Conv2d`"),
        ("padding_mode=", BUILD, "Every argument of `Conv2d`"),
        ("return_indices=", BUILD, "Every argument of `MaxPool2d`"),
        ("**hidden layers**", BUILD, "A network is a function made of functions"),
        ("class Network(nn.Module)", BUILD, "From loose parts to a class"),
        (".named_parameters()", WEIGHTS, "Ten tensors"),
        ("inspect.getsource(", WEIGHTS, "Reading PyTorch's own code"),
        ("F.conv2d(", WEIGHTS, "Reading PyTorch's own code"),
        ("register_forward_hook(", WEIGHTS, "Why you call the network, not `forward`"),
        ("load_state_dict(", WEIGHTS, "The weights are the network"),
        (
            "datasets.FashionMNIST(root, train=True, transform=transforms.ToTensor())",
            TRAINING,
            "The loss of a network",
        ),
        ("nn.NLLLoss()", TRAINING, "Log-softmax and NLL: the same loss in two pieces"),
        ("for images, labels in train_loader:", TRAINING, "The training step in eight moves"),
        ("plt.plot(batch_loss", TRAINING, "The training step in eight moves"),
        ("torch.optim.SGD(", TRAINING, "What momentum does"),
        ("torch.optim.Adam(", TRAINING, "Adam, three steps by hand"),
        ("transforms.RandomCrop(32, padding=4)", BEYOND, "More pictures from the same ones"),
        ("transforms.RandomHorizontalFlip()", BEYOND, "More pictures from the same ones"),
        ("lr_scheduler.StepLR", BEYOND, "A learning rate with a plan"),
        ("lr_scheduler.CosineAnnealingLR", BEYOND, "A learning rate with a plan"),
        ("lr_scheduler.OneCycleLR", BEYOND, "A learning rate with a plan"),
        ("lr_scheduler.ReduceLROnPlateau", BEYOND, "A learning rate with a plan"),
    ],
)
def test_a_tool_is_used_by_its_own_name(call: str, chapter: str, heading: str) -> None:
    assert call in sections(chapter)[heading]
