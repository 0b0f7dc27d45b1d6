"""Train the network behind the drawing pad and store its weights with the package.

    python bench/lenet5_mnist_weights.py

trains LeNet-5 on MNIST with random affine distortions, judges it on the test images and writes
lenet/weights/lenet5_mnist.safetensors in half precision. It takes about five minutes on two CPU
cores. Loss and accuracy of every epoch are printed; the last line is the test accuracy of
the weights as stored.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tqdm.auto import tqdm

import lenet
from lenet.augment import RandomAffine
from lenet.data import load
from lenet.models import LeNet5, load_weights, save_weights
from lenet.train import evaluate, train_epoch

TARGET = Path(lenet.__file__).parent / "weights" / "lenet5_mnist.safetensors"
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
    save_weights(model.half(), TARGET)
    stored = LeNet5()
    load_weights(stored, TARGET)
    score = evaluate(stored, test)
    print(f"{TARGET.name}: {score.num_correct:,} of {score.num_examples:,} test images correct")


if __name__ == "__main__":
    main()
