"""Chapter 6: an update by hand, four orders, four quarters, a loop, an optimizer, a program."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Set
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.models import NarrowLeNet
from lenet_book.exercises import NotYet, check, need

Batches = list[tuple[Tensor, Tensor]]

SLOPES = {
    -16: "The slope: the size is right, the sign is not. The error is prediction minus answer.",
    4: "The slope: that is the loss, or one factor of the chain alone. There are three factors.",
    2: "The slope: that is the error. How much does the loss grow with the error?",
    8: "The slope: a factor is missing. The prediction grows 4 times as fast as w, the loss 2e "
    "times as fast as the error.",
    64: "The slope: the factors are 4, 1 and 2e, and e is 2, not 8.",
    32: "The slope: count the factor 2 once.",
    -8: "The slope: that is the last factor of the example in the chapter. Here x, y differ.",
}
WEIGHTS = {
    1.16: "The new weight: you went up the slope. The update is subtracted.",
    0.16: "The new weight: that is how far it moves. Where does it arrive?",
    -0.16: "The new weight: that is how far it moves. Where does it arrive?",
    -15: "The new weight: the learning rate is missing.",
    0.984: "The new weight: the learning rate is 0.01, not 0.001.",
    -0.6: "The new weight: the learning rate is 0.01, not 0.1.",
    0.2: "The new weight: the learning rate is 0.01, not 0.05 as in the example.",
}


@check
def one_update(slope: float, new_weight: float) -> None:
    """Check exercise 1: slope and update of (w · 4 − 2)² at w = 1, at a learning rate of 0.01.

    Args:
        slope: Of the loss; a small nudge is exact enough.
        new_weight: After one update.
    """
    for answer in (slope, new_weight):
        need(isinstance(answer, (int, float)), f"{answer!r} is no number.")
    for answer, right, mistakes, hint in (
        (slope, 16, SLOPES, "The slope is not right: multiply the three factors of the chain."),
        (new_weight, 0.84, WEIGHTS, "The slope is right. The new weight is w − lr · slope."),
    ):
        for mistaken, told in mistakes.items():
            need(not math.isclose(answer, mistaken, abs_tol=0.001), told)
        need(math.isclose(answer, right, rel_tol=0.005), hint)


FIRST, LAST = slice(25), slice(75, 100)  # quarters of a batch
LEARNS = {
    "A": "A is the loop of the chapter.",
    "B": "B: what is in `grad` when `step` reads it?",
    "C": "C: does the forward pass read `grad`? When is it cleared, before `backward` or after?",
    "D": "D: follow it into the second round. What has `zero_grad` done when `step` comes?",
}


@check
def orders(letters: Set[str]) -> None:
    """Check exercise 2: which of four orders of the same lines train a network.

    Args:
        letters: Some of A, B, C and D.
    """
    known = isinstance(letters, (set, frozenset, list, tuple, str))
    given = {str(letter).upper() for letter in letters} if known else set()
    need(known and given <= set(LEARNS), 'Give a set of letters, such as {"A", "B"}.')
    for letter in sorted(given ^ {"A", "C"}):
        says = "learns" if letter in given else "does not learn"
        need(False, f"You say that {letter} {says}. {LEARNS[letter]}")


def _network() -> NarrowLeNet:
    """Return the chapter's `new_network()`, and leave the state of chance as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NarrowLeNet()


