# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN against the reference's numbers, with weights made by a formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from drcn_ros.errors import ImageError, WeightsError
from drcn_ros.networks.correlation import correlate, mutual_matching
from drcn_ros.networks.drcn import DRCN, REFERENCE_OFFSET, DRCNConfig, resize_longest
from drcn_ros.networks.fine_search import SearchOptions, search

SMALL = DRCNConfig("resnet20fpn_3_64_4", (4, 1), (3, 3))


def _close(values: torch.Tensor, expected: np.ndarray, limit: float) -> bool:
    return np.abs(values.numpy() - expected).max() <= limit * np.abs(expected).max()


def _as_set(matches) -> set[tuple[float, ...]]:
    points = torch.cat([matches.source, matches.target], dim=1) + REFERENCE_OFFSET
    return set(map(tuple, points.tolist()))


@pytest.mark.parametrize(
    ("variant", "pair"), [("256", ("A1", "B1")), ("256", ("A2", "B2")), ("1024", ("A1", "B1"))]
)
@torch.inference_mode()
def test_every_stage_gives_the_references_numbers(golden, golden_drcn, golden_image, variant, pair):
    network, expected = golden_drcn(variant), golden(f"drc{variant}_{''.join(pair)}")
    fine_step, coarse_step = (32, 4) if variant == "256" else (128, 32)
    image = golden_image(pair[0])
    fine, coarse = network.backbone((image - network.mean) / network.deviation)
    assert _close(fine[0, ::fine_step, ::2, ::2], expected["fineA"], 2e-5)
    assert _close(coarse[0, ::coarse_step], expected["coarseA"], 2e-5)

    source, target = network(image), network(golden_image(pair[1]))
    raw = correlate(source.coarse, target.coarse)
    assert _close(raw[0], expected["corr_raw"], 1e-4)
    agreed = network.consensus(mutual_matching(raw))[0]
    if variant == "1024":
        agreed = agreed[::2, ::2, ::2, ::2]
    assert _close(agreed, expected["corr_nc"], 1e-4)
    correlation = network.correlate(source, target)
    assert _close(correlation[0], expected["corr_mm2"], 1e-4)

    found = search(source.fine[0], target.fine[0], correlation[0], SearchOptions())
    width_a, width_b = source.fine.shape[-1], target.fine.shape[-1]

    def cells(points: np.ndarray, width: int) -> np.ndarray:
        return (points[:, 1] / 4 * width + points[:, 0] / 4).astype(int)

    queries = cells(expected["query"], width_a)
    order = np.argsort(queries)
    assert np.array_equal(found.queries.numpy(), queries[order])
    for name, ours, score, width in (
        ("12", found.targets, found.forward, width_b),
        ("21", found.sources, found.backward, width_a),
    ):
        same = ours.numpy() == cells(expected[f"m{name}"], width)[order]
        assert same.mean() >= 0.995
        assert np.allclose(score.numpy()[same], expected[f"s{name}"][order][same], rtol=1e-4)

    matches = network.match(source, target)[0]
    theirs = set(map(tuple, expected["matches"].tolist()))
    assert len(theirs & _as_set(matches)) >= 0.995 * len(theirs | _as_set(matches))
    assert np.allclose(np.sort(matches.scores.numpy()), np.sort(expected["scores"]), rtol=1e-4)


@torch.inference_mode()
def test_half_precision_stays_within_its_own_limits(golden, golden_drcn, golden_image):
    network, expected = golden_drcn("256"), golden("drc256_A1B1_half")
    source, target = network(golden_image("A1")), network(golden_image("B1"))
    correlation = network.correlate(source, target, torch.float16)
    assert correlation.dtype == torch.float32
    assert np.abs(correlation[0].numpy() - expected["corr_mm2"].astype(np.float32)).max() < 2e-3
    theirs = set(map(tuple, expected["matches"].tolist()))
    ours = _as_set(network.match(source, target, dtype=torch.float16)[0])
    assert len(theirs & ours) >= 0.99 * len(theirs | ours)


