# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The pruned fine search against dense rows."""

from __future__ import annotations

import pytest
import torch

from drcn_ros.networks import plain_drcn
from drcn_ros.networks.correlation import normalise
from drcn_ros.networks.fine_blocks import FineBlocks, fine_cells
from drcn_ros.networks.fine_search import SearchOptions, search, select_queries


def _features(height: int, width: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return normalise(torch.randn(1, 12, 4 * height, 4 * width, generator=generator))[0]


def _correlation(sharpness: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(5, 6, 4, 7, generator=generator) ** sharpness


@pytest.mark.parametrize("windows", [1, 4, 28, 100])
@pytest.mark.parametrize("sharpness", [0.3, 2.0, 20.0])
def test_pruning_finds_what_the_dense_search_finds(windows, sharpness):
    fine_a, fine_b, correlation = _features(5, 6, 1), _features(4, 7, 2), _correlation(sharpness)
    expected = plain_drcn.search(fine_a, fine_b, correlation, 0.5)
    found = search(fine_a, fine_b, correlation, SearchOptions(windows=windows))
    assert torch.equal(found.queries, expected.queries)
    assert torch.equal(found.targets, expected.targets)
    assert torch.equal(found.sources, expected.sources)
    assert torch.allclose(found.forward, expected.forward, rtol=1e-4, atol=1e-9)
    assert torch.allclose(found.backward, expected.backward, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("query_share", [0.2, 1.0])
def test_flat_masks_are_searched_without_trying_on(query_share):
    # More groups than are tried before the whole image is taken, and few wanted in each on the way back.
    fine_a, fine_b = _features(15, 14, 1), _features(12, 15, 2)
    correlation = torch.ones(15, 14, 12, 15)
    expected = plain_drcn.search(fine_a, fine_b, correlation, query_share)
    found = search(fine_a, fine_b, correlation, SearchOptions(query_share=query_share))
    assert torch.equal(found.targets, expected.targets)
    assert torch.equal(found.sources, expected.sources)
    assert torch.allclose(found.backward, expected.backward, rtol=1e-4, atol=1e-9)


def test_a_sketch_never_promises_too_little():
    blocks = FineBlocks.of(_features(6, 7, 4))
    features = _features(3, 3, 5).flatten(1).T
    cosines = (features @ blocks.values.flatten(0, 1).T).view(len(features), -1, 16).amax(dim=2)
    assert (blocks.sketch.bounds(features) >= cosines).all()


def test_windows_alone_are_an_approximation():
    fine_a, fine_b, correlation = _features(5, 6, 1), _features(4, 7, 2), _correlation(0.3)
    exact = search(fine_a, fine_b, correlation, SearchOptions(windows=2))
    rough = search(fine_a, fine_b, correlation, SearchOptions(windows=2, exact=False))
    assert (rough.forward <= exact.forward + 1e-7).all()
    assert not torch.equal(rough.targets, exact.targets)


def test_the_first_cell_finds_nothing():
    fine_a, fine_b, correlation = _features(5, 6, 1), _features(4, 7, 2), _correlation(1.0)
    found = search(fine_a, fine_b, correlation, SearchOptions(query_share=1.0))
    assert found.queries[0] == 0
    assert found.forward[0] == 0
    assert 0 not in found.mutual().queries


def test_queries_are_all_fine_cells_of_the_best_coarse_cells():
    correlation = torch.zeros(2, 3, 2, 2)
    correlation[1, 2, 0, 1] = 0.9
    queries = select_queries(correlation, 1 / 6)
    rows = torch.arange(4, 8)[:, None] * 12
    assert torch.equal(queries, (rows + torch.arange(8, 12)).flatten())


def test_fine_cells_are_numbered_row_by_row_through_the_blocks():
    fine = torch.arange(8 * 12, dtype=torch.float32).view(1, 8, 12)
    blocks = FineBlocks.of(fine)
    numbers = torch.arange(8 * 12)
    coarse, place = blocks.locate(numbers)
    assert torch.equal(blocks.values[coarse, place, 0].long(), numbers)
    assert torch.equal(blocks.number(coarse, place), numbers)
    assert torch.equal(fine_cells(torch.tensor([5]), 3)[0], blocks.values[5, :, 0].long())


def test_mutual_matches_come_best_first():
    fine = _features(5, 6, 1)
    correlation = torch.eye(30).view(5, 6, 5, 6) + 0.01
    matches = search(fine, fine, correlation, SearchOptions()).mutual()
    assert len(matches.queries) > 100
    assert (matches.queries == matches.targets).float().mean() > 0.9
    score = matches.forward + matches.backward
    assert (score[:-1] >= score[1:]).all()
