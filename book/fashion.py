"""Train a small convolutional network on Fashion-MNIST: `python fashion.py`."""

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

EPOCHS = 3


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.out = nn.Linear(84, 10)

    def forward(self, x):  # (N, 1, 28, 28)
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 6, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 16, 4, 4)
        x = torch.flatten(x, start_dim=1)  # (N, 256)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.out(x)  # (N, 10), one score for each class


def train_epoch(model, loader, optimizer, device):
    """Make one pass over the training images; return the mean loss."""
    model.train()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)  # the last batch may be smaller
    return total / len(loader.dataset)


@torch.no_grad()
def measure_accuracy(model, loader, device):
    """Return the share of right answers."""
    model.eval()
    correct = 0
    for images, labels in loader:
        answers = model(images.to(device)).argmax(dim=1)
        correct += (answers == labels.to(device)).sum().item()
    return correct / len(loader.dataset)


def main():
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))]
    )
    train_set = datasets.FashionMNIST("data", train=True, transform=transform, download=True)
    test_set = datasets.FashionMNIST("data", train=False, transform=transform, download=True)
    train_loader = DataLoader(train_set, batch_size=100, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)

    model = Net().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    losses, accuracies = [], []
    for epoch in range(1, EPOCHS + 1):
        losses.append(train_epoch(model, train_loader, optimizer, device))
        accuracies.append(measure_accuracy(model, test_loader, device))
        print(f"epoch {epoch}: loss {losses[-1]:.3f}, test accuracy {accuracies[-1]:.1%}")

    torch.save(model.state_dict(), "fashion.pt")
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    epochs = range(1, EPOCHS + 1)
    left.plot(epochs, losses, marker="o")
    left.set(xlabel="epoch", ylabel="training loss", xticks=epochs)
    right.plot(epochs, accuracies, marker="o")
    right.set(xlabel="epoch", ylabel="test accuracy", xticks=epochs)
    figure.savefig("fashion.png")


if __name__ == "__main__":
    main()
