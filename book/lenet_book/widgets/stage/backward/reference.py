"""PyTorch's own gradients, which the walk back is compared with where a kernel runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch
import torch.nn.functional as F
from ipywidgets import Widget
from torch import Tensor, nn

from lenet.tracing import Step
from lenet_book.widgets.stage.program import Program

Instructions = Sequence[Mapping[str, Any]]
"""Those of a program, with the names of their steps."""

_ATTRIBUTES = {"mean": "running_mean", "deviation": "running_var"}  # others are called as the role


class Reference:
    """Goes back through a network as PyTorch does, with the weights that the page has.

    Args:
        model: A copy in evaluation mode that nobody else uses.
        instructions: Its program.
        arrays: The arrays of the program, by name.
    """

    def __init__(
        self, model: nn.Module, instructions: Instructions, arrays: Mapping[str, Tensor]
    ) -> None:
        for parameter in model.parameters():
            parameter.data = parameter.data.clone()
        self._model = model
        self._shape = instructions[0]["shape"]
        self._tensors = tensors_of(model, instructions, arrays)
        self._own = {name: tensor.data for name, tensor in self._tensors.items()}
        self._eps = {i["deviation"]: i["eps"] for i in instructions if "deviation" in i}
        last = instructions[-1]
        self._returns_shares = last["kind"] == "softmax" and "added" not in last

    def answer(self, widget: Widget, question: dict[str, Any], buffers: list[memoryview]) -> None:
        """Answer the front end.

        Args:
            widget: Sends the answer: the loss, and the gradients in the order of their names; or
                the reason why there are none.
            question: Its `number`, which the answer repeats; the `label`; and the names of the
                arrays that the reader has changed.
            buffers: float32 each: the picture as the network takes it, and those arrays.
        """
        picture, *changed = (torch.frombuffer(bytearray(b), dtype=torch.float32) for b in buffers)
        try:
            self._take_over(dict(zip(question["names"], changed, strict=True)))
            loss, gradients = self.gradients(picture, question["label"])
        except Exception as error:  # which the learner's own `forward` may raise
            widget.send({"number": question["number"], "reason": str(error)})
            return
        content = {"number": question["number"], "loss": loss, "names": list(gradients)}
        widget.send(content, [gradient.numpy().tobytes() for gradient in gradients.values()])

    def gradients(self, picture: Tensor, label: int) -> tuple[float, dict[str, Tensor]]:
        """Compute the loss of one picture, and the gradients of the weights by the names of arrays.

        Args:
            picture: float32, with as many numbers as a picture that the network takes.
            label: What it is.
        """
        self._model.zero_grad()
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            output = self._model(picture.reshape(1, *self._shape))
            target = torch.tensor([label])
            if self._returns_shares:
                loss = F.nll_loss(output.log(), target)
            else:
                loss = F.cross_entropy(output, target)
            loss.backward()
        grads = {name: tensor.grad for name, tensor in self._tensors.items()}
        return loss.item(), {name: grad for name, grad in grads.items() if grad is not None}

    def _take_over(self, changed: Mapping[str, Tensor]) -> None:
        """Have the weights that the page has: what it changed, and all others as they came."""
        if computed := changed.keys() - self._tensors.keys():
            raise LookupError(f"the network computes {', '.join(computed)} from its parameters")
        data = dict(self._own)
        for name, values in changed.items():
            numbers = values.reshape(data[name].shape)
            data[name] = numbers**2 - self._eps[name] if name in self._eps else numbers
        for name, tensor in self._tensors.items():
            tensor.data = data[name]


def tensors_of(
    model: nn.Module, instructions: Instructions, arrays: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Find, by the names of arrays, the parameters and buffers that they were made from."""
    parameters = model.named_parameters(remove_duplicate=False)
    own = dict(chain(parameters, model.named_buffers(remove_duplicate=False)))
    found: dict[str, Tensor] = {}
    for instruction in instructions:
        for role in ("weight", "bias", "mean", "deviation"):
            if role not in instruction:
                continue
            array = arrays[instruction[role]]
            eps = instruction["eps"] if role == "deviation" else None
            equal = [name for name, tensor in own.items() if _became(tensor, array, eps)]
            meant = f"{instruction['name']}.{_ATTRIBUTES.get(role, role)}"
            if equal:
                found.setdefault(instruction[role], own[meant if meant in equal else equal[0]])
    return found


def _became(tensor: Tensor, array: Tensor, eps: float | None) -> bool:
    """Tell whether an array is a tensor as it is, or the deviation of a variance."""
    if tensor.shape != array.shape:
        return False
    return torch.equal(array, tensor.to(array.dtype) if eps is None else (tensor + eps).sqrt())


def mark_frozen(model: nn.Module, program: Program, steps: Sequence[Step]) -> None:
    """Say of each instruction, as ``frozen``, which of its arrays do not learn.

    Args:
        model: What the program was made from.
        program: Its instructions have the names of their steps.
        steps: Those after the first instruction.
    """
    tensors = tensors_of(model, program.instructions, program.arrays)
    for instruction, step in zip(program.instructions[1:], steps, strict=True):
        is_learned = step.num_trainable > 0  # what is computed from parameters
        own = (instruction[role] for role in ("weight", "bias") if role in instruction)
        learns = {n: tensors[n].requires_grad if n in tensors else is_learned for n in own}
        if frozen := [name for name in learns if not learns[name]]:
            instruction["frozen"] = frozen
