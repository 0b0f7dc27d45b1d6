"""Checkpoints: a training that was stopped, even by a power cut, goes on as if it had not been.

    history = checkpoint.fit(model, data, settings, "fashion.checkpoint")

trains as `lenet.train.fit` does and stores everything that the next epoch depends on after each.
The same line again, with a newly made network, goes on where the file stops. On the CPU the
weights at the end equal those of an uninterrupted training bit for bit.

A checkpoint is a safetensors file: tensors by name, and all else as JSON in its metadata. Reading
it runs no code. It holds the SHA-256 checksum of itself, so that damage is noticed; then the
training goes on from the checkpoint before, which is kept beside it as ``NAME.previous``.

Equal trainings give equal checkpoints but for the seconds of every epoch, which belong to the
history that is printed; the weights that come out of them are equal byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lenet import __version__
from lenet.atomic import check_writable, write_atomically
from lenet.data import ImageData
from lenet.models.weights import pack, unpack
from lenet.train.history import Epoch, History, Score
from lenet.train.loop import Training
from lenet.train.settings import Settings

FORMAT = 1  # of the file: counted up when its content changes
DAMAGED = "is damaged, or no checkpoint of this version. Restore it from a copy, or start anew."
NUM_DIFFERENCES_SHOWN = 5


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why and what to do."""


def fit(
    model: nn.Module,
    data: ImageData,
    settings: Settings,
    path: str | Path,
    *,
    progress: bool = True,
) -> History:
    """Train as `lenet.train.fit` does, or go on with a training that was stopped.

    Args:
        model: A newly made network; if there is a checkpoint, its weights are loaded from there.
        data: Training and test images.
        settings: How to train. With a constant learning rate, more epochs may be asked for than
            before.
        path: The checkpoint. It is made if it is not there.
        progress: Whether to show a progress bar.

    Returns:
        The history from the first epoch on, those before the stop included.

    Raises:
        CheckpointError: The file is damaged, or belongs to another training.
        OSError: The file cannot be written. The checkpoint of the epoch before is untouched.
        DivergedError: The loss became infinite or not a number.
    """
    training = Training(model, data, settings)
    for _ in epochs(training, path, progress=progress):
        pass
    return training.history


def epochs(
    training: Training, path: str | Path, *, progress: bool = True, write: bool = True
) -> Iterator[Epoch]:
    """Go on with a training, and store it after every epoch.

    Args:
        training: A training that has not begun.
        path: Its checkpoint. If it is there, the training is brought to where it stops; if not, it
            is written at once, so that a folder that is missing or protected is found out early.
        progress: Whether to show a progress bar.
        write: Whether to write. Of several processes with the same training only one should.

    Returns:
        The epochs that are left. Each is trained when it is asked for, and given when it is stored.

    Raises:
        CheckpointError: As in `fit`.
        OSError: As in `fit`.
        DivergedError: As in `fit`.
    """
    checkpoint = Checkpoint(training, path)
    if checkpoint.path.exists():
        checkpoint.resume()
    elif write:
        checkpoint.save()
    return _stored_epochs(checkpoint, progress, write)


def _stored_epochs(checkpoint: Checkpoint, progress: bool, write: bool) -> Iterator[Epoch]:
    training = checkpoint.training
    try:
        for epoch in training.epochs(progress=progress):
            if write:
                checkpoint.save()
            yield epoch
    except KeyboardInterrupt:  # while saving: the file is as it was after the epoch before
        training.history.interrupted = True
        training.model.eval()


