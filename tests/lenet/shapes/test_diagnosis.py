"""What is said of a failure is true: of a lost batch, of operands, of a call and of a loss."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.shapes import Explanation, ShapeError, explain, explaining


class Net(nn.Module):
    """Layers, and what is done with them."""

    def __init__(self, forward: Callable[..., object], **layers: nn.Module) -> None:
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *args: object, **kwargs: object) -> object:
        return self.run(self, *args, **kwargs)


def explanation_of(model: nn.Module, *inputs: Tensor) -> Explanation:
    explanation = explain(model, inputs).explanation
    assert explanation is not None
    return explanation


# ------------------------------------------------------------------------------ a lost batch


@pytest.mark.parametrize(
    ("forward", "images", "what"),
    [
        (
            lambda self, x: x.permute(0, 2, 3, 1).reshape(-1, 5),
            torch.rand(3, 5, 6, 6),
            "reshape turns (3, 6, 6, 5) into (108, 5): 3 images go in, but the first axis is 108 "
            "afterwards, and no longer the batch, because every image is split into 36 rows",
        ),
        (
            lambda self, x: x.view(-1, 100),
            torch.rand(25, 4, 6, 6),
            "view turns (25, 4, 6, 6) into (36, 100): 25 images go in, but the first axis is 36 "
            "afterwards, and no longer the batch, so the numbers of different images are mixed",
        ),
        (
            lambda self, x: x.squeeze(),
            torch.rand(1, 7),
            "squeeze turns (1, 7) into (7,): 1 image goes in, but the first axis is 7 "
            "afterwards, and no longer the batch",
        ),
        (
            lambda self, x: x[0],
            torch.rand(4, 7, 2),
            "x[0] turns (4, 7, 2) into (7, 2): 4 images go in, but the first axis is 7 "
            "afterwards, and no longer the batch, because some images are left out",
        ),
        (
            lambda self, x: x.mean(0),
            torch.rand(4, 7),
            "mean turns (4, 7) into (7,): 4 images go in, but the first axis is 7 afterwards, and "
            "no longer the batch, so the numbers of different images are mixed",
        ),
        (
            lambda self, x: torch.cat([x, x + 1]),
            torch.rand(4, 7),
            "cat turns (4, 7) into (8, 7): 4 images go in, but the first axis is 8 afterwards, "
            "and no longer the batch, because every image has 2 rows",
        ),
        (
            lambda self, x: x.t(),
            torch.rand(4, 7),
            "t turns (4, 7) into (7, 4): 4 images go in, but the first axis is 7 afterwards, and "
            "no longer the batch, so the numbers of different images are mixed",
        ),
    ],
)
def test_a_lost_batch_is_told_apart_by_what_lost_it(forward, images, what):
    explanation = explanation_of(Net(forward), images)
    assert explanation.what == what
    assert explanation.error == ""


def test_a_batch_is_not_taken_for_an_axis_that_is_as_long_by_chance():
    network = Net(lambda self, x: x[0])
    assert network(torch.rand(3, 3, 8)).shape == (3, 8)
    assert explanation_of(network, torch.rand(3, 3, 8)).what == (
        "x[0] turns (5, 3, 8) into (3, 8): 5 images go in, but the first axis is 3 afterwards, "
        "and no longer the batch, because some images are left out"
    )
    assert explain(Net(lambda self, x: x.transpose(1, 2)), torch.rand(3, 3, 8)).explanation is None


@pytest.mark.parametrize(
    ("layer", "rest"),
    [
        (nn.LSTM(8, 6), lambda found: found[0][-1]),
        (nn.LSTM(8, 6), lambda found: found[0][:, -1]),
        (nn.TransformerEncoderLayer(8, 2, 16), lambda found: found.mean(1)),
    ],
)
def test_a_layer_that_takes_the_batch_for_a_sequence(layer, rest):
    network = Net(lambda self, x: rest(self.layer(x)), layer=layer)
    assert "has batch_first=False: it takes the first axis of (4, 28, 8) for the sequence" in (
        explanation_of(network, torch.rand(4, 28, 8)).what
    )


def test_what_keeps_every_image_to_itself_is_left_alone():
    fold = Net(lambda self, x: x.reshape(-1, 2).square().view(len(x), -1))
    lstm = Net(lambda self, x: self.lstm(x)[0][:, -1], lstm=nn.LSTM(8, 6, batch_first=True))
    whole = nn.LSTM(8, 6)  # of a sequence whose first axis is time
    graph = Net(lambda self, edges, nodes: nodes[edges[0]].sum() + nodes)
    edges = torch.zeros(2, 9, dtype=torch.long)
    assert explain(fold, torch.rand(3, 8)).explanation is None
    assert explain(lstm, torch.rand(4, 28, 8)).explanation is None
    assert explain(whole, torch.rand(28, 4, 8)).explanation is None
    assert explain(graph, (edges, torch.rand(5, 3))).explanation is None


def test_images_without_channels_are_not_counted_as_channels():
    assert explanation_of(nn.Conv3d(1, 4, 3), torch.rand(2, 8, 12, 12)).what == (
        "Conv3d expects the shape (N, 1, D, H, W), but gets (2, 8, 12, 12) "
        "and takes its first axis for the channels"
    )


# ------------------------------------------------------------------------------ operands


@pytest.mark.parametrize(
    ("forward", "images", "what"),
    [
        (
            lambda self, x: x + x[:, :2],
            torch.rand(4, 3, 5, 5),
            "x + x[:, :2] needs the same sizes, but x is (N, 3, 5, 5) and x[:, :2] is (N, 2, 5, 5)",
        ),
        (
            lambda self, x: torch.cat([x, x[..., :4]], dim=1),
            torch.rand(4, 3, 5, 5),
            "cat needs the same size on every axis but axis 1, but x is (N, 3, 5, 5) "
            "and x[..., :4] is (N, 3, 5, 4)",
        ),
        (
            lambda self, x: x @ x,
            torch.rand(4, 3, 5),
            "x @ x needs as many columns on the left as rows on the right, "
            "but x is (N, 3, 5) and x is (N, 3, 5)",
        ),
        (
            lambda self, x: x.transpose(1, 2).view(x.size(0), -1),
            torch.rand(4, 3, 5),
            "view needs numbers that lie in memory in the order of the axes, "
            "but transpose gives (N, 5, 3) in another order",
        ),
        (
            lambda self, x: x.view(x.size(0), 16),
            torch.rand(4, 3, 5),
            "view asks for (x.size(0), 16), but the images are (N, 3, 5): 15 numbers per image",
        ),
    ],
)
def test_operands_are_named_as_in_the_code(forward, images, what):
    assert explanation_of(Net(forward), images).what == what


def test_python_code_between_two_operations_is_shown_with_its_shapes():
    def forward(self: Net, x: Tensor) -> Tensor:
        b, t, c, h, w = x.shape
        return x.view(b * t, c, h, w)

    text = str(explanation_of(Net(forward), torch.rand(4, 3, 8, 8)))
    assert text.startswith("b, t, c, h, w = x.shape raises ValueError, where x is (N, 3, 8, 8).")
    assert text.endswith("\nPython says: not enough values to unpack (expected 5, got 4)")


def test_paths_that_part_and_meet_again_are_not_walked_one_by_one():
    def forward(self: Net, x: Tensor) -> Tensor:
        for _ in range(40):  # 2 to the power of 40 paths
            x = x * torch.sigmoid(x)
        return self.fc(x)

    text = explanation_of(Net(forward, fc=nn.Linear(9, 2)), torch.zeros(3, 1, 8, 8)).what
    assert text.startswith("fc expects 9 features")


@pytest.mark.parametrize("code", ["conv(relu)", "conv(made)", "function"])
def test_a_layer_in_place_of_a_tensor_is_named(code):
    run = {
        "conv(relu)": lambda self, x: self.conv(self.relu),
        "conv(made)": lambda self, x: self.conv(nn.ReLU(x)),
        "function": lambda self, x: F.relu(self.relu) + x,
    }[code]
    network = Net(run, conv=nn.Conv2d(1, 4, 3), relu=nn.ReLU())
    text = str(explanation_of(network, torch.zeros(2, 1, 8, 8)))
    assert "because it gets a layer, ReLU, instead of a tensor." in text


def test_a_tuple_where_a_tensor_was_meant_is_shown_as_one():
    def forward(self: Net, x: Tensor) -> Tensor:
        found = self.lstm(x)
        return found.mean(1)

    assert explanation_of(Net(forward, lstm=nn.LSTM(8, 6)), torch.rand(3, 7, 8)).what == (
        "return found.mean(1) raises AttributeError, where found is "
        "a tuple of (N, 7, 6) and (1, 7, 6) and (1, 7, 6)"
    )


@pytest.mark.parametrize(
    ("layer", "inputs", "what"),
    [
        (nn.LayerNorm(24), torch.rand(3, 24, 7), "LayerNorm needs shapes that end in (24,), but "),
        (
            nn.Sequential(nn.LSTM(8, 6), nn.Linear(6, 2)),
            torch.rand(3, 7, 8),
            "model[1] takes one tensor, but gets a tuple of (N, 7, 6) and ",
        ),
        (
            nn.Embedding(9, 4),
            torch.full((3, 7), 9),
            "Embedding needs whole numbers below 9, but it gets (N, 7)",
        ),
        (
            nn.Embedding(9, 4),
            torch.rand(3, 7),
            "Embedding takes whole numbers (int64), but gets float32",
        ),
    ],
)
def test_layers_say_what_they_need(layer, inputs, what):
    assert explanation_of(layer, inputs).what.startswith(what)


def test_the_size_that_features_ask_for_is_reckoned():
    network = Net(
        lambda self, x: self.fc(torch.flatten(x, 1)), fc=nn.Linear(400, 10, dtype=torch.float32)
    )
    assert explanation_of(network, torch.rand(2, 16, 6, 4)).why == (
        "400 = 16·5·5: maps of 5×5 would fit, but 6×4 came"
    )
    assert explanation_of(network, torch.rand(2, 3, 6, 4)).why == (
        "400 is no multiple of 3, the number of channels that are flattened"
    )


def test_a_kernel_is_not_blamed_on_another_layer():
    network = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.MaxPool2d(2), nn.Conv2d(6, 16, 7), nn.MaxPool2d(2)
    ).extend([nn.Flatten(), nn.Linear(400, 10)])
    explanation = explanation_of(network, torch.rand(2, 1, 28, 28))
    assert len(explanation.fixes) > 1
    assert explanation.why == "400 = 16·5·5: maps of 5×5 would fit, but 4×4 came"


def test_nothing_is_blamed_where_different_changes_would_do():
    network = Net(lambda self, x: self.fc(self.conv(x).view(-1, 100)))
    network.conv, network.fc = nn.Conv2d(1, 4, 3), nn.Linear(100, 2)
    explanation = explanation_of(network, torch.rand(25, 1, 8, 8))
    assert {fix.reason for fix in explanation.fixes} >= {"", "the input is 8×8"}
    assert explanation.why == ""


# ------------------------------------------------------------------------------ the user's call


def failing(self: Net, x: Tensor, scale: object = 1.0) -> Tensor:
    factor = scale["by"] if isinstance(scale, dict) else scale
    return self.fc(x.flatten(1) * factor)


@pytest.mark.parametrize("scale", [3, {"by": 3}])
@pytest.mark.parametrize("by_name", [True, False])
def test_the_call_is_repeated_with_all_its_arguments(scale, by_name):
    model, images = Net(failing, fc=nn.Linear(10, 2)), torch.rand(2, 3, 4)
    with pytest.raises(ShapeError, match="fc expects 10 features"), explaining(model):
        model(images, scale=scale) if by_name else model(images, scale)


def test_images_that_are_given_by_name_have_a_batch_too():
    model, images = Net(failing, fc=nn.Linear(10, 2)), torch.rand(2, 3, 4)
    with pytest.raises(ShapeError, match=r"gives \(N, 12\)"), explaining(model):
        model(x=images)


def test_a_batch_that_is_lost_is_found_in_images_that_are_given_by_name():
    table = explain(Net(lambda self, x: x.view(-1, 8)), (), kwargs={"x": torch.rand(3, 4, 8)})
    assert table.explanation is not None
    assert table.explanation.what.startswith("view turns (3, 4, 8) into (12, 8): 3 images go in")


def test_a_container_of_images_is_repeated_as_it_is():
    model = Net(lambda self, batch: self.fc(batch["image"]), fc=nn.Linear(10, 2))
    with pytest.raises(ShapeError, match="fc expects 10 features"), explaining(model):
        model({"image": torch.rand(2, 11), "number": 3})


def test_any_network_can_be_explained_without_naming_it():
    model = Net(failing, fc=nn.Linear(10, 2))
    with pytest.raises(ShapeError, match="fc expects 10 features"), explaining():
        model(nn.Linear(3, 12)(torch.rand(1, 3)))


def test_an_error_of_the_users_own_is_left_as_it_is_with_a_note():
    def forward(self: Net, x: Tensor) -> Tensor:
        raise ValueError("not today")

    model = Net(forward)
    with pytest.raises(ValueError, match=r"^not today") as caught, explaining(model):
        model(torch.rand(2, 3))
    assert not isinstance(caught.value, ShapeError)
    assert str(caught.value) == "not today"
    (note,) = caught.value.__notes__
    assert 'raise ValueError("not today") raises ValueError (test_diagnosis.py, line ' in note


def test_an_error_that_a_copy_does_not_repeat_is_left_as_it_is_with_a_note():
    calls = []

    def forward(self: Net, x: Tensor) -> Tensor:
        calls.append(x)
        if len(calls) == 1:
            raise RuntimeError("only once")
        return x

    model = Net(forward)
    with pytest.raises(RuntimeError, match="only once") as caught, explaining(model):
        model(torch.rand(2, 3))
    assert caught.value.__notes__ == [
        "No explanation was found: a copy of the network does not fail in this way."
    ]


def test_a_network_with_a_lock_keeps_its_own_error():
    model = Net(failing, fc=nn.Linear(10, 2))
    model.lock = threading.Lock()
    with pytest.raises((ShapeError, RuntimeError), match="10"), explaining(model):
        model(torch.rand(2, 11))


def test_an_error_after_the_network_is_not_hidden():
    rows = Net(lambda self, x: x.permute(0, 2, 3, 1).reshape(-1, 3))
    with pytest.raises(ValueError, match="invalid literal"), explaining(rows):
        int("x" * len(rows(torch.rand(4, 3, 8, 8))))


def test_users_hooks_fire_for_their_own_call_only():
    fired, model = [], nn.Sequential(nn.Linear(8, 2), nn.ReLU())
    model[0].register_forward_pre_hook(lambda *_: fired.append("before"))
    model[0].register_forward_hook(lambda *_: fired.append("after"))
    with pytest.raises(ShapeError), explaining(model):
        model(torch.rand(4, 9))
    assert fired == ["before"]


def test_no_batch_is_kept_alive_but_the_last():
    model, batches = nn.Linear(8, 2), []
    with explaining(model):
        for _ in range(4):
            images = torch.rand(4, 8)
            batches.append(weakref.ref(images))
            model(images)
            del images
        gc.collect()
        assert [batch() is None for batch in batches] == [True, True, True, False]
    assert batches[-1]() is None


def test_one_image_in_training_mode_is_told():
    model = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4))
    with pytest.raises(ShapeError) as caught, explaining(model):
        model(torch.rand(1, 8))
    text = str(caught.value)
    assert text.startswith("model[1] takes the spread of each channel over the batch in training")
    assert "model.eval()" in text
    assert "drop_last=True" in text


def test_the_batch_of_a_loader_is_given_whole():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    given = r"but it was given \(4, 1, 6, 6\) and \(4,\)"
    with pytest.raises(ShapeError, match=given) as caught, explaining(model):
        model([torch.rand(4, 1, 6, 6), torch.arange(4)])
    assert "only the images" in str(caught.value)


# ------------------------------------------------------------------------------ losses

LABELS = torch.tensor([1, 2, 3, 4])


@pytest.mark.parametrize(
    ("labels", "came", "fix"),
    [
        (LABELS.float(), "(4,) float32", "labels.long() instead of labels"),
        (LABELS[:, None], "(4, 1) int64 from 1 to 4", "labels.squeeze(1) instead of labels"),
        (F.one_hot(LABELS, 5), "(4, 5) int64 from 0 to 1", "labels.argmax(dim=1) instead of"),
        (LABELS + 1, "(4,) int64 from 2 to 5", "labels - 1 instead of labels"),
        (LABELS[:3], "(3,) int64 from 1 to 3", "No single change"),
    ],
)
def test_labels_that_cross_entropy_refuses(labels, came, fix):
    model, criterion, images = nn.Linear(8, 5), nn.CrossEntropyLoss(), torch.rand(4, 8)
    with pytest.raises(ShapeError) as caught, explaining(model):
        criterion(model(images), labels)
    text = str(caught.value)
    but = ", not one-hot rows, but" if labels.shape == (4, 5) else ", but"
    assert text.startswith(
        f"cross_entropy needs an output (N, 5) and labels (N,), whole numbers below 5{but} "
        f"model(images) is (4, 5) float32 and labels is {came}.\nWhere: test_diagnosis.py, line "
    )
    assert fix in text
    assert ("(tried)" in text) != ("No single change" in text)


@pytest.mark.parametrize(
    ("targets", "fix"),
    [
        (LABELS % 2, "targets.unsqueeze(1).float() instead of targets"),
        ((LABELS % 2).float(), "targets.unsqueeze(1) instead of targets"),
    ],
)
def test_targets_of_another_shape_or_type_than_the_output(targets, fix):
    model = nn.Linear(8, 1)
    with pytest.raises(ShapeError, match="one shape, both floating-point") as caught, explaining():
        F.binary_cross_entropy_with_logits(model(torch.rand(4, 8)), targets)
    assert f"\n  - {fix}\n" in str(caught.value)


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(
    ("meet", "name"),
    [
        (F.mse_loss, "mse_loss"),
        (lambda output, targets: (output - targets).square().mean(), "sub"),
        (lambda output, targets: ((output > 0) == (targets > 0)).float().mean(), "__eq__"),
    ],
)
def test_a_column_that_meets_a_row_is_warned_of(meet, name):
    model = nn.Linear(8, 1)
    heading = rf"{name} takes \(4, 1\) with \(4,\)"
    with explaining(model), pytest.warns(UserWarning, match=heading) as told:
        meet(model(torch.rand(4, 8)), LABELS.float())
    assert told[-1].filename == __file__


def test_shapes_that_go_together_are_not_warned_of():
    model = nn.Linear(8, 1)
    with warnings.catch_warnings(), explaining(model):
        warnings.simplefilter("error")
        output = model(torch.rand(4, 8))
        F.mse_loss(output.squeeze(1), LABELS.float())
        assert LABELS[:, None].eq(LABELS).sum() == 4  # pairs of labels, as contrastive losses take
        assert output[LABELS - 1].shape == (4, 1)
