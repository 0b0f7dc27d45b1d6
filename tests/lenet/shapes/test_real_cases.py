"""Public reports of shape errors, rewritten as small networks, each with its diagnosis.

The networks of `real_cases/` are our own; what they share with a report is the mistake. What an
explanation has to say was written down before it was first computed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.shapes import ShapeError, explain, explaining
from lenet.shapes.edits import apply_edits
from tests.sources import load_file, make_by_hand

NETWORKS = Path(__file__).parent / "real_cases"


@dataclass(frozen=True)
class Case:
    """One report, and what its explanation has to say.

    Attributes:
        report: where somebody asked, ``owner/repository#number`` on GitHub.
        network: the file in `real_cases/` and the name in it that makes the network.
        inputs: the tensors of the user's call, or the shapes of pictures.
        diagnosis: what is wrong, as an expert would say it.
        names: a pattern for the layer or call that the first sentence names.
        says: patterns that must be found in the explanation.
        never: patterns that would be wrong.
        fix: a pattern that the lines of one fix must match; empty where none is expected.
        call: what the user wrote, from the network to the failing line.
        train: the network is in training mode.
        rows: what a mended network gives, one for each picture; as many as were given if None.
    """

    report: str
    network: str
    inputs: tuple[Any, ...]
    diagnosis: str
    names: str
    says: tuple[str, ...]
    never: tuple[str, ...] = ()
    fix: str = ""
    call: Callable[..., object] = field(default=lambda model, *inputs: model(*inputs))
    train: bool = False
    rows: int | None = None

    def __str__(self) -> str:
        return self.network

    def tensors(self) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        return tuple(
            given if isinstance(given, Tensor) else torch.rand(given, generator=generator)
            for given in self.inputs
        )

    def make(self, module: ModuleType) -> nn.Module:
        torch.manual_seed(0)
        model: nn.Module = getattr(module, self.network.split(".")[1])()
        return model.train(self.train)

    @property
    def path(self) -> Path:
        return NETWORKS / f"{self.network.split('.')[0]}.py"


def tokens(*shape: int) -> Tensor:
    return torch.arange(torch.Size(shape).numel()).remainder(20).reshape(shape)


CASES = (
    # between maps and rows
    Case(
        "pytorch/pytorch#38469",
        "flattening.SmallPicture",
        ((6, 3, 21, 21),),
        "The view asks for 400 numbers a picture, and 21×21 leaves 16·2·2 = 64; 32×32 leaves 400.",
        "view",
        (r"\b400\b", r"\b64\b"),
        ("mixed", "batch axis", "Why:.*padding"),
        r"32×32",
    ),
    Case(
        "TylerYep/torchinfo#269",
        "flattening.Signal",
        ((4, 1, 7),),
        "Flatten(start_dim=0) makes one row of the whole batch.",
        r"model\.[45]|model\[[45]\]",
        (r"start_dim|one row|batch",),
        (),
        r"start_dim=1|nn\.Flatten\(\)",
    ),
    Case(
        "mrdbourke/pytorch-deep-learning#763",
        "flattening.Blocks",
        ((1, 28, 28),),
        "One picture was given without its batch axis.",
        r"classifier",
        (r"batch axis is missing",),
        ("in_features=49", "mixed"),
        r"unsqueeze\(0\)|\[None\]",
        rows=1,
    ),
    Case(
        "pytorch/pytorch#67956",
        "flattening.FourPools",
        ((5, 1, 28, 28),),
        "fc wants the 64 features of a 32×32 picture; 28×28 leaves 16.",
        r"\bfc\b",
        (r"\b64 features\b", r"\b16 features\b"),
        ("2×2 input", "mixed", "Why:.*padding"),
        r"32×32",
    ),
    Case(
        "yunjey/pytorch-tutorial#94",
        "flattening.FixedAverage",
        ((3, 3, 256, 256),),
        "The average leaves 1×1 of a 224×224 picture; 256×256 leaves 2×2, 64 features for 16.",
        r"\bfc\b",
        (r"\b64 features\b", r"\b16 features\b"),
        ("mixed",),
        r"224×224",
    ),
    Case(
        "jankolf/ser-fiq-pytorch#3",
        "flattening.FaceFeatures",
        ((3, 3, 512, 512),),
        "fc wants 8·7·7 = 392 features, of a 112×112 picture.",
        r"\bfc\b",
        (r"\b392 features\b", r"\b8192 features\b"),
        ("mixed",),
        r"112×112",
    ),
    Case(
        "higgsfield/Capsule-Network-Tutorial#9",
        "flattening.Capsules",
        ((5, 1, 32, 32),),
        "The view counts 2·6·6 capsules, those of a 28×28 picture; 32×32 gives 512 numbers.",
        "view",
        (r"\b72\b", r"\b512\b"),
        ("mixed", "batch axis"),
        r"28×28",
    ),
    Case(
        "skyduy/CNN_keras#20",
        "flattening.Captcha",
        ((3, 3, 40, 130),),
        "The view asks for 8·6·27 = 1296 numbers, and 40×130 leaves 8·7·29 = 1624.",
        "view",
        (r"\b1296\b", r"\b1624\b"),
        ("mixed", "batch axis"),
        r"36×120|in_features=1624|nn\.Linear\(1624|8 \* 7 \* 29",
    ),
    Case(
        "sergeywong/cp-vton#30",
        "flattening.TurnedView",
        ((3, 3, 8, 8),),
        "permute leaves the numbers where they are in memory, and view needs them in order.",
        "view",
        (r"memory|contiguous|in order",),
        (r"mixed", r"numbers per image", r"batch axis"),
        r"reshape|contiguous|flatten\(",
    ),
    Case(
        "pytorch/pytorch#139031",
        "flattening.SeveralPictures",
        ((5, 1, 8, 8), (5, 1, 8, 8), (5, 1, 8, 8)),
        "cat joins along the batch: 15 rows for 5 pictures.",
        r"\bcat\b",
        (r"\b15\b",),
        ("mixed",),
        r"dim=1|, 1\)",
        call=lambda model, *inputs: F.cross_entropy(model(*inputs), tokens(5).remainder(5)),
    ),
    Case(
        "layumi/Person_reID_baseline_pytorch#77",
        "flattening.Squeezed",
        ((1, 3, 9, 9),),
        "squeeze() also removes the batch axis when the batch is a single picture.",
        r"squeeze",
        (r"batch",),
        ("mixed", r"nn\.Linear\("),
        r"flatten\(|view\(x\.size\(0\), -1\)|squeeze\(.*\(2, 3\)",
        call=lambda model, images: F.cross_entropy(model(images), tokens(1)),
    ),
    # branches that do not meet
    Case(
        "GengDavid/pytorch-cpn#45",
        "joining.WiderBlock",
        ((3, 8, 12, 12),),
        "The block turns 8 channels into 16, and the shortcut still has 8.",
        r"out \+= residual|add",
        (r"16, 12, 12", r"8, 12, 12"),
        ("mixed",),
        r"nn\.Conv2d\(8, 16, (kernel_size=)?1\)",
    ),
    Case(
        "Res2Net/Res2Net-PretrainedModels#10",
        "joining.RoundedShortcut",
        ((3, 4, 37, 37),),
        "37 / 2 is rounded down on the shortcut (18) and up by the convolution (19).",
        r"out \+= residual|add",
        (r"19, 19", r"18, 18"),
        ("2×2 input", "3×3 input", "Why:.*padding"),
        r"ceil_mode=True|3[268]×3[268]",
    ),
    Case(
        "moskomule/senet.pytorch#64",
        "joining.ShrinkingBlock",
        ((3, 8, 16, 16),),
        "conv2 has no padding, so its maps are 14×14 beside 16×16.",
        r"x \+ self\.conv2|add",
        (r"14, 14", r"16, 16"),
        ("2×2 input", "3×3 input", "mixed"),
        r"padding=1",
    ),
    Case(
        "soapisnotfat/pytorch-cifar10#8",
        "joining.StridedBlock",
        ((3, 8, 16, 16),),
        "The block halves the maps and doubles the channels, and the shortcut does neither.",
        r"y \+ x|add",
        (r"16, 8, 8", r"8, 16, 16"),
        ("1×1 input", "2×2 input", "mixed"),
        r"nn\.Conv2d\(8, 16, (kernel_size=)?1, stride=2\)",
    ),
    Case(
        "ptrblck/pytorch_misc#2",
        "joining.UNet",
        ((2, 3, 30, 30),),
        "30 halves to 15 and 7, and 7 doubles to 14, not 15; 32 halves twice without a rest.",
        r"\bcat\b",
        (r"14", r"15"),
        ("4×4 input", "mixed", "Why:.*(padding|down1)"),
        r"32×32|28×28|output_padding=1",
    ),
    Case(
        "tyiannak/deep_audio_features#23",
        "joining.Autoencoder",
        ((3, 1, 28, 28),),
        "The decoder gives 25×25 for 28×28: output_padding=1 is missing.",
        r"mse_loss|decoder",
        (r"25", r"28"),
        (),
        r"output_padding=1",
        call=lambda model, images: F.mse_loss(model(images), images),
    ),
    Case(
        "jeonsworld/ViT-pytorch#3",
        "joining.Patches",
        ((3, 3, 16, 16),),
        "The positions are those of a 32×32 picture, 65; 16×16 has 16 patches and the class: 17.",
        r"x \+ self\.positions|add",
        (r"17", r"65"),
        ("mixed",),
        r"32×32|image_size=16",
    ),
    # sequences
    Case(
        "ljynlp/W2NER#23",
        "sequences.WrongInputSize",
        ((3, 7, 32),),
        "The LSTM was made for 32 features, and the layer before it gives 24.",
        r"\blstm\b",
        (r"\b32\b", r"\b24\b"),
        ("mixed",),
        r"nn\.LSTM\(24|input_size=24|nn\.Linear\(32, 32\)|out_features=32",
    ),
    Case(
        "pytorch/pytorch#3349",
        "sequences.lstm_in_a_sequential",
        ((3, 7, 12),),
        "An LSTM returns its outputs and its state, and Linear takes one tensor.",
        r"model\[1\]|\b1\b",
        (r"tuple|pair",),
        ("mixed",),
    ),
    Case(
        "pytorch/pytorch#2674",
        "sequences.Sentiment",
        (tokens(4, 9),),
        "The batch comes first, and the LSTM takes it for time: batch_first=True is missing.",
        r"\blstm\b|outputs\[-1\]",
        (r"batch_first",),
        ("mixed",),
        r"batch_first=True",
        call=lambda model, words: F.cross_entropy(model(words), tokens(4).remainder(2)),
    ),
    Case(
        "udacity/deep-learning-v2-pytorch#398",
        "sequences.KeptState",
        ((5, 7, 4),),
        "The state was made for 16 sequences, and the batch has 5.",
        r"\blstm\b",
        (r"\b16\b", r"\b5\b|\(N"),
        ("mixed",),
    ),
    Case(
        "timbmg/Sentence-VAE#35",
        "sequences.Decoder",
        ((5, 7, 6),),
        "The state has four axes, (1, 1, 5, 8), and a GRU wants three, (1, 5, 8).",
        r"\bdecoder\b",
        (r"1, 1, (N|5), 8", r"\(1, (N|5), 8\)"),
        ("mixed",),
    ),
    Case(
        "kyegomez/zeta#406",
        "sequences.TurnedSound",
        ((3, 40, 81),),
        "transpose(1, 2) puts time where conv expects its 40 channels.",
        r"\bconv\b",
        (r"\b40 channels\b", r"\b81 channels\b"),
        (r"nn\.Conv1d\(81", "mixed"),
        r"transpose|permute|swapaxes|mfcc = mfcc$",
    ),
    Case(
        "huggingface/diffusers#1797",
        "sequences.TextCNN",
        (tokens(3, 9),),
        "The features of a word come last, and Conv1d wants its channels before the length.",
        r"\bconv\b",
        (r"\b24 channels\b", r"\b9 channels\b"),
        (r"nn\.Conv1d\(9", "mixed"),
        r"permute\(0, 2, 1\)|transpose\(1, 2\)",
    ),
    Case(
        "pytorch/pytorch#122959",
        "sequences.CrossAttention",
        ((4, 2, 16), (4, 9, 16)),
        "The batch comes first, and attention expects it second: batch_first=True is missing.",
        r"\battention\b",
        (r"batch_first",),
        ("mixed",),
        r"batch_first=True",
    ),
    Case(
        "maxjcohen/transformer#43",
        "sequences.OwnAttention",
        ((4, 7, 12),),
        "q @ k multiplies (7, 12) by (7, 12): k has to be turned, k.transpose(1, 2).",
        r"q @ k|matmul",
        (r"7, 12",),
        ("mixed",),
        r"k\.(transpose\((1, 2|-2, -1|-1, -2)\)|permute\(0, 2, 1\)|mT)",
    ),
    Case(
        "ViTAE-Transformer/ViTDet#25",
        "sequences.NormalisedMaps",
        ((3, 3, 28, 28),),
        "LayerNorm(24) wants 24 numbers on the last axis, and the channels are on the second.",
        r"\bnorm\b",
        (r"\b24\b", r"24, 7, 7"),
        ("mixed", r"nn\.LayerNorm\(7\)", r"nn\.Linear\("),
        r"permute\(0, 2, 3, 1\)|24, 7, 7|nn\.(GroupNorm|BatchNorm2d)",
    ),
    Case(
        "HappyColor/SpeechFormer#3",
        "sequences.NormalisedFeatures",
        ((3, 10, 76),),
        "input_norm was made for 96 features, and 76 come.",
        r"\binput_norm\b",
        (r"\b96\b", r"\b76\b"),
        ("mixed",),
        r"nn\.LayerNorm\(\(?\[?76|normalized_shape=\(?\[?76",
    ),
    Case(
        "sksq96/pytorch-summary#85",
        "sequences.NormalisedSequence",
        ((3, 6, 20),),
        "The 20 features come last, and BatchNorm1d normalises the second axis.",
        r"\bbn\b",
        (r"\b20\b", r"\b6\b"),
        ("mixed", r"nn\.Linear\("),
        r"permute\(0, 2, 1\)|transpose\(1, 2\)",
    ),
    # pictures of another form
    Case(
        "milesial/Pytorch-UNet#452",
        "pictures.Colour",
        ((3, 4, 32, 32),),
        "The pictures have a fourth channel, transparency.",
        r"\bconv1\b",
        (r"\b3 channels\b", r"\b4 channels\b"),
        ("channels come last", "mixed"),
        r"images\[:, :3\]",
    ),
    Case(
        "LambdaLabsML/examples#39",
        "pictures.Colour",
        ((3, 1, 32, 32),),
        "The pictures are grey.",
        r"\bconv1\b",
        (r"\b3 channels\b", r"\b1 channel\b"),
        ("channels come last", "mixed"),
        r"images\.(expand|repeat)|in_channels=1|nn\.Conv2d\(1,",
    ),
    Case(
        "pytorch/pytorch#23019",
        "pictures.Colour",
        ((5, 32, 32, 3),),
        "The channels come last.",
        r"\bconv1\b",
        (r"channels come last",),
        ("in_channels=32", r"nn\.Conv2d\(32", "mixed"),
        r"permute\(0, 3, 1, 2\)",
    ),
    Case(
        "VisionRush/DeepFakeDefenders#30",
        "pictures.Colour",
        ((1, 5, 3, 32, 32),),
        "There is one axis too many: five pictures are a batch already.",
        r"\bconv1\b",
        (r"1, 5, 3, 32, 32|N, 5, 3, 32, 32",),
        ("mixed",),
        r"squeeze\(0\)|images\[0\]|flatten\(0, 1\)|flatten\(end_dim=1\)",
        rows=5,
    ),
    Case(
        "huanghoujing/AlignedReID-Re-Production-Pytorch#82",
        "pictures.Colour",
        ((4, 3, 32, 32),),
        "The whole batch of a loader was given, pictures and labels.",
        r"\bconv1\b|model",
        (r"list|pair|labels",),
        ("mixed",),
        r"images|\[0\]",
        call=lambda model, images: model([images, tokens(4)]),
    ),
    Case(
        "pytorch/pytorch#2138",
        "pictures.Colour",
        (torch.rand((3, 3, 32, 32), dtype=torch.float64),),
        "The pictures are float64, as NumPy makes them.",
        r"\bconv1\b",
        (r"float64", r"float32"),
        ("mixed",),
        r"images\.float\(\)",
    ),
    Case(
        "pytorch/pytorch#1190",
        "pictures.Deep",
        ((2, 3, 64, 64),),
        "The maps have shrunk to 4×4 before the fourth 5×5: 76×76 is the least, 96×96 usual.",
        r"\bconv4\b",
        (r"\b4\b", r"\b5\b"),
        ("mixed",),
        r"\b(76|96|128|224)×\1",
    ),
    Case(
        "tamarott/SinGAN#28",
        "pictures.Panorama",
        ((2, 3, 12, 96),),
        "Of 12 rows one is left before conv3, whose kernel is 3 high; the width is no problem.",
        r"\bconv3\b",
        (r"height|1×22|1, 22",),
        ("mixed",),
        r"padding=1|×96|kernel_size",
    ),
    Case(
        "pytorch/pytorch#9076",
        "pictures.Discriminator",
        ((3, 1, 28, 28),),
        "bn2 was made for 8 channels, and conv2 gives 16.",
        r"\bbn2\b",
        (r"\b8 channels\b", r"\b16 channels\b"),
        ("mixed",),
        r"nn\.BatchNorm2d\(16\)|num_features=16",
    ),
    Case(
        "leaderj1001/BottleneckTransformers#18",
        "pictures.PyramidPooling",
        ((1, 3, 12, 12),),
        "In training mode batch normalisation needs more than one number per channel.",
        r"\bbn\b",
        (r"training", r"one (number|value|picture|image)|single"),
        ("mixed",),
        r"eval\(\)",
        train=True,
    ),
    Case(
        "msyim/VGG16#1",
        "pictures.Volumes",
        ((5, 3, 16, 16),),
        "Conv3d wants volumes, (N, 3, D, H, W), and pictures came.",
        r"\bconv\b",
        (r"D, H, W",),
        (r"(are|is) .*: 5 channels\b", "in_channels=5", r"nn\.Conv3d\(5", "mixed"),
        r"unsqueeze\((2|-3)\)|\[:, :, None\]|Conv2d",
    ),
    Case(
        "LilitYolyan/CutPaste#26",
        "pictures.head_of_another_resnet",
        ((3, 3, 64, 64),),
        "The new fc is for 2048 features, a resnet50's; this one gives 512.",
        r"\bfc\b",
        (r"\b2048 features\b", r"\b512 features\b"),
        ("resnet.py", "mixed"),
        r"model\.fc = nn\.Linear\(512, 10\)",
    ),
    Case(
        "taewanme/DL_With_PyTorch#2",
        "pictures.head_after_the_old_one",
        ((3, 3, 64, 64),),
        "The old classifier's 1000 scores are gone with it: 1280 features come.",
        r"\bclassifier",
        (r"\b1000 features\b", r"\b1280 features\b"),
        ("mixed",),
        r"model\.classifier\[1\] = nn\.Linear\(1280, 10\)|nn\.Linear\(1280, 10\)",
    ),
    Case(
        "pytorch/vision#7356",
        "pictures.resnet",
        ((3, 1, 64, 64),),
        "The pictures are grey, and a resnet's conv1 wants colour.",
        r"\bconv1\b",
        (r"\b3 channels\b", r"\b1 channel\b"),
        ("mixed",),
        r"model\.conv1 = nn\.Conv2d\(1, 64|images\.(expand|repeat)",
    ),
    Case(
        "chenyuntc/pytorch-book#17",
        "pictures.body_without_flatten",
        ((3, 3, 64, 64),),
        "Nothing flattens (N, 512, 1, 1) before the linear layer.",
        r"model\[9\]|\b9\b",
        (r"flatten",),
        ("mixed", r"nn\.Linear\(1,", "in_features=1 "),
        r"nn\.Flatten\(\)",
    ),
    # the line after the network
    Case(
        "deepchem/deepchem#2323",
        "losses.Classifier",
        ((5, 4),),
        "The labels are (5, 1), and cross_entropy wants (5,).",
        r"cross_entropy|labels|target",
        (r"\(5, 1\)|\(N, 1\)",),
        ("mixed",),
        r"squeeze\((1|-1)\)|flatten\(\)|\[:, 0\]",
        call=lambda model, x: F.cross_entropy(model(x), tokens(5, 1).remainder(3)),
    ),
    Case(
        "pytorch/pytorch#1258",
        "losses.Classifier",
        ((5, 4),),
        "The labels are one-hot rows of whole numbers; cross_entropy wants class numbers.",
        r"cross_entropy|labels|target",
        (r"one-hot",),
        ("mixed",),
        r"argmax\((dim=)?(1|-1)\)|float\(\)",
        call=lambda model, x: F.cross_entropy(
            model(x), F.one_hot(tokens(5).remainder(3), num_classes=3)
        ),
    ),
    Case(
        "qubvel-org/segmentation_models.pytorch#466",
        "losses.Classifier",
        ((5, 4),),
        "The labels are float32, and cross_entropy wants whole numbers.",
        r"cross_entropy|labels|target",
        (r"float32", r"int64|whole"),
        ("mixed",),
        r"\.long\(\)|int64",
        call=lambda model, x: F.cross_entropy(model(x), tokens(5).remainder(3).float()),
    ),
    Case(
        "milesial/Pytorch-UNet#226",
        "losses.Segments",
        ((3, 3, 8, 8),),
        "The masks have a channel axis, (3, 1, 8, 8), and cross_entropy wants (3, 8, 8).",
        r"cross_entropy|labels|target|masks",
        (r"1, 8, 8",),
        ("mixed",),
        r"squeeze\(1\)|\[:, 0\]",
        call=lambda model, x: F.cross_entropy(model(x), tokens(3, 1, 8, 8).remainder(5)),
    ),
    Case(
        "nbertagnolli/pytorch-simple-gan#1",
        "losses.Judge",
        ((5, 4),),
        "The network gives (5, 1) and the labels are (5,).",
        r"binary_cross_entropy|labels|target",
        (r"\(5, 1\)|\(N, 1\)", r"\(5,\)|\(N,\)"),
        ("mixed",),
        r"squeeze\((1|-1)\)|\[:, None\]|flatten\(\)",
        call=lambda model, x: F.binary_cross_entropy(model(x), torch.ones(5)),
    ),
    Case(
        "pytorch/pytorch#45373",
        "losses.Judge",
        ((5, 4),),
        "The labels are int64, and this loss wants float32, as the scores are.",
        r"binary_cross_entropy|labels|target",
        (r"int64", r"float32"),
        ("mixed",),
        r"\.float\(\)|float32",
        call=lambda model, x: F.binary_cross_entropy(model(x), tokens(5, 1).clamp(max=1)),
    ),
    Case(
        "Photon-AI-Research/NeuralSolvers#20",
        "losses.Judge",
        ((5, 4),),
        "mse_loss stretches (5, 1) and (5,) to (5, 5), in silence.",
        r"mse_loss|labels|target",
        (r"\(5, 1\)|\(N, 1\)", r"\(5,\)|\(N,\)", r"5, 5|5×5|every|each", r"squeeze\(1\)"),
        ("mixed",),
        call=lambda model, x: F.mse_loss(model(x), torch.ones(5)),
    ),
    Case(
        "pytorch/pytorch#116598",
        "losses.Tokens",
        ((3, 7),),
        "An embedding wants whole numbers, and float32 came.",
        r"\bembedding\b",
        (r"float32", r"whole|int64|long"),
        ("mixed",),
        r"\.long\(\)|int64",
    ),
    # a second forty; here are those for which an explanation had to be mended
    Case(
        "pytorch/pytorch#1168",
        "flattening.TwoScales",
        ((2, 3, 64, 64), (2, 3, 64, 64)),
        "Nothing flattens the maps, of the one picture nor of the other.",
        "fc_near",
        (r"\b392 features\b", "flatten"),
        ("mixed",),
        r"self\.fc_far\(far\.flatten\(1\)\)",
    ),
    Case(
        "kuangliu/pytorch-cifar#97",
        "flattening.Halvings",
        ((4, 3, 96, 96),),
        "Made for 32×32; 96×96 leaves 3×3: 144 features for 16.",
        r"\bclassifier\b",
        (r"\b16 features\b", r"\b144 features\b", "32×32"),
        ("mixed", "63×63"),
        r"nn\.Linear\(144",
    ),
    Case(
        "microsoft/CSWin-Transformer#5",
        "flattening.WindowsOfTwelve",
        ((2, 3, 56, 56),),
        "14×14 maps cannot be cut into windows of 12.",
        r"\bview asks for \(b, 8, 1, 12, 1, 12\)",
        (r"N, 8, 14, 14",),
        ("mixed", "batch axis"),
        r"48×48|96×96",
    ),
    Case(
        "carpedm20/DiscoGAN-pytorch#19",
        "flattening.Examiner",
        ((4, 3, 64, 64),),
        "Made for 32×32; 64×64 leaves 5×5, 25 scores for a picture, and the labels have one.",
        r"binary_cross_entropy",
        (r"\(4, 25\)", r"\(4, 1\)"),
        ("mixed",),
        r"32×32",
        call=lambda model, images: F.binary_cross_entropy(model(images), torch.ones(4, 1)),
    ),
    Case(
        "pytorch/examples#1278",
        "flattening.SplittingExaminer",
        ((4, 3, 64, 64),),
        "Made for 32×32; 64×64 leaves 25 numbers of a picture, and the view makes rows of them.",
        r"\bview\b",
        (r"25 rows",),
        ("mixed", r"flatten\(1\)"),
        r"32×32",
        call=lambda model, images: F.binary_cross_entropy(model(images), torch.ones(4)),
    ),
    Case(
        "nikhilroxtomar/Retina-Blood-Vessel-Segmentation-in-PyTorch#2",
        "joining.TightUNet",
        ((2, 3, 32, 32),),
        "conv2 of the block has no padding, so the maps that come up are smaller.",
        r"\bcat\b.*but axis 1\b",
        (r"26, 26", r"30, 30"),
        ("mixed",),
        r"kernel_size=3, padding=1",
    ),
    Case(
        "YtongXie/CoTr#7",
        "joining.Organs",
        ((2, 1, 12, 12, 10),),
        "10 halves to 5 and 3, and 3 doubles to 6: sizes must be multiples of 4.",
        r"x \+ skip2",
        (r"6, 6, 6", r"6, 6, 5"),
        ("mixed",),
        r"12×12×12|16×16×16|8×8×8",
    ),
    Case(
        "xmu-xiaoma666/External-Attention-pytorch#40",
        "joining.WithTable",
        ((3, 3, 16, 16), (3, 12)),
        "x is still maps, and has to be flattened before it is joined to a row.",
        r"\bcat\b",
        (r"8, 4, 2", r"\(N, 12\)"),
        ("mixed",),
        r"torch\.cat\(\[x\.flatten\(1\), table\], dim=1\)",
    ),
    Case(
        "leaderj1001/BottleneckTransformers#13",
        "joining.RelativePositions",
        ((2, 3, 32, 32),),
        "The positions are those of a 224×224 picture, 196; 32×32 leaves 4.",
        r"content \+ position",
        (r"\b196\b", r"N, 4, 4"),
        ("mixed", "convolution"),
        r"224×224",
    ),
    Case(
        "PetrochukM/PyTorch-NLP#62",
        "sequences.CellState",
        ((5, 7, 6),),
        "An LSTMCell takes a pair of states, and gets one tensor.",
        r"\bcell\b",
        (r"a pair of states \(5, 12\)",),
        ("mixed",),
    ),
    Case(
        "pytorch/pytorch#5860",
        "sequences.FlatState",
        ((6, 4, 5),),
        "The states must be (1, 4, 2), and are (4, 2).",
        r"\blstm\b",
        (r"a pair of states \(1, 4, 2\)", r"\(4, 2\)"),
        ("mixed", r"1, N, 2"),
        rows=4,
    ),
    Case(
        "zhiqwang/sightseq#16",
        "sequences.Line",
        ((3, 1, 32, 40),),
        "The lines are 32 pixels high and leave maps 2 high, 32 features; rnn was made for 16.",
        r"\brnn\b",
        (r"\b16 features\b", r"\b32 features\b"),
        ("mixed", "no permute"),
        r"nn\.LSTM\(32",
    ),
    Case(
        "KasperGroesLudvigsen/influenza_transformer#9",
        "sequences.TimeFirst",
        ((4, 7, 3),),
        "The positions are laid out for time first, (7, 1, 8), and the batch comes first.",
        r"x \+ self\.positions",
        (r"N, 7, 8", r"7, 1, 8"),
        ("mixed",),
        r"self\.positions\[: x\.size\(1\)\]\.transpose\(0, 1\)",
    ),
    Case(
        "bentrevett/pytorch-seq2seq#89",
        "sequences.TenPositions",
        (tokens(3, 12),),
        "It knows ten positions, and the sentences have twelve words.",
        r"\bplaces\b",
        (r"whole numbers below 10\b",),
        ("mixed",),
        r"nn\.Embedding\(12, 8\)",
    ),
    Case(
        "hikariming/chat-dataset-baseline#78",
        "sequences.HalfMask",
        (torch.rand(2, 8, generator=torch.Generator().manual_seed(0)).half(),),
        "The mask is float32, and so is what it is multiplied with; decoder wants float16.",
        r"\bdecoder\b",
        ("float16", "float32"),
        ("mixed", "the images"),
        r"\(x \* keep\)\.to\(torch\.float16\)",
    ),
    Case(
        "AntixK/PyTorch-VAE#17",
        "flattening.Dreamer",
        ((4, 6),),
        "128 numbers are 32·2·2, and the view makes 64 channels of them, of two pictures each.",
        r"\bup\b",
        (r"\b32 channels\b", r"\b64 channels\b"),
        ("mixed",),
        r"z\.view\(-1, 32, 2, 2\)",
    ),
    Case(
        "mahmoudtaouti/RL_Highway_Merge#1",
        "flattening.Critic",
        ((3, 9),),
        "54 numbers, of six agents, are wanted, and those of one come.",
        r"model\[0\]",
        (r"\b54 features\b", r"\b9 features\b"),
        ("mixed",),
        r"nn\.Linear\(9, 16\)",
    ),
    Case(
        "Starlight0798/gymRL#1",
        "flattening.Player",
        ((4, 7, 4),),
        "A state is 7×4 numbers, and fc1 takes rows of 7.",
        r"\bfc1\b",
        (r"\b7 features\b", r"\b4 features\b"),
        ("mixed",),
        r"flatten\(start_dim=1\).*28",
    ),
    Case(
        "AndreaCodegoni/Tiny_model_4_CD#2",
        "joining.Quarter",
        ((2, 3, 32, 32),),
        "x is a quarter of y's size, as the body shrinks and nothing enlarges.",
        r"x \* y",
        (r"8, 8", r"32, 32"),
        ("mixed", "1×1 convolution"),
        r"F\.interpolate\(x, size=y\.shape\[2:\]\)",
    ),
    Case(
        "modelscope/scepter#48",
        "sequences.TurnedText",
        (tokens(4, 7),),
        "permute puts the batch second, and the attention takes it first: 7 sequences of 4.",
        r"\battention\b",
        (r"batch_first=True", r"7 sequences of 4", r"\(4, 4\)", r"\(7, 7\)"),
        ("mixed",),
        r"self\.words\(text\)$",
    ),
    Case(
        "pytorch/pytorch#64706",
        "sequences.MaskedText",
        ((3, 5, 16), (3, 5, 5)),
        "A mask of three axes must be (12, 5, 5), one for every head, and is (3, 5, 5).",
        r"\battention\b",
        (r"12, 5, 5", r"3, 5, 5"),
        ("mixed",),
        r"mask\.repeat_interleave\(4, dim=0\)",
    ),
    Case(
        "whosebug.com/question/6505309",
        "sequences.Sampled",
        ((4, 1, 10),),
        "The first convolution wants 10 channels of length 1, and one channel of length 10 comes.",
        r"layers\[0\]\[0\]",
        (r"\b10 channels\b", r"\b1 channel\b"),
        ("mixed",),
        r"images\.transpose\(1, 2\)",
    ),
    Case(
        "dion-jy/lstm-vae#2",
        "sequences.Sketcher",
        ((5, 3),),
        "The states must be (1, 5, 16), and are (5, 16).",
        r"\bdecoder\b",
        (r"a pair of states \(1, 5, 16\)", r"\(5, 16\)"),
        ("mixed",),
        r"\(state\.unsqueeze\(0\), state\.unsqueeze\(0\)\)",
    ),
    Case(
        "kenshohara/3D-ResNets-PyTorch#92",
        "pictures.OneNormOfMaps",
        ((2, 3, 8, 8, 8),),
        "norm5 is a BatchNorm2d, and gets volumes.",
        r"norm5",
        (r"N, 8, 4, 4, 4",),
        ("mixed",),
        r"nn\.BatchNorm3d\(8\)",
    ),
    Case(
        "amir-aghdam/3D-UNet#5",
        "pictures.Scans",
        ((1, 1, 3, 8, 8, 8),),
        "There is an axis too many, and the scan has three channels.",
        r"conv1",
        (r"1, 3, 8, 8, 8",),
        ("mixed",),
        r"images\.flatten\(0, 1\)",
        rows=1,
    ),
    Case(
        "kyegomez/HeptapodLM#7",
        "losses.NextWord",
        (tokens(3, 7),),
        "cross_entropy wants the classes second, (3, 20, 7), and the logits are (3, 7, 20).",
        r"cross_entropy",
        (r"\(3, 7, 20\)", r"\(3, 7\)"),
        ("mixed",),
        r"model\(words\)\.transpose\(1, 2\)",
        call=lambda model, words: F.cross_entropy(model(words), words),
    ),
    Case(
        "singhsourabh/Resume-NER#6",
        "losses.NextWord",
        (tokens(3, 7),),
        "The logits are 21 rows, and the labels are still (3, 7).",
        r"cross_entropy",
        (r"\(21, 20\)", r"\(3, 7\)"),
        ("mixed",),
        r"words\.flatten\(\)",
        call=lambda model, words: F.cross_entropy(model(words).view(-1, 20), words),
    ),
    Case(
        "NVIDIA/apex#27",
        "losses.Helped",
        ((5, 4),),
        "The network gives two outputs while it trains, and cross_entropy takes one tensor.",
        r"cross_entropy",
        (r"tuple of \(5, 3\) and \(5, 3\)",),
        ("mixed", "No explanation"),
        r"model\(x\)\[0\]",
        call=lambda model, x: F.cross_entropy(model(x), tokens(5).remainder(3)),
        train=True,
    ),
    Case(
        "milesial/Pytorch-UNet#244",
        "losses.Mask",
        ((2, 3, 8, 8),),
        "The masks have three colours, and the output has one channel.",
        r"binary_cross_entropy_with_logits",
        (r"2, 1, 8, 8", r"2, 3, 8, 8"),
        ("mixed",),
        r"nn\.Conv2d\(4, 3, 1\)",
        call=lambda model, images: F.binary_cross_entropy_with_logits(
            model(images), torch.ones(2, 3, 8, 8)
        ),
    ),
)


def explanation_of(case: Case) -> str:
    """What the user reads beside PyTorch's own message: in an error, below it, or as a warning."""
    model, inputs = case.make(load_file(case.path)), case.tensors()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            with explaining(model, seconds=60):
                case.call(model, *inputs)
        except ShapeError as error:
            return str(error).partition("\nPyTorch says")[0]
        except Exception as error:
            return "\n".join(getattr(error, "__notes__", []))
    warned = [str(warning.message) for warning in heard]
    explanation = str(explain(model, inputs, seconds=60).explanation).partition("\nPyTorch says")[0]
    return "\n".join(each for each in warned if "Using a target size" not in each) or explanation


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case}-{case.report}")
def test_a_real_case_is_explained_as_an_expert_would(case, request):
    if case.network == "joining.Autoencoder":
        why = "the targets are the images, and so nothing in the network is tried"
        request.applymarker(pytest.mark.xfail(strict=True, reason=why))
    text = explanation_of(case)
    first = text.partition("\n")[0]
    found = [pattern for pattern in case.says if not re.search(pattern, text)]
    wrong = [pattern for pattern in case.never if re.search(pattern, text)]
    assert re.search(case.names, first), text
    assert not found, f"{found} not in: {text}"
    assert not wrong, f"{wrong} in: {text}"
    assert re.search(case.fix, text.partition("(tried)")[2], re.M), f"no {case.fix} in: {text}"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case}-{case.report}")
def test_the_fixes_of_a_real_case_work_as_they_are_printed(case):
    inputs = case.tensors()
    explanation = explain(case.make(load_file(case.path)), inputs, seconds=60).explanation
    for fix in explanation.fixes if explanation else ():
        mended = load_file(case.path, apply_edits(case.path.read_text(), fix.edits))
        model, images = make_by_hand(fix, case.make(mended), inputs[0])
        output = model(images, *inputs[1:])
        assert len(output) == (case.rows or len(inputs[0])), fix.text
