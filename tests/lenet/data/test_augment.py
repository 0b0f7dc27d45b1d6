"""Distortions do what their limits say."""

from __future__ import annotations

import pytest
import torch

from lenet.data.augment import RandomAffine, RandomCropFlip

NONE = RandomAffine(degrees=0, scale=1, shear=0, shift=0)


def blob(row: int, column: int) -> torch.Tensor:
    images = torch.zeros(1, 1, 29, 29)
    images[0, 0, row - 1 : row + 2, column - 1 : column + 2] = 1
    return images


def centre(images: torch.Tensor) -> tuple[float, float]:
    weights = images[0, 0] / images.sum()
    positions = torch.arange(29.0)
    return float(weights.sum(1) @ positions), float(weights.sum(0) @ positions)


def extremes(distort: RandomAffine, images: torch.Tensor) -> torch.Tensor:
    """Distort an image many times; return the centres' rows and columns."""
    generator = torch.Generator().manual_seed(0)
    many = distort(images.expand(500, -1, -1, -1), generator)
    return torch.tensor([centre(image[None]) for image in many])


def test_no_distortion_leaves_the_images_alone():
    images = torch.rand(5, 3, 28, 28)
    torch.testing.assert_close(NONE(images), images, rtol=0, atol=1e-4)


def test_a_shift_is_in_pixels():
    centres = extremes(RandomAffine(degrees=0, scale=1, shear=0, shift=2), blob(14, 14))
    for axis in (0, 1):
        assert centres[:, axis].min() == pytest.approx(12, abs=0.1)
        assert centres[:, axis].max() == pytest.approx(16, abs=0.1)


def test_a_rotation_is_in_degrees():
    centres = extremes(RandomAffine(degrees=30, scale=1, shear=0, shift=0), blob(4, 14)) - 14
    radius = centres.norm(dim=1)
    angle = torch.atan2(centres[:, 1], -centres[:, 0]).rad2deg()
    assert radius.min() > 9.7
    assert radius.max() < 10.3
    assert angle.abs().max() == pytest.approx(30, abs=1)


def test_a_squeeze_stretches_one_axis_and_compresses_the_other():
    squeeze = RandomAffine(degrees=0, scale=1, shear=0, shift=0, squeeze=1.25)
    distance = 14 - extremes(squeeze, blob(4, 4))
    assert distance.max() == pytest.approx(12.5, abs=0.15)
    assert distance.min() == pytest.approx(8, abs=0.15)
    torch.testing.assert_close(distance.prod(dim=1), torch.full((500,), 100.0), rtol=0.02, atol=0)


def test_a_squeeze_leaves_shifts_as_they_are():
    centres = extremes(
        RandomAffine(degrees=0, scale=1, shear=0, shift=2, squeeze=1.1), blob(14, 14)
    )
    assert centres.min() > 11.7
    assert centres.max() < 16.3


def test_a_scale_is_a_factor():
    distance = (
        14 - extremes(RandomAffine(degrees=0, scale=1.25, shear=0, shift=0), blob(4, 14))[:, 0]
    )
    assert distance.max() == pytest.approx(12.5, abs=0.15)
    assert distance.min() == pytest.approx(8, abs=0.15)


def test_a_shear_moves_rows_sideways():
    centres = extremes(RandomAffine(degrees=0, scale=1, shear=0.3, shift=0), blob(4, 14))
    assert (centres[:, 0] - 4).abs().max() < 0.1
    assert (centres[:, 1] - 14).abs().max() == pytest.approx(3, abs=0.15)


def test_a_crop_is_a_window_of_the_padded_image_and_may_be_mirrored():
    images = torch.rand(200, 3, 8, 8)
    distorted = RandomCropFlip(padding=2)(images, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images, [2] * 4)
    seen = set()
    for image, given in zip(padded, distorted, strict=True):
        windows = {
            (row, column, mirrored): image[:, row : row + 8, column : column + 8]
            for row in range(5)
            for column in range(5)
            for mirrored in (False, True)
        }
        matching = [
            place
            for place, window in windows.items()
            if torch.equal(given, window.flip(2) if place[2] else window)
        ]
        assert len(matching) == 1
        seen.update(matching)
    assert {row for row, _, _ in seen} == {column for _, column, _ in seen} == set(range(5))
    assert {mirrored for *_, mirrored in seen} == {False, True}
    assert torch.equal(RandomCropFlip(padding=0, flip=0)(images), images)


@pytest.mark.parametrize("distort", [RandomAffine(), RandomCropFlip()])
def test_each_image_and_each_pass_is_distorted_anew_and_repeatably(distort):
    images = blob(10, 18).expand(3, -1, -1, -1)

    def passes(seed):
        generator = torch.Generator().manual_seed(seed)
        return [distort(images, generator) for _ in range(2)]

    first, second = passes(0)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
    assert torch.equal(first, passes(0)[0])
