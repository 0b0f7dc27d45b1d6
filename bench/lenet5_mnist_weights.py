"""Train the network behind the drawing pad and store its weights with the package.

    python bench/lenet5_mnist_weights.py

trains LeNet-5 on MNIST with random affine distortions, judges it on the test images and writes
lenet/models/trained/lenet5_mnist.safetensors in half precision, with a card that says what it
is for. It takes about five minutes on two CPU cores. Loss and accuracy of every epoch are printed;
the last line is the test accuracy of the weights as stored.
"""

from __future__ import annotations

import torch
from tqdm.auto import tqdm

from lenet.data import load
from lenet.data.augment import RandomAffine
from lenet.models import WEIGHTS, LeNet5, ModelCard, save_trained
from lenet.train import evaluate, train_epoch

TARGET = WEIGHTS / "lenet5_mnist.safetensors"
SEED = 0
EPOCHS = 30
AUGMENT = RandomAffine(degrees=15, scale=1.2, shear=0.3, shift=2)


def main() -> None:
    """Train, store, and judge what was stored."""
    data = load("mnist")
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    model = LeNet5()
    batches = data.batches("train", 100, shuffle=True, generator=generator)
    test = data.batches("test", 1000)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for epoch in tqdm(range(1, EPOCHS + 1), unit="epoch"):
        distorted = ((AUGMENT(images, generator), labels) for images, labels in batches)
        score = train_epoch(model, distorted, optimizer)
        schedule.step()
        tqdm.write(
            f"{epoch:3} train {score.loss:.4f} {score.accuracy:.2%}"
            f" test {evaluate(model, test).accuracy:.2%}"
        )
    model.half().float()  # as it will be stored
    score = evaluate(model, test)
    card = ModelCard(
        network=LeNet5.__name__,
        dataset=data.name,
        source=data.source,
        classes=data.classes,
        image_shape=(1, 28, 28),
        mean=data.mean,
        std=data.std,
        accuracy=score.accuracy,
    )
    save_trained(model.half(), TARGET, card)
    print(f"{TARGET.name}: {score.num_correct:,} of {score.num_examples:,} test images correct")


if __name__ == "__main__":
    main()
