"""Networks with a mistake between their maps and their rows."""

import torch
import torch.nn.functional as F
from torch import nn


class SmallPicture(nn.Module):
    """The tutorial network, whose view is made for 32×32."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc = nn.Linear(16 * 5 * 5, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 16 * 5 * 5)
        return self.fc(x)


class Signal(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv1d(1, 8, 2),
            nn.ReLU(),
            nn.Conv1d(8, 16, 2),
            nn.ReLU(),
            nn.Flatten(start_dim=0),
            nn.Linear(16 * 5, 1),
        )

    def forward(self, x):
        return self.model(x)


class Blocks(nn.Module):
    """Two blocks and a classifier, given one picture without a batch axis."""

    def __init__(self, hidden=10):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(1, hidden, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.block2 = nn.Sequential(
            nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(hidden * 7 * 7, 10))

    def forward(self, x):
        return self.classifier(self.block2(self.block1(x)))


class FourPools(nn.Module):
    """Its comment and its classifier speak of 32×32."""

    def __init__(self):
        super().__init__()
        # 32 -> 16 -> 8 -> 4 -> 2
        self.block1 = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.block2 = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.block3 = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.block4 = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Linear(16 * 2 * 2, 10)

    def forward(self, x):
        x = self.block4(self.block3(self.block2(self.block1(x))))
        return self.fc(torch.flatten(x, 1))


class FixedAverage(nn.Module):
    """An average over 7×7 that leaves 1×1 of a 224×224 picture, and 2×2 of a larger one."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 8, stride=8)
        self.body = nn.Conv2d(8, 16, 4, stride=4)
        self.avgpool = nn.AvgPool2d(7, stride=1)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = self.avgpool(F.relu(self.body(F.relu(self.stem(x)))))
        x = x.view(x.size(0), -1)
        return self.fc(x)


class FaceFeatures(nn.Module):
    """Made for faces of 112×112."""

    fc_scale = 7 * 7

    def __init__(self):
        super().__init__()
        self.layer1 = nn.Conv2d(3, 4, 3, stride=4, padding=1)
        self.layer2 = nn.Conv2d(4, 8, 3, stride=4, padding=1)
        self.fc = nn.Linear(8 * self.fc_scale, 12)

    def forward(self, x):
        x = F.relu(self.layer2(F.relu(self.layer1(x))))
        x = torch.flatten(x, 1)
        return self.fc(x)


class Capsules(nn.Module):
    """Its capsules are counted for 28×28."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 9)
        self.primary = nn.Conv2d(4, 8, 9, stride=2)

    def forward(self, x):
        u = self.primary(F.relu(self.conv(x)))
        u = u.view(x.size(0), 2 * 6 * 6, -1)
        return u.norm(dim=2)


class Captcha(nn.Module):
    """Reads pictures of 36×120."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 5)
        self.conv2 = nn.Conv2d(4, 8, 5)
        self.fc = nn.Linear(8 * 6 * 27, 20)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 8 * 6 * 27)
        return self.fc(x)


class TurnedView(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4 * 8 * 8, 10)

    def forward(self, x):
        x = self.conv(x).permute(0, 2, 3, 1)
        x = x.view(x.size(0), -1)
        return self.fc(x)


class SeveralPictures(nn.Module):
    """One network for three pictures of the same thing, joined along the wrong axis."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Linear(4 * 3 * 3, 5)

    def forward(self, first, second, third):
        parts = self.cnn(first), self.cnn(second), self.cnn(third)
        together = torch.cat(parts, 0)
        return self.head(together)


class Squeezed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv(x)))
        x = torch.squeeze(x)
        return self.fc(x)


class TwoScales(nn.Module):
    """The same features of two pictures, neither of them flattened."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 11, stride=4, padding=2), nn.MaxPool2d(3, 2))
        self.drop_out = nn.Dropout(0.75)
        self.fc_near = nn.Linear(8 * 7 * 7, 32)
        self.fc_far = nn.Linear(8 * 7 * 7, 32)
        self.head = nn.Linear(64, 5)

    def forward(self, near, far):
        near = self.drop_out(self.features(near))
        far = self.drop_out(self.features(far))
        near = F.relu(self.fc_near(near))
        far = F.relu(self.fc_far(far))
        return self.head(torch.cat([near, far], 1))


class Halvings(nn.Module):
    """Halves five times, so that of 32×32 one pixel is left."""

    def __init__(self):
        super().__init__()
        self.features = self.make_layers([4, 8, 8, 16, 16])
        self.classifier = nn.Linear(16, 10)

    def make_layers(self, widths):
        layers = []
        for came, width in zip([3, *widths[:-1]], widths, strict=True):
            layers += [nn.Conv2d(came, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*layers)

    def forward(self, x):
        out = self.features(x)
        out = out.view(out.size(0), -1)
        return self.classifier(out)


class WindowsOfTwelve(nn.Module):
    """Cuts maps into windows of 12×12, into which 14×14 does not go."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        b, c, h, w = x.shape
        x = x.view(b, c, h // 12, 12, w // 12, 12)
        return self.head(x.permute(0, 2, 4, 3, 5, 1).mean((1, 2, 3, 4)))


class Examiner(nn.Module):
    """Judges pictures of 32×32, and gives a row of numbers to larger ones."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, 4, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4, 8, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8, 16, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 1, 4, 1, 0),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.main(x).view(x.size(0), -1)


class SplittingExaminer(Examiner):
    def forward(self, x):
        return self.main(x).view(-1, 1).squeeze(1)


class Dreamer(nn.Module):
    """Folds its numbers into twice as many channels as it has."""

    def __init__(self, width=32):
        super().__init__()
        self.enter = nn.Linear(6, width * 4)
        self.up = nn.ConvTranspose2d(width, 3, 3, stride=2, padding=1, output_padding=1)

    def forward(self, z):
        z = self.enter(z)
        z = z.view(-1, 64, 2, 2)
        return self.up(z)


class Critic(nn.Module):
    """Takes the states of six agents, and is called without `forward`."""

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(54, 16), nn.ReLU(), nn.Linear(16, 5))

    def __call__(self, state):
        state = state.float()
        return self.model(state)


class Player(nn.Module):
    """A Q network for a state of seven numbers."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(7, 32)
        self.fc2 = nn.Linear(32, 3)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))