def _gradient(images: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    network = _network()
    F.cross_entropy(network(images), labels, reduction=reduction).backward()
    gradient = network.out.bias.grad
    assert gradient is not None
    return gradient


@check
def quarters(gradient: Tensor, images: Tensor, labels: Tensor) -> None:
    """Check exercise 3: the gradient of a batch, added up from its quarters.

    Args:
        gradient: Of the bias of the last layer, (10,).
        images: float32 (100, 1, 28, 28).
        labels: int64 (100,).
    """
    need(torch.is_tensor(gradient), f"A gradient is a tensor; yours is {gradient!r:.40}.")
    shape = tuple(gradient.shape)
    need(shape == (10,), f"The gradient of `out.bias` has the shape (10,); yours is {shape}.")
    if isinstance(gradient, nn.Parameter):
        raise NotYet("That is the bias itself. Its gradient is in `.grad`.")
    wanted = _gradient(images, labels)
    first, last = (_gradient(images[part], labels[part]) for part in (FIRST, LAST))
    mistakes = {
        "Four times too large: each loss is a mean over 25, not over 100.": 4 * wanted,
        "A hundred times too large: with the sum as the loss, divide by 100.": 100 * wanted,
        "Four times too small: divide each quarter once.": wanted / 4,
        "Twenty-five times too small: the loss is a mean over 25 already.": 4 * wanted / 100,
        "That is the last quarter alone. Is something cleared between the calls?": last / 4,
        "That is the last quarter alone, and not divided by 4.": last,
        "That is the first quarter's. Are there four calls, and does the slice move on?": first,
        "That is the first quarter's, divided by 4. Are there four calls?": first / 4,
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(gradient, mistaken, rtol=1e-3, atol=1e-6), hint)
    need(
        torch.allclose(gradient, wanted, rtol=1e-3, atol=1e-5),
        "Not the gradient of the whole batch. Is the network new, with no gradients from before?",
    )


def _small() -> nn.Linear:
    """Return a network for vectors of 3 numbers and 4 classes: every call the same."""
    network = nn.Linear(3, 4)
    with torch.no_grad():
        network.weight.copy_(torch.linspace(-1, 1, 12).reshape(4, 3))
        network.bias.copy_(torch.tensor([0.5, -0.5, 0.2, 0.0]))
    return network


def _batches() -> Batches:
    """Return batches of 4, 4 and 1 vectors with labels."""
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(9, 3, generator=generator)
    labels = torch.randint(4, (9,), generator=generator)
    return [(vectors[start : start + 4], labels[start : start + 4]) for start in (0, 4, 8)]


def _sgd(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), lr=0.3, momentum=0.5)


