"""What a command cannot use: exit status 2, and one line that says what and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from lenet.__main__ import COMMANDS, main
from lenet.models import NarrowLeNet, save_weights

SHIPPED = "lenet5_mnist"
LONG = "n" * 300
LONG_ERROR = "File name too long"
TRAIN = ("train", "mnist", "--network", "NarrowLeNet", "--epochs", "1", "--save", "new")
SHAPES = ("shapes", "LeNet5", "--input")

# The words of a command, and a part of the line that refuses them.
REFUSED = [
    ((), "the following arguments are required: COMMAND"),
    (("fly",), "invalid choice: 'fly'"),
    (("--fly",), "required: COMMAND"),
    (("shapes",), "required: NETWORK, --input"),
    ((*SHAPES, "1x100000x100000"), "has more than 10,000,000 numbers"),
    ((*SHAPES, "3x10000x10000"), "has more than 10,000,000 numbers"),
    ((*SHAPES, "1x99999999999999999999x9"), "has more than 10,000,000 numbers"),
    ((*SHAPES, "1x" + 5000 * "9"), "has more than 10,000,000 numbers"),
    ((*SHAPES, "1x28x0"), "is no shape"),
    ((*SHAPES, "1x28x000"), "is no shape"),
    ((*SHAPES, "1x28x-1"), "is no shape"),
    ((*SHAPES, "1x28x2.5"), "is no shape"),
    ((*SHAPES, "1x28xnan"), "is no shape"),
    ((*SHAPES, "1x28x²"), "is no shape"),
    ((*SHAPES, "1xx28"), "is no shape"),
    ((*SHAPES, ""), "is no shape"),
    ((*SHAPES, "x"), "is no shape"),
    ((*SHAPES, "28:complex1000"), "is no type"),
    ((*SHAPES, "28:nn"), "is no type"),
    ((*SHAPES, "1x28x28", "--depth", "0"), "depth is 0"),
    ((*SHAPES, "1x28x28", "--depth", "-3"), "depth is -3"),
    ((*SHAPES, "1x28x28", "--depth", "deep"), "invalid int value: 'deep'"),
    ((*SHAPES, "1x28x28", "--depth", 5000 * "9"), "invalid int value"),
    ((*SHAPES, "1x28x28", "--columns", "colour"), "no column 'colour'"),
    ((*SHAPES, "1x28x28", "--columns", ""), "no column ''"),
    ((*SHAPES, "1x28x28", "--format", "yaml"), "invalid choice: 'yaml'"),
    (("shapes", "LeNet6", "--input", "1x28x28"), "'LeNet6' is not one of NarrowLeNet"),
    (("shapes", LONG, "--input", "1"), "is not one of"),
    (("shapes", "~nobody/x.py:Net", "--input", "1"), "cannot be made: FileNotFoundError"),
    (("shapes", "loop.py:Net", "--input", "1"), "cannot be made: "),
    (("shapes", "empty.py:Net", "--input", "1"), "cannot be made: AttributeError"),
    (("shapes", "wrong.py:Net", "--input", "1"), "cannot be made: SyntaxError"),
    (("shapes", "failing.py:Net", "--input", "1"), "cannot be made: ZeroDivisionError"),
    (("shapes", "nowhere.nets:Net", "--input", "1"), "cannot be made: ModuleNotFoundError"),
    (("shapes", "lenet.models:LeNet5(open('x'))", "--input", "1"), "cannot be made: ValueError"),
    (("shapes", "math:tau", "--input", "1"), "cannot be made: TypeError"),
    (("shapes", "builtins:dict", "--input", "1"), "makes a dict, not a torch.nn.Module"),
    (("explain",), "required: SCRIPT"),
    (("explain", "nowhere.py"), "there is no file 'nowhere.py'"),
    (("explain", "folder"), "there is no file 'folder'"),
    (("explain", "loop.py"), "there is no file 'loop.py'"),
    (("explain", "pipe"), "there is no file 'pipe'"),
    (("explain", LONG), LONG_ERROR),
    (("predict", SHIPPED), "required: IMAGE"),
    (("predict", "~nobody/weights", "red.png"), "there is no file '~nobody/weights'"),
    (("predict", "pipe", "red.png"), "there is no file 'pipe'"),
    (("predict", "loop.py", "red.png"), "there is no file 'loop.py'"),
    (("predict", "folder", "red.png"), "there is no file 'folder'"),
    (("predict", LONG, "red.png"), LONG_ERROR),
    (("predict", "empty.py", "red.png"), "is not a whole safetensors file"),
    (("predict", "red.png", "red.png"), "is not a whole safetensors file"),
    (("predict", "nested", "red.png"), "is not a whole safetensors file"),
    (("predict", "bare", "red.png"), "name the network (--network) and its data set"),
    (("predict", "bare", "red.png", "--network", "LeNet5"), "name the network (--network)"),
    (("predict", SHIPPED, "red.png", "--network", "NarrowLeNet"), "of another network than"),
    (("predict", SHIPPED, "red.png", "--top", "0"), "is not a whole number from 1"),
    (("predict", SHIPPED, "red.png", "--top", "²"), "is not a whole number from 1"),
    (("predict", SHIPPED, "red.png", "--prepare", "cat"), "invalid choice: 'cat'"),
    (("predict", SHIPPED, "red.png", "--show", "red.png"), "one of the pictures to judge"),
    (("predict", SHIPPED, "red.png", "--show", "sheet"), "the name must end in"),
    (("predict", SHIPPED, "red.png", "--show", "nowhere/a.png"), "No such file or directory"),
    (("predict", SHIPPED, "red.png", "--show", "folder.png"), "a folder is there"),
    (("predict", SHIPPED, "red.png", "--show", "loop.png"), "lead in a circle"),
    (("predict", SHIPPED, "red.png", "--show", "pipe.png"), "a device or pipe is there"),
    (("predict", SHIPPED, "red.png", "--show", f"{LONG}.png"), LONG_ERROR),
    (("predict", SHIPPED, "red.png", "--dataset", "imagenet", "--network", "LeNet6"), "not one"),
    (("evaluate",), "required: WEIGHTS"),
    (("evaluate", SHIPPED, "imagenet"), "unknown data set 'imagenet'"),
    (("evaluate", SHIPPED, "~nobody/x"), "unknown data set '~nobody/x'"),
    (("evaluate", SHIPPED, "loop.py"), "unknown data set 'loop.py'"),
    (("evaluate", SHIPPED, "pipe"), "unknown data set 'pipe'"),
    (("evaluate", SHIPPED, "folder"), "folder"),
    (("evaluate", SHIPPED, LONG), LONG_ERROR),
    (("evaluate", SHIPPED, "cifar-10"), "3×32×32, those that LeNet5 was trained on 1×28×28"),
    (("evaluate", SHIPPED, "mnist", "--device", "meta"), "device 'meta' cannot be used here"),
    (("evaluate", SHIPPED, "mnist", "--device", "mps"), "device 'mps' cannot be used here"),
    (("evaluate", SHIPPED, "mnist", "--device", "cuda:99"), "device 'cuda:99' cannot be used"),
    (("evaluate", SHIPPED, "mnist", "--device", "quantum"), "device 'quantum' cannot be used"),
    (("evaluate", SHIPPED, "mnist", "--device", ""), "device '' cannot be used"),
    (("train",), "required: DATASET, --network, --save"),
    (("train", "mnist", "--network", "NarrowLeNet"), "required: --save"),
    (("train", "imagenet", *TRAIN[2:]), "unknown data set 'imagenet'"),
    (("train", "~nobody/x", *TRAIN[2:]), "unknown data set '~nobody/x'"),
    (("train", "folder", *TRAIN[2:]), "folder"),
    (("train", LONG, *TRAIN[2:]), LONG_ERROR),
    ((*TRAIN, "--network", "LeNet6"), "'LeNet6' is not one of"),
    ((*TRAIN, "--network", "CifarLeNet"), "does not fit the images of mnist"),
    ((*TRAIN, "--network", "torch.nn:Identity"), "10 classes"),
    ((*TRAIN, "--network", "torch.nn:Flatten"), "parameters to train"),
    ((*TRAIN, "--input", "1x28x28"), "size and channels are for your own pictures"),
    ((*TRAIN, "--epochs", "0"), "epochs"),
    ((*TRAIN, "--epochs", "1.5"), "invalid int value: '1.5'"),
    ((*TRAIN, "--batch-size", "0"), "batch_size"),
    ((*TRAIN, "--lr", "0"), "lr must be"),
    ((*TRAIN, "--lr", "-1"), "lr must be"),
    ((*TRAIN, "--lr", "nan"), "lr must be"),
    ((*TRAIN, "--lr", "inf"), "lr must be"),
    ((*TRAIN, "--lr", "fast"), "invalid float value: 'fast'"),
    ((*TRAIN, "--momentum", "nan"), "momentum must be"),
    ((*TRAIN, "--momentum", "2"), "momentum must be"),
    ((*TRAIN, "--weight-decay", "-1"), "weight_decay must be"),
    ((*TRAIN, "--optimizer", "adagrad"), "optimizer must be"),
    ((*TRAIN, "--schedule", "cosine"), "schedule must be"),
    ((*TRAIN, "--precision", "int8"), "precision must be"),
    ((*TRAIN, "--augment", "none"), "invalid choice: 'none'"),
    ((*TRAIN, "--seed", "99999999999999999999"), "seed must be"),
    ((*TRAIN, "--device", "meta"), "device 'meta' cannot be used here"),
    ((*TRAIN, "--device", "mps"), "device 'mps' cannot be used here"),
    ((*TRAIN, "--device", "cuda:99"), "device 'cuda:99' cannot be used here"),
    ((*TRAIN, "--save", "loop.py"), "lead in a circle"),
    ((*TRAIN, "--save", "pipe"), "a device or pipe is there"),
    ((*TRAIN, "--save", "/dev/null"), "a device or pipe is there"),
    ((*TRAIN, "--save", "folder"), "a folder is there"),
    ((*TRAIN, "--save", "."), "a folder is there"),
    ((*TRAIN, "--save", "nowhere/new"), "No such file or directory"),
    ((*TRAIN, "--save", "empty.py/new"), "Not a directory"),
    ((*TRAIN, "--save", LONG), LONG_ERROR),
    ((*TRAIN, "--checkpoint", "new"), "are one file"),
    ((*TRAIN, "--checkpoint", "./new"), "are one file"),
    ((*TRAIN, "--checkpoint", "loop.py"), "lead in a circle"),
    ((*TRAIN, "--checkpoint", "pipe"), "a device or pipe is there"),
    ((*TRAIN, "--checkpoint", "nowhere/new"), "No such file or directory"),
    ((*TRAIN, "--checkpoint", "empty.py"), "Add --resume to go on with it, or --restart"),
    ((*TRAIN, "--checkpoint", "empty.py", "--resume"), "is damaged, or no checkpoint"),
    ((*TRAIN, "--checkpoint", "empty.py", "--restart"), "is damaged, or no checkpoint"),
    ((*TRAIN, "--checkpoint", "nested", "--resume"), "is damaged, or no checkpoint"),
    ((*TRAIN, "--checkpoint", "bare", "--resume"), "is damaged, or no checkpoint"),
]

# A picture that cannot be judged, beside one that can, and why it cannot.
PICTURES = [
    ("nowhere.png", "cannot be opened: No such file or directory"),
    ("~nobody/a.png", "cannot be opened: No such file or directory"),
    ("folder", "cannot be opened: Is a directory"),
    ("loop.png", "cannot be opened: Too many levels of symbolic links"),
    ("empty.py/a.png", "cannot be opened: Not a directory"),
    (LONG, "cannot be opened: File name too long"),
    ("pipe", "is a device or pipe"),
    ("/dev/zero", "is a device or pipe"),
    ("empty.py", "is not a picture that can be read"),
    ("cut.png", "is a damaged picture"),
    ("white.png", "white.png"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bit of everything."""
    root = tmp_path_factory.mktemp("place")
    for name in ("loop.py", "loop.png"):
        (root / name).symlink_to(root / name)
    for name in ("pipe", "pipe.png"):
        os.mkfifo(root / name)
    for name in ("folder", "folder.png"):
        (root / name).mkdir()
    (root / "empty.py").touch()
    (root / "wrong.py").write_text("def (", encoding="utf-8")
    (root / "failing.py").write_text("Net = 1 / 0", encoding="utf-8")
    header = b'{"__metadata__":' + 100_000 * b"[" + b"}"
    (root / "nested").write_bytes(len(header).to_bytes(8, "little") + header)
    save_weights(NarrowLeNet(), root / "bare")
    drawn = Image.new("L", (28, 28), "black")
    drawn.paste("white", (12, 4, 16, 24))
    drawn.save(root / "red.png")
    (root / "cut.png").write_bytes((root / "red.png").read_bytes()[:-30])
    Image.new("L", (28, 28), "white").save(root / "white.png")
    return root


