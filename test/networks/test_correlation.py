# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""4D correlation and mutual matching."""

from __future__ import annotations

import torch

from drcn_ros.networks.correlation import correlate, mutual_matching, normalise


def test_features_are_normalised_to_just_below_one():
    features = torch.randn(2, 8, 3, 4)
    features[0, :, 1, 1] = 0
    norms = normalise(features).norm(dim=1)
    assert norms[0, 1, 1] == 0
    assert norms.max() <= 1
    assert norms[1].min() > 0.999


def test_a_correlation_holds_the_dot_product_of_every_pair_of_cells():
    source, target = torch.randn(2, 5, 3, 4), torch.randn(2, 5, 2, 6)
    correlation = correlate(source, target)
    assert correlation.shape == (2, 3, 4, 2, 6)
    assert torch.isclose(correlation[1, 2, 0, 1, 5], source[1, :, 2, 0] @ target[1, :, 1, 5], atol=1e-6)


def test_a_pair_that_is_best_of_both_cells_keeps_its_value():
    correlation = torch.zeros(1, 1, 2, 1, 2)
    correlation[0, 0, :, 0, :] = torch.tensor([[0.8, 0.4], [0.2, 0.5]])
    filtered = mutual_matching(correlation)[0, 0, :, 0, :]
    assert torch.allclose(filtered.diagonal(), torch.tensor([0.8, 0.5]), atol=1e-4)
    # 0.4 is half of its row's best and 0.8 of its column's.
    assert torch.isclose(filtered[0, 1], torch.tensor(0.4 * 0.5 * 0.8), atol=1e-4)


def test_mutual_matching_keeps_the_sign():
    correlation = torch.randn(1, 3, 3, 3, 3)
    assert torch.equal(mutual_matching(correlation).sign(), correlation.sign())
