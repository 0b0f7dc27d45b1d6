"""Networks given pictures of another form, size or colour, or changed for other classes."""

import torch.nn.functional as F
import torchvision
from torch import nn


class Colour(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 8 * 8, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


class Deep(nn.Module):
    """Four times a convolution of 5 and a pooling of 2."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 5)
        self.conv2 = nn.Conv2d(4, 4, 5)
        self.conv3 = nn.Conv2d(4, 4, 5)
        self.conv4 = nn.Conv2d(4, 8, 5)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = self.pool(F.relu(conv(x)))
        return self.fc(self.head(x).flatten(1))


class Panorama(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.conv2 = nn.Conv2d(4, 4, 3)
        self.conv3 = nn.Conv2d(4, 8, 3)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x))
        return self.fc(x.mean((2, 3)))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 4, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2d(8)
        self.fc = nn.Linear(16 * 7 * 7, 1)

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x), 0.2)
        x = F.leaky_relu(self.bn2(self.conv2(x)), 0.2)
        return self.fc(x.flatten(1))


class PyramidPooling(nn.Module):
    """Normalises what one picture leaves of a channel: a single number."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.bn = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = self.bn(self.pool(F.relu(self.conv(x))))
        return self.fc(x.flatten(1))


class Volumes(nn.Module):
    """A network for volumes, given pictures."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = F.relu(self.conv(x))
        return self.fc(x.mean((2, 3, 4)))


def head_of_another_resnet():
    model = torchvision.models.resnet18()
    model.fc = nn.Linear(2048, 10)
    return model


def head_after_the_old_one():
    model = torchvision.models.mobilenet_v2()
    model.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1000, 10))
    return model


def resnet():
    return torchvision.models.resnet18(num_classes=10)


def body_without_flatten():
    body = list(torchvision.models.resnet18().children())[:-1]
    return nn.Sequential(*body, nn.Linear(512, 10))


class OneNormOfMaps(nn.Module):
    """A normalisation for pictures among layers for volumes."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv3d(3, 8, 3, padding=1))
        self.features.add_module("pool0", nn.MaxPool3d(2))
        self.features.add_module("norm5", nn.BatchNorm2d(8))
        self.classifier = nn.Linear(8, 4)

    def forward(self, x):
        x = F.relu(self.features(x))
        return self.classifier(F.adaptive_avg_pool3d(x, 1).flatten(1))


class Scans(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(1, 4, 3, padding=1)
        self.out = nn.Conv3d(4, 2, 1)

    def forward(self, x):
        return self.out(F.relu(self.conv1(x)))
