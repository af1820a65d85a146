# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The coarse prior in blocks against the whole one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from drcn_ros.matching import blocked_prior, create_matcher
from drcn_ros.matching.blocked_prior import BlockedPrior, coarse_prior
from drcn_ros.matching.coarse_prior import CoarsePrior
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.networks.separable_consensus import SeparableConsensus


@pytest.fixture
def in_small_blocks(monkeypatch):
    """Makes every correlation in blocks of at most eight cells a side."""

    def start():
        monkeypatch.setattr(blocked_prior, "LARGEST_WHOLE", 0)
        monkeypatch.setattr(blocked_prior, "_BLOCK", 1)

    return start


@pytest.mark.parametrize(
    "sizes", [((21, 18), (9, 12)), ((1, 40), (3, 3)), ((40, 1), (1, 1)), ((7, 25), (25, 7))]
)
@torch.inference_mode()
def test_blocks_tell_what_the_whole_tells(sizes, in_small_blocks):
    torch.manual_seed(0)
    consensus = SeparableConsensus()
    a, b = (normalize(torch.randn(8, *size), dim=0) for size in sizes)
    whole = coarse_prior(consensus, a, b)
    in_small_blocks()
    blocked = coarse_prior(consensus, a, b)
    assert isinstance(whole, CoarsePrior)
    assert isinstance(blocked, BlockedPrior)
    cells_a = torch.randint(a[0].numel(), (30,))
    cells_b = torch.randint(b[0].numel(), (20,))
    assert torch.allclose(blocked.pairs(cells_a, cells_b), whole.pairs(cells_a, cells_b), atol=1e-4)
    assert torch.allclose(blocked.exchanged().rows(cells_b), whole.exchanged().rows(cells_b), atol=1e-4)


@pytest.mark.parametrize("name", ["drcn", "anchored"])
def test_matches_are_the_same_in_blocks(name, golden_pixels, in_small_blocks, device):
    matcher = create_matcher(MatcherConfig(name=name, device=device, precision="float32"))
    pair = [matcher.extract(golden_pixels(image)) for image in ("A1", "B1")]
    whole = matcher.match(*pair)
    in_small_blocks()
    blocked = matcher.match(*pair)
    assert len(whole) > 50
    # Those that are as certain but for rounding may change places.
    first, second = (np.argsort(found.reference_index) for found in (whole, blocked))
    assert np.array_equal(whole.reference_index[first], blocked.reference_index[second])
    assert np.allclose(whole.current_points[first], blocked.current_points[second], atol=1e-3)
    assert np.allclose(whole.scores[first], blocked.scores[second], atol=1e-4)


def test_no_block_is_larger_than_it_may_be(monkeypatch):
    monkeypatch.setattr(blocked_prior, "_BLOCK", 1 << 16)
    a, b = torch.zeros(1, 61, 75), torch.zeros(1, 10, 13)
    seen = torch.zeros(61, 75)
    for block in blocked_prior._blocks(a, b, 4):
        assert (block.bottom - block.top) * (block.right - block.left) * 130 <= 1 << 16
        assert block.top % 2 == block.left % 2 == 0
        seen[slice(*block.rows), slice(*block.columns)] += 1
    assert (seen == 1).all()
