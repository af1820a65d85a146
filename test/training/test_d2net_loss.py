# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from drcn_ros.training.d2net_geometry import CellPairs, View, corresponding_cells
from drcn_ros.training.d2net_loss import D2NetTraining, soft_detection, triplet_loss

_PREFIX = "dense_feature_extraction.model."


@pytest.fixture(scope="module")
def reference(golden):
    return golden("d2_train")


@pytest.fixture(scope="module")
def features(golden_pixels, synthetic_state) -> tuple[D2NetTraining, torch.Tensor, torch.Tensor]:
    """The training network with the reference's weights, and its features of both images."""
    network = D2NetTraining()
    names = {name: _PREFIX + name.removeprefix("trunk.") for name in network.state_dict()}
    shapes = {names[name]: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    state = synthetic_state("calib_d2", shapes)
    network.load_state_dict({name: state[names[name]] for name in names})
    images = [torch.from_numpy(golden_pixels(name)).permute(2, 0, 1)[None].float() for name in ("T1", "T2")]
    return network, network(images[0]), network(images[1])


@pytest.fixture(scope="module")
def views(reference) -> tuple[View, View]:
    def view(number: int) -> View:
        depth = torch.from_numpy(reference[f"depth{number}"].astype(np.float32))
        pose = torch.from_numpy(reference[f"pose{number}"])
        return View(depth, torch.from_numpy(reference["K"]), pose)

    return view(1), view(2)


def test_soft_detection_is_that_of_the_reference(features, reference) -> None:
    _, first, second = features
    largest = float(first.detach().abs().max())
    np.testing.assert_allclose(first[0, ::16].detach(), reference["feat1"], atol=2e-5 * largest)
    np.testing.assert_allclose(soft_detection(first).detach(), reference["scores1"], rtol=1e-4)
    np.testing.assert_allclose(soft_detection(second).detach(), reference["scores2"], rtol=1e-4)


def test_correspondences_are_those_of_the_reference(views, reference) -> None:
    pairs = corresponding_cells(*views)
    assert len(pairs) == 830
    np.testing.assert_array_equal(pairs.first[:, 0] * 32 + pairs.first[:, 1], reference["ids"])
    expected = np.rint((reference["pos2"] - 3.5) / 8).T
    np.testing.assert_array_equal(pairs.second, expected)


def test_loss_and_gradients_are_those_of_the_reference(features, views, reference) -> None:
    network, first, second = features
    loss = triplet_loss(first, second, [corresponding_cells(*views)])
    np.testing.assert_allclose(loss.detach(), reference["loss"][0], rtol=1e-4)
    network.zero_grad()
    loss.backward(retain_graph=True)
    layer = network.trunk[-1]
    largest = np.abs(reference["grad_w"]).max()
    np.testing.assert_allclose(layer.weight.grad[::32, ::32], reference["grad_w"], atol=1e-3 * largest)
    np.testing.assert_allclose(layer.weight.grad.norm(), reference["grad_w_norm"], rtol=1e-3)
    bias = reference["grad_b"]
    np.testing.assert_allclose(layer.bias.grad, bias, atol=1e-3 * np.abs(bias).max())
    assert sum(parameter.grad is not None for parameter in network.parameters()) == 2


def test_the_loss_of_a_batch_is_the_mean_over_its_valid_pairs(features, views) -> None:
    _, first, second = (value.detach() if isinstance(value, torch.Tensor) else value for value in features)
    pairs = corresponding_cells(*views)
    half = CellPairs(pairs.first[::2], pairs.second[::2])
    few = CellPairs(pairs.first[:100], pairs.second[:100])
    batch = triplet_loss(first.repeat(3, 1, 1, 1), second.repeat(3, 1, 1, 1), [pairs, half, few])
    alone = [triplet_loss(first, second, [cells]) for cells in (pairs, half)]
    torch.testing.assert_close(batch, (alone[0] + alone[1]) / 2)


def test_a_hidden_or_unknown_point_has_no_correspondence(views) -> None:
    first, second = views
    wall = replace(second, depth=torch.full_like(second.depth, 0.5))
    assert len(corresponding_cells(first, wall)) == 0
    assert len(corresponding_cells(replace(first, depth=torch.zeros_like(first.depth)), second)) == 0


def test_a_crop_is_where_it_was_cut(views) -> None:
    first, second = views
    cut = replace(second, depth=second.depth[16:, 8:], crop=(16, 8))
    whole, part = corresponding_cells(first, second), corresponding_cells(first, cut)
    known = dict(zip(map(tuple, whole.first.tolist()), map(tuple, whole.second.tolist()), strict=True))
    assert len(part) > 500
    for cell, (row, column) in zip(part.first.tolist(), part.second.tolist(), strict=True):
        assert known[tuple(cell)] == (row + 2, column + 1)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_dead_cells_and_dead_images_give_no_nan(value: float) -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 8, 12, 12)
    features[0, :, 3:6, 3:6] = value
    features[1] = value
    features.requires_grad_(True)
    grid = torch.cartesian_prod(torch.arange(12), torch.arange(12))
    cells = CellPairs(grid, grid)
    scores = soft_detection(features)
    assert scores[0, 3:6, 3:6].abs().max() == 0
    torch.testing.assert_close(scores.sum((1, 2)), torch.tensor([1.0, 0.0]))
    loss = triplet_loss(features, features.flip(1), [cells, cells])
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(features.grad).all()


def test_no_pair_with_enough_correspondences_is_no_loss_and_no_error() -> None:
    features = torch.randn(1, 8, 12, 12, requires_grad=True)
    none = CellPairs(torch.zeros(0, 2, dtype=torch.long), torch.zeros(0, 2, dtype=torch.long))
    loss = triplet_loss(features, features, [none])
    loss.backward()
    assert loss.item() == 0
    assert features.grad.abs().max() == 0