@pytest.fixture(autouse=True)
def _here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("LENET_OFFLINE", "1")
    monkeypatch.syspath_prepend(place)


@pytest.mark.parametrize(("words", "reason"), REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line(
    words: tuple[str, ...], reason: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(place.rglob("*"))
    with pytest.raises(SystemExit) as caught:
        main(words)
    told = capsys.readouterr().err
    assert caught.value.code == 2
    command = words[:1] if words[:1] and words[0] in COMMANDS else ()
    assert told.startswith(" ".join(["python -m lenet", *command]) + ": error: ")
    assert reason in told.splitlines()[0]
    assert sorted(path for path in place.rglob("*") if "__pycache__" not in path.parts) == before


@pytest.mark.parametrize(("name", "reason"), PICTURES)
def test_a_picture_that_cannot_be_judged_is_named_and_the_others_are_judged(
    name: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", SHIPPED, name, "red.png"]) == 2
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 1
    assert reason in told.err
    assert told.out.splitlines()[0] == "red.png"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_tells_the_exit_status(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*filter(None, [command]), "--help"])
    assert caught.value.code == 0
    assert "Exit status: " in capsys.readouterr().out


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lenet.commands.shapes.trace", None)
    with pytest.raises(TypeError, match="not callable"):
        main([*SHAPES, "1x28x28"])