def _weights(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def _trained(
    epochs: int, *, clear: bool = True, softmax: bool = False
) -> tuple[Tensor, list[float]]:
    """Train the small network, if need be wrongly; return its weights and the batches' losses."""
    network, losses = _small(), []
    optimizer = _sgd(network)
    for vectors, labels in epochs * _batches():
        if clear:
            optimizer.zero_grad()
        scores = network(vectors)
        loss = F.cross_entropy(scores.softmax(dim=1) if softmax else scores, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return _weights(network), losses


def _check_weights(network: nn.Module, optimizer: torch.optim.Optimizer, epochs: int) -> None:
    """Say what is wrong with a loop by the weights that it leaves."""
    weights = _weights(network)
    need(
        not torch.equal(weights, _weights(_small())),
        "The network that you were given has not changed. Is there a `step`, does `backward` come "
        "between `zero_grad` and it, and do you train this network, not a global one?",
    )
    need(
        len(optimizer.state) > 0,
        "The optimizer that you were given has made no step. Do you make another one?",
    )
    mistakes = {
        "Two faults show in the weights. What does `backward` do to slopes that are there, and "
        "which operation does the loss contain already?": _trained(
            epochs, clear=False, softmax=True
        )[0],
        "Gradients of earlier batches add up. Which line is missing?": _trained(
            epochs, clear=False
        )[0],
        "The loss contains the softmax already. Hand it the scores.": _trained(
            epochs, softmax=True
        )[0],
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(weights, mistaken, atol=1e-5), hint)
    need(
        torch.allclose(weights, _trained(epochs)[0], atol=1e-5),
        "The weights move, but not as they should after one update for each batch, in order.",
    )


@check
def epoch(function: Callable[[nn.Module, Batches, torch.optim.Optimizer], float]) -> None:
    """Check exercise 4: one pass over the batches.

    Args:
        function: Takes a network, batches and an optimizer; trains, and returns the mean loss
            per picture.
    """
    network = _small()
    optimizer = _sgd(network)
    mean = function(network, _batches(), optimizer)
    _check_weights(network, optimizer, epochs=1)
    need(mean is not None, "The training is right. Your function returns nothing.")
    need(isinstance(mean, float), f"Return a plain number, not a {type(mean).__name__}: `item()`.")
    losses, lengths = _trained(1)[1], (4, 4, 1)
    whole = sum(loss * n for loss, n in zip(losses, lengths, strict=True))
    mistakes = {
        "The training is right. You return the mean of the batches' means: the last batch has one "
        "picture, and as much say as the others.": sum(losses) / 3,
        "The training is right. You return the sum over batches.": sum(losses),
        "The training is right. You return the sum over pictures. Divide by their number.": whole,
        "The training is right. You weight by pictures, and divide by batches.": whole / 3,
        "The training is right. You divide by pictures what is a sum of means: weight each loss "
        "by its batch's length.": sum(losses) / 9,
    }
    for hint, mistaken in mistakes.items():
        need(not math.isclose(mean, mistaken, rel_tol=1e-4), hint)
    hint = f"The training is right. The mean loss is {whole / 9:.4f}; you return {mean:.4f}."
    need(math.isclose(mean, whole / 9, rel_tol=1e-4), hint)


class _Sgd:
    """SGD with momentum, and what slips make of it."""

    def __init__(
        self,
        parameters: Iterator[nn.Parameter],
        lr: float = 0.1,
        momentum: float = 0.9,
        added: float = 1.0,
        clear: bool = True,
    ) -> None:
        self.parameters = list(parameters)
        self.lr, self.momentum, self.added, self.clear = lr, momentum, added, clear
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]

    def zero_grad(self) -> None:
        for parameter in self.parameters if self.clear else []:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
            assert parameter.grad is not None
            velocity.mul_(self.momentum).add_(self.added * parameter.grad)
            parameter.sub_(self.lr * velocity)


def _walked(make: Callable[..., Any], num_steps: int = 4) -> Tensor:
    """Return the weights after some steps of an optimizer, on one batch."""
    network = _small()
    optimizer = make(network.parameters(), lr=0.1, momentum=0.9)
    vectors, labels = _batches()[0]
    for _ in range(num_steps):
        optimizer.zero_grad()
        F.cross_entropy(network(vectors), labels).backward()
        optimizer.step()
    return _weights(network)


@check
def optimizer(kind: type[Any]) -> None:
    """Check exercise 5: SGD with momentum.

    Args:
        kind: The class; `kind(parameters, lr, momentum)` has the methods `zero_grad` and `step`.
    """
    need(isinstance(kind, type), "Hand over the class itself, without brackets behind it.")
    has_init = kind.__init__ is not object.__init__
    need(has_init, "Your class has no `__init__` yet, which takes parameters, lr and momentum.")
    for name in ("zero_grad", "step"):
        need(callable(getattr(kind, name, None)), f"Your class has no method `{name}` yet.")
    weights = _walked(kind)
    need(
        not torch.equal(weights, _weights(_small())),
        "No parameter has moved. `network.parameters()` can be walked through only once: keep "
        "list(parameters). And `parameter = parameter - …` makes a new tensor; `-=` changes the "
        "one that the network has.",
    )
    mistakes: dict[str, dict[str, Any]] = {
        "The momentum is missing: the velocity has to last from step to step.": {"momentum": 0.0},
        "`zero_grad` clears nothing, so the gradients add up.": {"clear": False},
        "You go up the slope: subtract.": {"lr": -0.1},
        "The learning rate is missing.": {"lr": 1.0},
        "You average the slopes, as Adam does. SGD adds the whole slope to the velocity.": {
            "added": 0.1
        },
        "The learning rate comes in twice, in the velocity and in the step.": {"lr": 0.01},
    }
    for hint, slip in mistakes.items():
        mistaken = _walked(lambda parameters, slip=slip, **given: _Sgd(parameters, **given | slip))
        need(not torch.allclose(weights, mistaken, atol=1e-6), hint)
    first = torch.allclose(_walked(kind, 1), _walked(_Sgd, 1), atol=1e-6)
    need(first, "The first step is another one than SGD's. There the velocity is the slope.")
    need(
        torch.allclose(weights, _walked(_Sgd), atol=1e-6),
        "The first step is right, later ones are not. Has every parameter a velocity of its own, "
        "and is the new one stored?",
    )


@check
def train(function: Callable[[nn.Module, Batches, torch.optim.Optimizer, int], Any]) -> None:
    """Check exercise 6: a training, and its losses.

    Args:
        function: Takes a network, a loader, an optimizer and the number of epochs; returns the
            losses of all batches, a list of numbers.
    """
    network = _small()
    optimizer = _sgd(network)
    losses = function(network, _batches(), optimizer, 2)
    need(losses is not None, "Your function returns nothing. Is there a return?")
    need(isinstance(losses, list), f"Return a list; yours is a {type(losses).__name__}.")
    need(
        not any(torch.is_tensor(loss) for loss in losses),
        "Your list holds tensors, each with its graph. `item()` gives the plain number.",
    )
    lengths = {
        0: "Your list is empty. Is `append` inside the loop?",
        1: "One loss after two epochs of three batches. Is the return inside a loop?",
        2: "One loss for each epoch. Keep that of every batch.",
        3: "Three batches, two epochs, three losses. Is the second epoch missing, or does the list "
        "begin anew in each?",
    }
    hint = lengths.get(len(losses), f"Three batches, two epochs, {len(losses)} losses.")
    need(len(losses) == 6, hint)
    _check_weights(network, optimizer, epochs=2)
    wanted = _trained(2)[1]
    close = [math.isclose(a, b, rel_tol=1e-4) for a, b in zip(losses, wanted, strict=True)]
    need(all(close), "The training is right, but these are not the batches' losses, in order.")
