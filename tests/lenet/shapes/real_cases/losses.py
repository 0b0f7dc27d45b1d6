"""Networks that work; the mistake is in what the loss is given."""

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.fc = nn.Linear(4, classes)

    def forward(self, x):
        return self.fc(x)


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 1)

    def forward(self, x):
        return torch.sigmoid(self.fc(x))


class Segments(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)

    def forward(self, x):
        return self.conv(x)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        return self.fc(self.embedding(x).mean(1))


class NextWord(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.logits = nn.Linear(6, 20)

    def forward(self, x):
        return self.logits(self.embedding(x))


class Helped(nn.Module):
    """Gives a second output while it trains."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.helper = nn.Linear(4, 3)

    def forward(self, x):
        return (self.fc(x), self.helper(x)) if self.training else self.fc(x)


class Mask(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside = nn.Conv2d(3, 4, 3, padding=1)
        self.outside = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return self.outside(self.inside(x))
