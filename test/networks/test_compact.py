# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch

from drcn_ros.errors import ImageError
from drcn_ros.networks.compact import CompactMaps, CompactNetwork, describe
from drcn_ros.networks.weights import load_network


@pytest.fixture(scope="module")
def network() -> CompactNetwork:
    network = load_network()
    assert isinstance(network, CompactNetwork)
    return network


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 1, 90, 118, generator=torch.Generator().manual_seed(4))


def assert_alike(first: CompactMaps, second: CompactMaps, relative: float) -> None:
    for name in ("detail", "fine", "coarse"):
        one, other = getattr(first, name).values, getattr(second, name).values
        assert (one - other).abs().max() <= relative * one.abs().max()


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 64), (360, 540)])
@torch.inference_mode()
def test_maps_cover_an_image_of_any_size(network: CompactNetwork, size: tuple[int, int]) -> None:
    maps = network(torch.rand(1, 1, *size))
    for dense in (maps.detail, maps.fine, maps.coarse):
        assert dense.values.shape[-2:] == tuple(-(-edge // dense.stride) for edge in size)
        assert torch.isfinite(dense.values).all()


@torch.inference_mode()
def test_a_batch_of_two_equals_two_batches_of_one(network: CompactNetwork, images: torch.Tensor) -> None:
    both = network(images)
    for index in range(2):
        alone = network(images[index : index + 1])
        for name in ("detail", "fine", "coarse"):
            one, other = getattr(both, name).values[index : index + 1], getattr(alone, name).values
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_brightness_and_contrast_change_nothing(network: CompactNetwork, images: torch.Tensor) -> None:
    assert_alike(network(images), network(0.5 * images + 0.2), 2e-2)


@torch.inference_mode()
def test_fusing_changes_nothing(network: CompactNetwork, images: torch.Tensor) -> None:
    assert_alike(network(images), copy.deepcopy(network).fuse()(images), 1e-3)


@torch.inference_mode()
def test_a_shift_by_whole_cells_shifts_the_maps(network: CompactNetwork) -> None:
    """The scene lies in a grey frame, so that a cyclic shift changes neither mean nor deviation."""
    scene = torch.full((1, 1, 320, 320), 0.5)
    scene[..., 128:192, 128:192] = torch.rand(64, 64, generator=torch.Generator().manual_seed(5))
    first, second = network(scene), network(scene.roll((32, 32), (2, 3)))
    for name in ("detail", "fine", "coarse"):
        one, other = getattr(first, name), getattr(second, name)
        inner = slice(128 // one.stride, 192 // one.stride)
        moved = slice(160 // one.stride, 224 // one.stride)
        difference = one.values[..., inner, inner] - other.values[..., moved, moved]
        assert difference.abs().max() < 0.02 * one.values.abs().max()


def test_an_empty_batch_gives_empty_maps(network: CompactNetwork) -> None:
    assert network(torch.zeros(0, 1, 64, 64)).fine.values.shape == (0, 64, 16, 16)


def test_descriptors_have_unit_length(network: CompactNetwork, images: torch.Tensor) -> None:
    points = torch.tensor([[0.0, 0.0], [117.0, 89.0], [50.3, 40.8]])
    with torch.inference_mode():
        descriptors = describe(network(images[:1]).fine, points)
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(3))


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (32, 32), (1, 1, 0, 32)])
def test_another_shape_is_refused(network: CompactNetwork, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"needs \(B, 1, H, W\)"):
        network(torch.zeros(shape))


def test_pixels_that_are_not_finite_are_counted(network: CompactNetwork) -> None:
    images = torch.zeros(1, 1, 32, 32)
    images[0, 0, 3, 4:6] = torch.inf
    with pytest.raises(ImageError, match="2 of 1024 pixels are not finite"):
        network(images)