class Checkpoint:
    """The file in which one training is kept.

    Args:
        training: The training.
        path: The file; it need not exist.

    Attributes:
        training: The training.
        path: The file.
        previous: The file in which the one before is kept.
        plan: What must be the same for a training to go on: version, network, data, settings,
            augmentation and loss.
    """

    def __init__(self, training: Training, path: str | Path) -> None:
        self.training, self.plan = training, _plan(training)
        self.path, self.previous = Path(path), previous(path)
        self._last: Path | None = None  # which of the two holds the last epoch

    def save(self) -> None:
        """Store the training as it is now, between two epochs.

        Raises:
            OSError: The file cannot be written; what was there before is untouched.
        """
        training = self.training
        optimizer = training.optimizer.state_dict()
        tensors = {f"model/{name}": t for name, t in training.model.state_dict().items()}
        for number, state in optimizer["state"].items():
            tensors |= {f"optimizer/{number}/{name}": t for name, t in state.items()}
        tensors |= {f"generator/{name}": t for name, t in _generators(training).items()}
        content = {
            "format": FORMAT,
            "plan": self.plan,
            "data": training.data.source,
            "torch": torch.__version__,
            "history": [asdict(epoch) for epoch in training.history.epochs],
            "optimizer": optimizer["param_groups"],
            "scheduler": training.scheduler and training.scheduler.state_dict(),
            "scaler": training.scaler and training.scaler.state_dict(),
        }
        if self._last == self.path and self.path.exists():
            write_atomically(self.previous, self.path.read_bytes())
        elif self._last is None:
            check_writable(self.previous)
        write_atomically(self.path, pack(tensors, {"checkpoint": json.dumps(content)}))
        self._last = self.path

    def resume(self) -> None:
        """Bring the training to where the file has it.

        It may lie on another device than before; then its weights will be the same but for
        rounding and dropout. So may those of another version of PyTorch, of which you are warned,
        as you are if the file is damaged and the one before takes its place.

        Raises:
            FileNotFoundError: There is no such file.
            CheckpointError: The file is damaged, or belongs to another training, which is then as
                it was.
        """
        tensors, content = self._read()
        self._compare(content)
        if content["torch"] != torch.__version__:
            warnings.warn(
                f"{self.path} was written with PyTorch {content['torch']}, this is "
                f"{torch.__version__}: the weights at the end may differ in their last digits",
                stacklevel=2,
            )
        training = self.training
        training.model.load_state_dict(_below("model/", tensors))
        parameters = [p for group in training.optimizer.param_groups for p in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below("optimizer/", tensors).items():
            number, _, key = name.partition("/")
            state.setdefault(int(number), {})[key] = _laid_out_as(parameters[int(number)], tensor)
        training.optimizer.load_state_dict({"state": state, "param_groups": content["optimizer"]})
        for name in ("scheduler", "scaler"):
            if getattr(training, name) is not None:
                getattr(training, name).load_state_dict(content[name])
        _set_generators(training, _below("generator/", tensors))
        training.history.epochs = [
            Epoch(e["number"], Score(**e["train"]), Score(**e["test"]), e["seconds"])
            for e in content["history"]
        ]

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Read the file, or the one before where it is damaged."""
        self._last = self.path
        try:
            return read(self.path)
        except CheckpointError as damage:
            try:
                found = read(self.previous)
            except (OSError, CheckpointError):
                raise damage from None
        warnings.warn(f"{self.path} is damaged: going on from {self.previous}", stacklevel=3)
        self._last = self.previous
        return found

    def _compare(self, content: dict[str, Any]) -> None:
        done = len(content["history"])
        stored = _of_settings(Settings()) | content["plan"]  # a setting may be newer than the file
        differences = _differences(stored, self.plan, done)
        if differences:
            more = len(differences) - NUM_DIFFERENCES_SHOWN
            more_told = [f"… and {more} more"] if more > 0 else []
            told = "\n  ".join(differences[:NUM_DIFFERENCES_SHOWN] + more_told)
            raise CheckpointError(
                f"{self.path} belongs to another training, with {done} finished epochs on "
                f"{content['data']}:\n  {told}\nGo on as that one began, name another file, or "
                "delete this one to start anew."
            )


def _differences(stored: dict[str, Any], wanted: dict[str, Any], num_epochs: int) -> list[str]:
    """Say what differs between two plans, the first with so many finished epochs."""
    may_go_on = wanted["epochs"] >= num_epochs
    constant = stored["schedule"] == wanted["schedule"] == "constant"
    return [
        f"{name}: {stored.get(name, 'none')} there, {wanted.get(name, 'none')} here"
        for name in stored | wanted
        if stored.get(name) != wanted.get(name)
        and not (name == "epochs" and constant and may_go_on)
    ]


def previous(path: str | Path) -> Path:
    """Return where the checkpoint before the one in a file is kept."""
    return Path(f"{path}.previous")


def delete(path: str | Path) -> None:
    """Delete a checkpoint and the one before it."""
    for file in (Path(path), previous(path)):
        file.unlink(missing_ok=True)


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint and check that it is whole.

    Returns:
        Its tensors by name, and all else that it holds, such as the ``"history"``.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is damaged, no checkpoint, or of another format.
    """
    try:
        tensors, metadata = unpack(path)
        content = json.loads(metadata["checkpoint"])
        number = content["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} {DAMAGED}") from error
    if number != FORMAT:
        raise CheckpointError(f"{path} {DAMAGED}")
    return tensors, content


def _plan(training: Training) -> dict[str, Any]:
    """Describe in JSON's terms everything that decides which weights come out."""
    model = training.model
    leaves = [(name, m) for name, m in model.named_modules() if not [*m.children()]]
    return {
        "lenet": __version__,
        "network": type(model).__name__,
        **{f"layer {name}": repr(module) for name, module in leaves},
        **{f"shape of {name}": [*tensor.shape] for name, tensor in model.state_dict().items()},
        "checksum of the data": _data_checksum(training.data),
        **_of_settings(training.settings),
    }


def _of_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide which weights come out: all but the device."""
    code = {"augmentation": _name(settings.augment), "loss": _name(settings.loss_function)}
    return {name: value for name, value in settings.as_json().items() if name != "device"} | code


def _name(thing: object) -> str:
    """Say what a function or object is and how it is set, without its place in memory."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing))


def _data_checksum(data: ImageData) -> str:
    """Return the SHA-256 checksum of all images, labels and constants of normalisation."""
    checksum = hashlib.sha256(repr((data.mean, data.std)).encode())
    for split in (data.train, data.test):
        for tensor in (split.images, split.labels):
            checksum.update(str(tuple(tensor.shape)).encode())
            checksum.update(tensor.cpu().contiguous().numpy().data)
    return checksum.hexdigest()


def _generators(training: Training) -> dict[str, Tensor]:
    """Return the state of every generator of random numbers that training uses."""
    states = {"order": training.generator.get_state(), "cpu": torch.get_rng_state()}
    if training.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(training.device)
    return states


def _set_generators(training: Training, states: dict[str, Tensor]) -> None:
    training.generator.set_state(states["order"])
    torch.set_rng_state(states["cpu"])
    if training.device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], training.device)


def _laid_out_as(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Give what belongs to a parameter its memory format; fused updates go by places in memory."""
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
