"""Train a network and save its weights, with what `evaluate` and `predict` must know to use them.

After every epoch the training is stored in a checkpoint beside the weights. A training that was
stopped, by Ctrl-C or a power cut, goes on from there with the same command and --resume: to the
same weights, bit for bit on a CPU. The checkpoint is deleted when the training is finished, unless
you have named it yourself.

Example:
  python -m lenet train fashion-mnist --network NarrowLeNet --save narrow.safetensors

On two processors or GPUs of this machine, each with half of every batch:
  torchrun --nproc-per-node 2 -m lenet train mnist --network LeNet5 --save digits.safetensors

Exit status: 0 if the training is finished, 1 if it was stopped or diverged, 2 if the arguments, the
data, the network or a file cannot be used; then one line says why.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm

from lenet.atomic import check_writable
from lenet.commands import OWN, book_networks, load_network
from lenet.commands.shapes import parse_shape
from lenet.commands.weights import DATASETS, card_for
from lenet.data import ImageData, RandomAffine, RandomCropFlip, load
from lenet.models import save_trained
from lenet.shapes import trace
from lenet.train import Augmentation, DivergedError, History, Settings, Training, checkpoint
from lenet.train.distributed import DistributedTraining, is_first, processes

AUGMENTATIONS: dict[str, Augmentation] = {"affine": RandomAffine(), "crop-flip": RandomCropFlip()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the data set, the network, how to train it, and the files."""
    parser.add_argument("dataset", metavar="DATASET", help=DATASETS)
    name = f"{', '.join(book_networks())}, or {OWN}"
    parser.add_argument("--network", type=_network_name, required=True, metavar="NAME", help=name)
    shape = "the shape to which your own pictures are brought, such as 1x28x28"
    parser.add_argument("--input", type=parse_shape, metavar="CxHxW", help=shape)
    _add_settings(parser)
    _add_files(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    usual = Settings()
    group = parser.add_argument_group("how to train")

    def add(name: str, kind: type, metavar: str, help: str) -> None:
        default = getattr(usual, name)
        flag = f"--{name.replace('_', '-')}"
        text = f"{help} (default: {default})"
        group.add_argument(flag, type=kind, default=default, metavar=metavar, help=text)

    add("epochs", int, "N", "passes over the training images")
    add("batch_size", int, "N", "images for one update of the weights")
    add("optimizer", str, "NAME", "adam or sgd")
    add("lr", float, "X", "learning rate; with one-cycle the highest")
    add("momentum", float, "X", "momentum of sgd")
    add("weight_decay", float, "X", "by how much weights shrink, times the learning rate")
    add("schedule", str, "NAME", "of the learning rate: constant or one-cycle")
    add("precision", str, "NAME", "float32; bfloat16 or float16: faster on devices made for it")
    help = "record each step as a CUDA graph: faster for small networks on NVIDIA's GPUs"
    group.add_argument("--graph", action="store_true", help=help)
    add("seed", int, "N", "of the first weights, the order of the images and their distortions")
    add("device", str, "NAME", "such as cpu or cuda; auto is the best here")
    how = "distort the training images: rotate, scale, shear and shift, or shift and mirror"
    group.add_argument("--augment", choices=[*AUGMENTATIONS], help=how)


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    text = "where the weights go, as safetensors; a file that is there is replaced at the end"
    group.add_argument("--save", type=Path, required=True, metavar="FILE", help=text)
    text = (
        "where the training is stored after every epoch (default: the name of the weights and "
        ".checkpoint); the one before is kept as FILE.previous, and used where FILE is damaged"
    )
    group.add_argument("--checkpoint", type=Path, metavar="FILE", help=text)
    text = (
        "go on with the checkpoint, if there is one; it must be of the same training, but with a "
        "constant learning rate you may ask for more epochs"
    )
    group.add_argument("--resume", action="store_true", help=text)
    text = "begin anew, in the place of a checkpoint that is there"
    group.add_argument("--restart", action="store_true", help=text)


def _network_name(name: str) -> str:
    load_network(name)  # raises what argparse reports
    return name


def run(options: argparse.Namespace) -> int:
    """Train as the options say; return the exit status."""
    _check_files(options)
    with processes(options.device) as device:
        settings, data = _settings(options, device), _data(options)
        torch.manual_seed(options.seed)
        model = load_network(options.network)
        _check_network(options.network, model, data)
        kind = DistributedTraining if torch.distributed.is_initialized() else Training
        try:
            return _train(kind(model, data, settings), options)
        except DivergedError as error:
            again = f"The same command with --lr {options.lr / 10:g} --restart begins anew."
            print(error, again, file=sys.stderr)
            return 1


def _check_files(options: argparse.Namespace) -> None:
    """Find out before a long training what would be wrong after it."""
    path = _checkpoint(options)
    check_writable(options.save)
    check_writable(path)
    for kept in (path, checkpoint.previous(path)):
        if kept.resolve() == options.save.resolve():
            raise ValueError(f"--checkpoint and --save are one file, {kept}; name two")
    if options.restart and path.exists():
        checkpoint.read(path)  # nothing else than a checkpoint is deleted
        checkpoint.delete(path)
    if path.exists() and not options.resume:
        raise ValueError(
            f"{path} holds a training that was stopped. Add --resume to go on with it, or "
            "--restart to begin anew in its place."
        )


def _checkpoint(options: argparse.Namespace) -> Path:
    return options.checkpoint or Path(f"{options.save}.checkpoint")


def _settings(options: argparse.Namespace, device: str) -> Settings:
    chosen = {name: getattr(options, name) for name in Settings().as_json()}
    augment = AUGMENTATIONS.get(options.augment)
    return Settings(**chosen | {"device": device, "augment": augment})


def _data(options: argparse.Namespace) -> ImageData:
    channels, *size = options.input or (None,)
    return load(options.dataset, size=tuple(size) or None, channels=channels)


def _check_network(name: str, model: nn.Module, data: ImageData) -> None:
    """Check that a network takes the images; `Training` looks at what it gives.

    Raises:
        ValueError: It does not; the message explains why and what to change.
    """
    shape = data.train.images.shape[1:]
    size = "x".join(map(str, shape))
    table = trace(model, shape)
    if table.explanation is not None:
        raise ValueError(
            f"{name} does not fit the images of {data.name} ({size}).\n{table.explanation}\n"
            f"All its shapes: python -m lenet shapes {name} --input {size}"
        )


def _train(training: Training, options: argparse.Namespace) -> int:
    """Train, save what came out, and return the exit status."""
    print(f"{options.network} on {training.data.source}, {training.device}")
    path = _checkpoint(options)
    _print_epochs(training, path)
    if training.history.interrupted:
        if is_first():
            # Not the history's: its last epoch may be finished and not stored.
            done, epochs = len(checkpoint.read(path)[1]["history"]), training.settings.epochs
            print(
                f"Stopped. {path} holds the {done} of {epochs} epochs that are finished; the same "
                "command with --resume goes on from there.",
                file=sys.stderr,
            )
        return 1
    if is_first():
        _save(training, options)
    return 0


def _print_epochs(training: Training, path: Path) -> None:
    """Train, and print the history as it grows, the epochs of an earlier run included."""
    progress = sys.stderr.isatty()
    epochs = checkpoint.epochs(training, path, progress=progress, write=is_first())
    num_printed = _print_from(training.history, 0)
    try:
        for _ in epochs:
            num_printed = _print_from(training.history, num_printed)
    except KeyboardInterrupt:  # between two epochs
        training.history.interrupted = True
    _print_from(training.history, num_printed)


def _print_from(history: History, num_printed: int) -> int:
    lines = str(history).splitlines()
    for line in lines[num_printed:]:
        tqdm.write(line)  # above the progress bar
    return len(lines)


def _save(training: Training, options: argparse.Namespace) -> None:
    score = training.history.epochs[-1].test
    card = card_for(options.network, training.data, score.accuracy)
    save_trained(training.model, options.save, card)
    if options.checkpoint is None:  # its place is ours, not the user's choice
        checkpoint.delete(_checkpoint(options))
    print(f"test accuracy {score.accuracy:.2%} ({score.num_correct:,} of {score.num_examples:,})")
    print(f"weights saved: {options.save}")