@pytest.mark.parametrize(("image", "longest"), [("rand", 128), ("nat", 320), ("B2", 200)])
def test_resizing_follows_the_references_rule(golden, golden_image, image, longest):
    expected = golden("drc_resize")
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    resized = resize_longest((golden_image(image) - mean) / deviation, longest)
    assert tuple(resized.shape) == tuple(expected[f"{image}_{longest}_shape"])
    assert np.allclose(resized[0, :, ::5, ::5].numpy(), expected[f"{image}_{longest}"], atol=1e-4)


@pytest.fixture(scope="module")
def small() -> DRCN:
    torch.manual_seed(0)
    return DRCN(SMALL).eval()


@torch.inference_mode()
def test_a_batch_of_two_gives_what_two_batches_of_one_give(small):
    images, others = torch.rand(2, 3, 64, 96), torch.rand(2, 3, 80, 64)
    together = small.match(small(images), small(others))
    for index in range(2):
        alone = small.match(small(images[index : index + 1]), small(others[index : index + 1]))[0]
        assert _as_set(alone) == _as_set(together[index])
        assert len(alone.scores) > 0


@torch.inference_mode()
def test_the_best_matches_are_kept_when_a_number_is_given(small):
    maps = small(torch.rand(1, 3, 64, 96))
    every, few = small.match(maps, maps)[0], small.match(maps, maps, count=5)[0]
    assert len(every.scores) > 5
    assert torch.equal(few.source, every.source[:5])
    assert torch.equal(few.scores, every.scores[:5])


@torch.inference_mode()
def test_an_empty_batch_has_no_matches(small):
    maps = small(torch.zeros(0, 3, 64, 96))
    assert maps.fine.shape == (0, 64, 16, 24)
    assert small.correlate(maps, maps).shape == (0, 4, 6, 4, 6)
    assert small.match(maps, maps) == []


@torch.inference_mode()
def test_any_size_is_padded_and_nothing_is_matched_in_the_padding(small):
    image = torch.rand(1, 3, 75, 101)
    maps = small(image)
    assert maps.fine.shape[-2:] == (20, 28)
    assert maps.coarse.shape[-2:] == (5, 7)
    matches = small.match(maps, maps)[0]
    for points in (matches.source, matches.target):
        assert (points[:, 0] < 101).all()
        assert (points[:, 1] < 75).all()
    # Not squeezed: the inside sees the same as in an image that needs no padding.
    padded = small(functional.pad(image, (0, 11, 0, 5), mode="replicate"))
    assert torch.allclose(padded.fine, maps.fine, atol=1e-6)


@torch.inference_mode()
def test_an_image_below_the_stride_has_no_matches(small):
    maps = small(torch.rand(1, 3, 5, 9))
    assert len(small.match(maps, maps)[0].scores) == 0


@torch.inference_mode()
def test_folding_batch_norms_changes_nothing():
    torch.manual_seed(4)
    network = DRCN(SMALL).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    image = torch.rand(1, 3, 48, 64)
    expected = network(image)
    network.backbone.fuse()
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert torch.allclose(network(image).fine, expected.fine, atol=1e-5)


def test_batch_norm_keeps_its_statistics_in_training():
    network = DRCN(SMALL).train()
    before = network.backbone.bn1.running_mean.clone()
    network(torch.rand(2, 3, 32, 32))
    assert torch.equal(network.backbone.bn1.running_mean, before)


@pytest.mark.parametrize("shape", [(1, 1, 32, 32), (3, 32, 32), (1, 3, 0, 32)])
def test_images_of_another_shape_are_refused(small, shape):
    with pytest.raises(ImageError, match="B, 3, H, W"):
        small(torch.zeros(shape))


def test_pixels_that_are_not_finite_are_counted(small):
    image = torch.rand(1, 3, 32, 32)
    image[0, 0, 3, 4] = torch.nan
    with pytest.raises(ImageError, match="1 of 3072"):
        small(image)


def test_an_unknown_backbone_is_named():
    with pytest.raises(WeightsError, match="resnet18"):
        DRCN(DRCNConfig(backbone="resnet18"))
