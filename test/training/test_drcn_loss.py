# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN's losses against the reference's numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from drcn_ros.networks.drcn import DRCN, DRCNConfig, DRCNMaps
from drcn_ros.training.drcn_loss import AnnotatedPoints, DrcnLossConfig, drcn_loss, point_targets, weak_loss


@pytest.fixture(scope="module")
def expected(golden):
    return golden("drc_loss")


@pytest.fixture(scope="module")
def pair(golden_drcn, golden_image) -> tuple[DRCN, DRCNMaps, DRCNMaps]:
    network = golden_drcn("256").train()
    return network, network(golden_image("A1")), network(golden_image("B1"))


@pytest.fixture(scope="module")
def points(expected) -> AnnotatedPoints:
    source, target = (torch.tensor(expected[name])[None].float() for name in ("src", "dst"))
    return AnnotatedPoints(source, target, torch.ones(1, 16, dtype=torch.bool))


@pytest.mark.parametrize("blur", [0, 3, 5, 7])
@pytest.mark.parametrize("mode", [0, 1])
@torch.no_grad()
def test_loss_and_terms_are_the_references(pair, points, expected, mode, blur):
    network, source, target = pair
    correlation = network.correlate(source, target)
    loss = drcn_loss(source, target, correlation, points, DrcnLossConfig(0.05, blur, bilinear=mode == 1))
    values = [float(value) for value in (loss.total, loss.points, loss.orthogonal)]
    assert np.allclose(values, expected[f"m{mode}_g{blur}"], rtol=1e-4)


@pytest.mark.parametrize(("mode", "blur"), [(0, 0), (0, 3), (1, 0), (1, 3)])
def test_targets_are_the_references(points, expected, mode, blur):
    targets = point_targets(points.target[0], 48, 64, DrcnLossConfig(0.05, blur, bilinear=mode == 1))
    wanted = np.zeros((16, 48 * 64), np.float32)
    row, cell = expected[f"onehot_m{mode}_g{blur}_idx"].T
    wanted[row, cell] = expected[f"onehot_m{mode}_g{blur}_val"]
    assert np.allclose(targets.flatten(1).numpy(), wanted, atol=1e-5)


def test_gradients_are_the_references(pair, points, expected):
    network, source, target = pair
    network.zero_grad()
    drcn_loss(source, target, network.correlate(source, target), points).total.backward(retain_graph=True)
    first, last = (weight.grad.permute(2, 0, 1, 3, 4, 5).numpy() for weight in network.consensus.weights)
    for ours, theirs in (
        (first, expected["grad_nc0"]),
        (last, expected["grad_nc2"]),
        (network.backbone.fine.bias.grad.numpy(), expected["grad_fine_bias"]),
    ):
        assert np.abs(ours - theirs).max() <= 1e-3 * np.abs(theirs).max()
    heads = {
        "inner_block_list.0": network.backbone.lateral4,
        "inner_block_list.1": network.backbone.lateral3,
        "inner_block_list.2": network.backbone.lateral2,
        "coarse_layer_block": network.backbone.coarse,
        "fine_layer_block": network.backbone.fine,
    }
    for name, head in heads.items():
        for kind in ("weight", "bias"):
            norm = float(expected[f"grad_norm/FeatureExtraction.{name}.{kind}"])
            assert float(getattr(head, kind).grad.norm()) == pytest.approx(norm, rel=1e-3)


@torch.no_grad()
def test_a_batch_and_the_weak_term_are_the_references(golden_drcn, golden_image, points, expected):
    network = golden_drcn("256")
    maps = []
    for name in ("A1", "B1"):
        image = golden_image(name)
        maps.append(network(torch.cat([image, image.roll(1, 3)])))
    both = AnnotatedPoints(
        *(torch.cat([part, part]) for part in (points.source, points.target, points.valid))
    )
    loss = drcn_loss(*maps, network.correlate(*maps), both, DrcnLossConfig(orthogonal=0.0))
    _, strong, weak, _ = expected["meanfnorm_all_terms"]
    assert float(loss.points) == pytest.approx(float(strong), rel=1e-4)
    assert float(weak_loss(network, *maps)) == pytest.approx(float(weak), abs=1e-7)


@pytest.fixture(scope="module")
def small() -> DRCN:
    torch.manual_seed(0)
    return DRCN(DRCNConfig("resnet20fpn_3_64_4", (2, 1), (3, 3)))


def _random_points(count: int, valid: int) -> AnnotatedPoints:
    generator = torch.Generator().manual_seed(5)
    mask = torch.zeros(1, count, dtype=torch.bool)
    mask[0, :valid] = True
    return AnnotatedPoints(*(60 * torch.rand(1, count, 2, generator=generator) for _ in range(2)), mask)


@torch.no_grad()
def test_points_that_are_not_valid_count_for_nothing(small):
    source, target = small(torch.rand(1, 3, 64, 64)), small(torch.rand(1, 3, 64, 64))
    correlation = small.correlate(source, target)
    many = _random_points(9, valid=4)
    few = AnnotatedPoints(many.source[:, :4], many.target[:, :4], many.valid[:, :4])
    with_all = drcn_loss(source, target, correlation, many).total
    assert torch.isclose(with_all, drcn_loss(source, target, correlation, few).total)
    assert with_all > 0


def test_a_pair_without_points_gives_no_loss_and_finite_gradients(small):
    source, target = small(torch.rand(2, 3, 64, 64)), small(torch.rand(2, 3, 64, 64))
    points = _random_points(3, valid=3)
    two = AnnotatedPoints(
        torch.cat([points.source, points.source]),
        torch.cat([points.target, points.target]),
        torch.cat([points.valid, torch.zeros(1, 3, dtype=torch.bool)]),
    )
    correlation = small.correlate(source, target)
    loss = drcn_loss(source, target, correlation, two)
    first = DRCNMaps(source.fine[:1], source.coarse[:1], source.size)
    second = DRCNMaps(target.fine[:1], target.coarse[:1], target.size)
    alone = drcn_loss(first, second, correlation[:1], points)
    assert float(loss.total) == pytest.approx(float(alone.total) / 2, rel=1e-5)
    small.zero_grad()
    loss.total.backward()
    gradients = [parameter.grad for parameter in small.parameters() if parameter.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("place", [(2.0, 30.0), (0.0, 0.0), (63.0, 63.0), (18.0, 22.0)])
def test_shares_of_a_target_add_up_at_the_border_and_on_cells(place):
    targets = point_targets(torch.tensor([place]), 16, 16, DrcnLossConfig(blur=0))
    assert float(targets.sum()) == pytest.approx(1.0)
    assert (targets >= 0).all()
