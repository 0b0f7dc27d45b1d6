"""Recurrent networks, attention, and convolutions along a text or a signal."""

from itertools import pairwise

import torch
from torch import nn


class WrongInputSize(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(32, 24)
        self.lstm = nn.LSTM(32, 16, batch_first=True)
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        x = self.encoder(x)
        outputs, _ = self.lstm(x)
        return self.fc(outputs[:, -1])


def lstm_in_a_sequential():
    return nn.Sequential(nn.LSTM(12, 16, batch_first=True), nn.Linear(16, 3))


class Sentiment(nn.Module):
    """Its batch comes first, and its LSTM does not know that."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 12)
        self.lstm = nn.LSTM(12, 16)
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        x = self.embedding(x)
        outputs, _ = self.lstm(x)
        return self.out(outputs[-1])


class KeptState(nn.Module):
    """Keeps a state for batches of 16; the last batch of an epoch is smaller."""

    def __init__(self, batch_size=16):
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True)
        self.state = (torch.zeros(1, batch_size, 8), torch.zeros(1, batch_size, 8))
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        outputs, _ = self.lstm(x, self.state)
        return self.fc(outputs[:, -1])


class Decoder(nn.Module):
    """Gives its GRU a state with an axis too many."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(6, 8, batch_first=True)
        self.decoder = nn.GRU(6, 8, batch_first=True)
        self.out = nn.Linear(8, 6)

    def forward(self, x):
        _, hidden = self.encoder(x)
        hidden = hidden.unsqueeze(0)
        outputs, _ = self.decoder(x, hidden)
        return self.out(outputs)


class TurnedSound(nn.Module):
    """Turns its 40 coefficients away from where the convolution looks for them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(40, 8, 3)
        self.fc = nn.Linear(8, 4)

    def forward(self, mfcc):
        mfcc = mfcc.transpose(1, 2)
        out = self.conv(mfcc)
        return self.fc(out.mean(2))


class TextCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 24)
        self.conv = nn.Conv1d(24, 8, 3)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        x = self.embedding(x)
        x = torch.relu(self.conv(x))
        return self.fc(x.amax(2))


class CrossAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2)
        self.fc = nn.Linear(16, 3)

    def forward(self, query, memory):
        found, _ = self.attention(query, memory, memory)
        return self.fc(found.mean(1))


class OwnAttention(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = torch.softmax(q @ k, dim=-1)
        return (scores @ v).mean(1)


class NormalisedMaps(nn.Module):
    """A LayerNorm over channels, which do not come last."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 4, stride=4)
        self.norm = nn.LayerNorm(24)
        self.head = nn.Linear(24, 5)

    def forward(self, x):
        x = self.norm(self.patches(x))
        return self.head(x.flatten(2).mean(2))


class NormalisedFeatures(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_norm = nn.LayerNorm(96)
        self.fc = nn.Linear(76, 4)

    def forward(self, x):
        return self.fc(self.input_norm(x)).mean(1)


class NormalisedSequence(nn.Module):
    """A BatchNorm1d over features, which come last here."""

    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm1d(20)
        self.fc = nn.Linear(20, 4)

    def forward(self, x):
        return self.fc(self.bn(x)).mean(1)


class CellState(nn.Module):
    """Gives an LSTMCell one tensor for its state, as a GRUCell takes it."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(6, 12)
        self.fc = nn.Linear(12, 2)

    def forward(self, x):
        hidden = torch.zeros(x.size(0), 12)
        for time in range(x.size(1)):
            hidden, _ = self.cell(x[:, time], hidden)
        return self.fc(hidden)


class FlatState(nn.Module):
    """Its state lacks the axis of layers; time comes first."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 2)
        self.fc = nn.Linear(2, 2)

    def forward(self, x):
        hidden = (torch.zeros(4, 2), torch.zeros(4, 2))
        out, hidden = self.lstm(x, hidden)
        return self.fc(out[-1])


class Line(nn.Module):
    """Reads lines of text 16 pixels high."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.MaxPool2d((8, 1)),
        )
        self.rnn = nn.LSTM(16, 12, bidirectional=True)
        self.classifier = nn.Linear(24, 11)

    def forward(self, x):
        out = self.features(x)
        out = out.permute(3, 0, 1, 2).reshape(out.size(3), out.size(0), -1)
        out, _ = self.rnn(out)
        return self.classifier(out).permute(1, 0, 2)


class TimeFirst(nn.Module):
    """Positions laid out for time first, added to a batch that comes first."""

    def __init__(self, width=8):
        super().__init__()
        self.enter = nn.Linear(3, width)
        self.register_buffer("positions", torch.arange(50.0).view(50, 1, 1).expand(50, 1, width))
        self.fc = nn.Linear(width, 1)

    def forward(self, x):
        x = self.enter(x)
        x = x + self.positions[: x.size(1)]
        return self.fc(x[:, -1])


class TenPositions(nn.Module):
    def __init__(self, longest=10):
        super().__init__()
        self.words = nn.Embedding(30, 8)
        self.places = nn.Embedding(longest, 8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        places = torch.arange(x.size(1)).expand(x.shape)
        return self.fc((self.words(x) + self.places(places)).mean(1))


class HalfMask(nn.Module):
    """In half precision, with a mask of float32 that is made on the way."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 8)
        self.decoder = nn.Linear(8, 3)
        self.half()

    def forward(self, x):
        x = self.encoder(x)
        keep = torch.ones(x.shape)
        return self.decoder(x * keep)


class TurnedText(nn.Module):
    """Turns the batch to the second axis for an attention that takes it first."""

    def __init__(self, width=16, length=7):
        super().__init__()
        self.words = nn.Embedding(40, width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1))
        self.head = nn.Linear(width, 5)

    def forward(self, text):
        x = self.words(text).permute(1, 0, 2)
        x, _ = self.attention(x, x, x, need_weights=False, attn_mask=self.mask)
        x = x.permute(1, 0, 2)
        return self.head(x[:, -1])


class MaskedText(nn.Module):
    """Takes a mask for each sentence, and not for each of its heads."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x, mask):
        x, _ = self.attention(x, x, x, attn_mask=mask)
        return self.head(x.mean(1))


class Sampled(nn.Module):
    """Convolutions over ten channels in a list, for signals of length ten."""

    def __init__(self, widths=(10, 20, 20)):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Sequential(nn.Conv1d(i, o, 1), nn.ReLU()) for i, o in pairwise(widths)]
        )
        self.layers.append(nn.Flatten())
        self.layers.append(nn.Linear(widths[-1], 3))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Sketcher(nn.Module):
    """Gives an LSTM states without the axis of its layers."""

    def __init__(self):
        super().__init__()
        self.start = nn.Linear(3, 16)
        self.decoder = nn.LSTM(3, 16, batch_first=True)

    def forward(self, z):
        state = self.start(z)
        steps = z.unsqueeze(1).repeat(1, 7, 1)
        return self.decoder(steps, (state, state))[0]
