"""Networks whose branches do not meet: residual blocks, U-Nets, autoencoders."""

import torch
import torch.nn.functional as F
from torch import nn


class WiderBlock(nn.Module):
    """A residual block that widens, with nothing on its shortcut."""

    def __init__(self, inplanes=8, planes=16):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(planes)

    def forward(self, x):
        residual = x
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += residual
        return F.relu(out)


class RoundedShortcut(nn.Module):
    """A shortcut that rounds 37 / 2 down beside a convolution that rounds it up."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.downsample = nn.MaxPool2d(2, stride=2)

    def forward(self, x):
        residual = self.downsample(x)
        out = self.conv(x)
        out += residual
        return out


class ShrinkingBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class StridedBlock(nn.Module):
    """A residual block that halves and widens, with nothing on its shortcut."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(x)))
        return F.relu(y + x)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(3, 4, 3, padding=1)
        self.down2 = nn.Conv2d(4, 8, 3, padding=1)
        self.bottom = nn.Conv2d(8, 8, 3, padding=1)
        self.up2 = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.merge2 = nn.Conv2d(16, 4, 3, padding=1)
        self.up1 = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.merge1 = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x):
        first = F.relu(self.down1(x))
        second = F.relu(self.down2(F.max_pool2d(first, 2)))
        x = F.relu(self.bottom(F.max_pool2d(second, 2)))
        x = self.merge2(torch.cat([self.up2(x), second], dim=1))
        return self.merge1(torch.cat([self.up1(x), first], dim=1))


class Autoencoder(nn.Module):
    """Halves twice, and doubles twice without the rows that rounding took."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 8, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(4, 1, 3, stride=2, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Patches(nn.Module):
    """A small vision transformer whose positions are those of a 32×32 picture."""

    def __init__(self, image_size=32, patch=4, width=16):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, stride=patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (image_size // patch) ** 2 + 1, width))
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], dim=1)
        x = x + self.positions
        return self.head(x[:, 0])


class TightBlock(nn.Module):
    def __init__(self, came, given):
        super().__init__()
        self.conv1 = nn.Conv2d(came, given, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(given, given, kernel_size=3, padding=0)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class TightUNet(nn.Module):
    """Its blocks take two pixels from every side; its axes are called as NumPy calls them."""

    def __init__(self):
        super().__init__()
        self.down = TightBlock(3, 4)
        self.bottom = TightBlock(4, 8)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.merge = TightBlock(8, 4)

    def forward(self, x):
        skip = self.down(x)
        x = self.up(self.bottom(F.max_pool2d(skip, 2)))
        x = torch.cat([x, skip], axis=1)
        return self.merge(x)


class Organs(nn.Module):
    """Halves a volume twice and doubles it twice, which wants multiples of 4."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv3d(1, 4, 3, padding=1)
        self.down1 = nn.Conv3d(4, 8, 3, stride=2, padding=1)
        self.down2 = nn.Conv3d(8, 8, 3, stride=2, padding=1)
        self.up2 = nn.ConvTranspose3d(8, 8, 2, stride=2)
        self.up1 = nn.ConvTranspose3d(8, 4, 2, stride=2)
        self.head = nn.Conv3d(4, 2, 1)

    def forward(self, x):
        skip1 = F.relu(self.stem(x))
        skip2 = F.relu(self.down1(skip1))
        x = self.up2(F.relu(self.down2(skip2)))
        x = x + skip2
        x = self.up1(x)
        return self.head(x + skip1)


class WithTable(nn.Module):
    """Joins maps that are still maps to a row of numbers."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.GELU())
        self.narrow = nn.Linear(4, 2)
        self.out = nn.Linear(2 + 12, 1)

    def forward(self, images, table):
        x = self.narrow(self.maps(images))
        x = torch.cat([x, table], dim=1)
        return self.out(x)


class RelativePositions(nn.Module):
    """Attention whose positions are those of 14×14 maps, of 224×224 pictures."""

    def __init__(self, width=8, side=14):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 16, stride=16)
        self.query = nn.Conv2d(width, width, 1)
        self.key = nn.Conv2d(width, width, 1)
        self.high = nn.Parameter(torch.zeros(1, width, 1, side))
        self.wide = nn.Parameter(torch.zeros(1, width, side, 1))

    def forward(self, x):
        x = self.stem(x)
        q = self.query(x).flatten(2)
        k = self.key(x).flatten(2)
        content = torch.bmm(q.permute(0, 2, 1), k)
        position = (self.high + self.wide).flatten(2).permute(0, 2, 1)
        position = torch.matmul(position, q)
        return (content + position).softmax(-1).mean(1)


class Quarter(nn.Module):
    """A mask of a quarter of the picture's size, which nothing enlarges."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, 2, 1)
        )
        self.detail = nn.Conv2d(3, 3, 3, padding=1)
        self.head = nn.Conv2d(3, 1, 1)

    def forward(self, x):
        y = self.detail(x)
        x = self.body(x)
        return self.head(x * y)
