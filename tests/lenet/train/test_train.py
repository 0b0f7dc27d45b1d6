"""The loop learns, repeats itself exactly, and stops with a word when it must."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import confusion_matrix
from torch import nn

from lenet.data import Batches, LabelledImages
from lenet.models import NarrowLeNet
from lenet.train import (
    DivergedError,
    ScaledOptimizer,
    Settings,
    Training,
    confusion,
    evaluate,
    fit,
    in_precision,
    loop,
    make_optimizer,
    make_scaler,
    num_correct,
    pick_device,
    predict,
    train_epoch,
)

CPU = {"device": "cpu"}


def network(seed: int = 0) -> NarrowLeNet:
    torch.manual_seed(seed)
    return NarrowLeNet()


def random_examples(num: int) -> LabelledImages:
    generator = torch.Generator().manual_seed(num)
    images = torch.randint(0, 256, (num, 1, 28, 28), generator=generator, dtype=torch.uint8)
    return LabelledImages(images, torch.randint(0, 10, (num,), generator=generator))


def test_num_correct_counts_rows_whose_maximum_is_at_the_label():
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 1.0], [0.0, 0.0, 5.0], [1.0, 0.0, 0.5]])
    assert num_correct(logits, torch.tensor([1, 0, 0, 0])) == 3


def test_fit_learns(digits):
    history = fit(network(), digits, Settings(epochs=8, batch_size=50, lr=0.003, **CPU))
    assert history.epochs[-1].test.accuracy > 0.9
    assert history.epochs[-1].train.loss < history.epochs[0].train.loss
    assert [epoch.number for epoch in history.epochs] == list(range(1, 9))
    assert not history.interrupted


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(digits, optimizer):
    settings = Settings(epochs=1, optimizer=optimizer, **CPU)
    models = [network(), network()]
    histories = [fit(model, digits, settings, progress=False) for model in models]
    first, second = (model.state_dict() for model in models)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert histories[0].epochs[0].train == histories[1].epochs[0].train
    other = network()
    fit(other, digits, Settings(epochs=1, seed=1, optimizer=optimizer, **CPU), progress=False)
    assert not torch.equal(other.fc1.weight, first["fc1.weight"])


def test_adam_without_weight_decay_is_pytorchs_adam_bit_for_bit(digits):
    ours, theirs = network(), network()
    for model, optimizer in [
        (ours, make_optimizer(ours, Settings())),
        (theirs, torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)),
    ]:
        train_epoch(model, digits.batches("train"), optimizer)
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))


@pytest.mark.parametrize(
    ("settings", "optimizer"),
    [
        (Settings(lr=0.003), lambda p: torch.optim.Adam(p, lr=0.003)),
        (
            Settings(lr=0.003, weight_decay=0.1),
            lambda p: torch.optim.AdamW(p, lr=0.003, weight_decay=0.1),
        ),
        (
            Settings(optimizer="sgd", lr=0.003, weight_decay=0.1),
            lambda p: torch.optim.SGD(p, lr=0.003, momentum=0.9, weight_decay=0.1),
        ),
    ],
    ids=["adam", "adamw", "sgd"],
)
def test_the_fused_optimizers_do_what_pytorchs_plain_ones_do(settings, optimizer):
    ours, theirs = (network().double() for _ in range(2))
    pairs = [(ours, make_optimizer(ours, settings)), (theirs, optimizer(theirs.parameters()))]
    images = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0)).double()
    batches = [(images, torch.arange(20) % 10)] * 5
    for model, used in pairs:
        train_epoch(model, batches, used)
    for name, ours_now in ours.state_dict().items():
        torch.testing.assert_close(ours_now, theirs.state_dict()[name])
    assert not torch.equal(ours.fc1.weight, network().fc1.weight.double())


def test_one_cycle_raises_the_learning_rate_and_lets_it_fall(digits):
    training = Training(network(), digits, Settings(epochs=4, schedule="one-cycle", **CPU))
    group = training.optimizer.param_groups[0]
    rates = [group["lr"]]
    rates += [group["lr"] for _ in training.epochs(progress=False)]
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates[1] > 0.009
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[4] < 1e-4


def test_augmentation_sees_every_training_image_and_no_test_image(digits):
    seen = []

    def watch(images, generator):
        seen.append(len(images))
        return torch.zeros_like(images)

    settings = Settings(epochs=1, augment=watch, **CPU)
    history = fit(network(), digits, settings, progress=False)
    assert sum(seen) == len(digits.train)
    assert history.epochs[0].train.loss != history.epochs[0].test.loss


def test_without_a_gpu_of_nvidias_a_graph_records_nothing_and_trains_the_same(digits):
    plain, graphed = network(), network()
    settings = Settings(epochs=2, **CPU)
    expected = fit(plain, digits, settings, progress=False)
    history = fit(graphed, digits, replace(settings, graph=True), progress=False)
    assert [e.train for e in history.epochs] == [e.train for e in expected.epochs]
    for name, weights in plain.state_dict().items():
        assert torch.equal(graphed.state_dict()[name], weights)


@pytest.mark.parametrize("changed", [{"schedule": "one-cycle"}, {"precision": "float16"}])
def test_a_graph_repeats_one_step_and_no_setting_may_change_it(changed):
    with pytest.raises(ValueError, match="graph repeats one recorded step"):
        Settings(graph=True, **changed)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_on_cuda_a_graph_trains_what_the_steps_alone_train(digits, optimizer, precision):
    plain, graphed = network(), network()
    begun = {name: weights.clone() for name, weights in plain.state_dict().items()}
    settings = Settings(
        epochs=2, batch_size=100, lr=0.001, optimizer=optimizer, precision=precision, device="cuda"
    )
    expected = fit(plain, digits, settings, progress=False)
    python_steps = []
    graphed.register_forward_hook(lambda *_: python_steps.append(1) if graphed.training else None)
    history = fit(graphed, digits, replace(settings, graph=True), progress=False)
    assert len(python_steps) == 2 * (3 + 1 + 1)  # warm-up, recording, a smaller last batch
    for epoch, other in zip(history.epochs, expected.epochs, strict=True):
        assert epoch.train.loss == pytest.approx(other.train.loss, rel=0.01)
        assert epoch.train.num_examples == other.train.num_examples
    apart = moved = 0.0
    for name, weights in plain.state_dict().items():
        apart += float((graphed.state_dict()[name] - weights).abs().sum())
        moved += float((weights.cpu() - begun[name]).abs().sum())
    assert apart < 0.05 * moved


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_trains_in_16_bits_and_judges_in_float32(digits, precision):
    seen = set()
    models = {"float32": network(), precision: network()}
    models[precision].conv2.register_forward_hook(
        lambda layer, _, maps: seen.add((layer.training, maps.dtype))
    )
    scores = {}
    for name, model in models.items():
        settings = Settings(epochs=6, batch_size=50, lr=0.003, precision=name, **CPU)
        scores[name] = fit(model, digits, settings, progress=False).epochs[-1].test
    assert seen == {(True, getattr(torch, precision)), (False, torch.float32)}
    assert all(parameter.dtype == torch.float32 for parameter in models[precision].parameters())
    assert scores[precision].accuracy == pytest.approx(scores["float32"].accuracy, abs=0.05)
    assert scores[precision].loss != scores["float32"].loss


def test_a_scaled_step_is_what_pytorch_does_by_hand():
    ours, theirs = network(), network()
    examples, settings = random_examples(20), Settings(precision="float16", **CPU)
    images, scaler = examples.images / 255, make_scaler(settings, torch.device("cpu"))
    updates = ScaledOptimizer(make_optimizer(ours, settings), scaler)
    trained = in_precision(ours, "float16", scaler)
    train_epoch(trained, [(images, examples.labels)] * 3, updates)
    optimizer, scaler = make_optimizer(theirs, settings), torch.amp.GradScaler("cpu")
    for _ in range(3):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            logits = theirs(images)
        scaler.scale(F.cross_entropy(logits.float(), examples.labels)).backward()
        scaler.step(optimizer)
        scaler.update()
    for name, weights in ours.state_dict().items():
        torch.testing.assert_close(weights, theirs.state_dict()[name])
    assert not torch.equal(ours.out.weight, network().out.weight)


@pytest.mark.parametrize("scaled", [True, False])
def test_without_a_scaler_small_gradients_vanish_in_float16(scaled):
    model, examples = network(), random_examples(20)
    scaler = torch.amp.GradScaler("cpu") if scaled else None
    trained = in_precision(model, "float16", scaler)
    loss = 1e-6 * F.cross_entropy(trained(examples.images / 255), examples.labels)
    loss.backward()
    assert model.fc1.weight.grad.any() == scaled


def test_an_update_with_an_infinite_gradient_is_left_out():
    model, examples = network(), random_examples(20)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**30)
    updates = ScaledOptimizer(make_optimizer(model, Settings()), scaler)
    trained = in_precision(model, "float16", scaler)
    batches = [(examples.images / 255, examples.labels)]
    train_epoch(trained, batches, updates)
    assert all(map(torch.equal, model.parameters(), network().parameters()))
    assert scaler.get_scale() == 2.0**29
    for _ in range(20):
        train_epoch(trained, batches, updates)
    assert not torch.equal(model.fc1.weight, network().fc1.weight)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_one_step_is_what_pytorch_does_by_hand():
    model = network()
    twin = copy.deepcopy(model)
    examples = random_examples(20)
    batches = Batches(examples, (0.0,), (1.0,), 20)
    score = train_epoch(model, batches, torch.optim.SGD(model.parameters(), lr=0.1))
    logits = twin(examples.images / 255)
    loss = F.cross_entropy(logits, examples.labels)
    gradients = torch.autograd.grad(loss, list(twin.parameters()))
    for after, before, gradient in zip(
        model.parameters(), twin.parameters(), gradients, strict=True
    ):
        torch.testing.assert_close(after, before - 0.1 * gradient)
    assert score.loss == pytest.approx(loss.item(), rel=1e-5)
    assert score.num_correct == num_correct(logits, examples.labels)


@pytest.mark.parametrize("batch_size", [1, 7, 20, 64])
def test_scores_do_not_depend_on_the_batch_size(batch_size):
    model, examples = network(), random_examples(20)
    score = evaluate(model, Batches(examples, (0.0,), (1.0,), batch_size))
    with torch.no_grad():
        logits = model(examples.images / 255)
    assert score.loss == pytest.approx(F.cross_entropy(logits, examples.labels).item(), rel=1e-5)
    assert score.num_correct == num_correct(logits, examples.labels)
    assert score.num_examples == 20
    assert score.accuracy == score.num_correct / 20


def test_evaluation_leaves_the_network_as_it_was():
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Dropout(), nn.Linear(784, 10))
    before = copy.deepcopy(model.state_dict())
    batches = Batches(random_examples(20), (0.0,), (1.0,), 5)
    assert evaluate(model, batches) == evaluate(model, batches)  # dropout is off
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_predictions_are_the_networks_logits_in_the_order_of_the_batches():
    model, examples = network(), random_examples(20)
    logits, labels = predict(model.train(), Batches(examples, (0.0,), (1.0,), 7))
    with torch.no_grad():
        torch.testing.assert_close(logits, model(examples.images / 255))
    assert torch.equal(labels, examples.labels)
    assert model.training
    assert not logits.requires_grad


def test_confusion_counts_what_scikit_learn_counts():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(500, 7, generator=generator)
    labels = torch.randint(0, 5, (500,), generator=generator)  # two classes do not occur
    found = confusion(logits, labels)
    theirs = confusion_matrix(labels, logits.argmax(dim=1), labels=range(7))
    assert torch.equal(found, torch.from_numpy(theirs))
    assert found.dtype == torch.int64
    assert found.diagonal().sum() == num_correct(logits, labels)


def test_a_loss_that_explodes_stops_with_the_history(digits):
    settings = Settings(epochs=3, optimizer="sgd", lr=1e20, **CPU)
    with pytest.raises(DivergedError, match="smaller learning rate") as caught:
        fit(network(), digits, settings, progress=False)
    assert len(caught.value.history.epochs) < 3


def test_ctrl_c_returns_the_history_so_far(digits, monkeypatch):
    calls = []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train_epoch(*args, **options)

    monkeypatch.setattr(loop, "train_epoch", interrupted)
    history = fit(network(), digits, Settings(epochs=10, **CPU), progress=False)
    assert history.interrupted
    assert len(history.epochs) == 2
    assert str(history).endswith("interrupted")


def test_training_again_goes_on_from_the_present_weights(digits):
    model = network()
    first = fit(model, digits, Settings(epochs=2, **CPU), progress=False)
    second = fit(model, digits, Settings(epochs=1, **CPU), progress=False)
    assert second.epochs[0].train.loss < first.epochs[0].train.loss


def test_the_progress_bar_disappears(digits, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    fit(network(), digits, Settings(epochs=1, **CPU))
    error = capsys.readouterr().err
    assert "epoch 1/1" in error
    assert error.rstrip(" ").endswith("\r")  # the line is cleared


def test_the_progress_bar_can_be_switched_off(digits, capsys, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    fit(network(), digits, Settings(epochs=1, **CPU))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": 0}, "at least 1"),
        ({"lr": 0.0}, "lr must be"),
        ({"lr": float("nan")}, "lr must be"),
        ({"optimizer": "adagrad"}, "'adam' or 'sgd'"),
        ({"weight_decay": -1.0}, "weight_decay must be"),
        ({"schedule": "cosine"}, "'constant' or 'one-cycle'"),
        ({"precision": "float8"}, "'float32' or 'bfloat16' or 'float16', not 'float8'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        Settings(**wrong)


def test_no_example_is_no_score():
    model, none = network(), Batches(random_examples(3)[:0], (0.0,), (1.0,), 5)
    with pytest.raises(ValueError, match="no example"):
        evaluate(model, none)
    with pytest.raises(ValueError, match="no example"):
        train_epoch(model, none, make_optimizer(model, Settings()))


@pytest.mark.parametrize("wrong", [10, -1, -100])
def test_a_label_of_no_class_is_named_with_its_batch(wrong):
    images, right = torch.zeros(4, 1, 28, 28), torch.tensor([0, 1, 2, 3])
    model, batches = network(), [(images, right), (images, right * 0 + wrong)]
    with pytest.raises(ValueError, match=f"in batch 2, labels go from .*{wrong}.*10 classes"):
        train_epoch(model, batches, make_optimizer(model, Settings()))


def test_settings_come_back_from_json_but_for_code():
    settings = Settings(epochs=3, lr=0.5, augment=lambda images, _: images)
    stored = json.loads(json.dumps(settings.as_json()))
    assert Settings(**stored) == replace(settings, augment=None)


def test_devices():
    assert pick_device("cpu") == torch.device("cpu")
    for wrong in ("abacus", "cuda:99"):
        with pytest.raises(ValueError, match="cannot be used here"):
            pick_device(wrong)


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
def test_auto_is_the_accelerator_of_this_machine_if_there_is_one(monkeypatch, kind):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device(kind))
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    assert pick_device() == torch.device("cpu")
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", lambda size, device: None)
    assert pick_device() == torch.device(kind)
