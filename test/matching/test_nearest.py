# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from drcn_ros.matching import nearest
from drcn_ros.matching.nearest import distance_ratio_squared, mutual_nearest


@pytest.fixture
def descriptors() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return (
        normalize(torch.randn(57, 8, generator=generator), dim=1),
        normalize(torch.randn(43, 8, generator=generator), dim=1),
    )


def test_pairs_are_each_others_best(descriptors: tuple[torch.Tensor, torch.Tensor]) -> None:
    reference, current = descriptors
    cosine = reference @ current.T
    pairs = mutual_nearest(reference, current)
    expected = [
        (i, int(cosine[i].argmax())) for i in range(57) if int(cosine[:, cosine[i].argmax()].argmax()) == i
    ]
    assert list(zip(pairs.reference_index.tolist(), pairs.current_index.tolist(), strict=True)) == expected
    torch.testing.assert_close(pairs.value, cosine[pairs.reference_index, pairs.current_index])
    torch.testing.assert_close(pairs.second_value, cosine[pairs.reference_index].topk(2, 1).values[:, 1])


def test_confidence_is_the_mean_of_both_directions(descriptors: tuple[torch.Tensor, torch.Tensor]) -> None:
    reference, current = descriptors
    logits = 12 * reference @ current.T
    pairs = mutual_nearest(reference, current, temperature=12)
    expected = (logits.softmax(0) * logits.softmax(1)).sqrt()[pairs.reference_index, pairs.current_index]
    torch.testing.assert_close(pairs.confidence, expected)


def test_blocks_do_not_change_the_result(
    descriptors: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = mutual_nearest(*descriptors, temperature=5)
    monkeypatch.setattr(nearest, "BLOCK_ENTRIES", 200)
    blocks = mutual_nearest(*descriptors, temperature=5)
    assert torch.equal(whole.reference_index, blocks.reference_index)
    assert torch.equal(whole.current_index, blocks.current_index)
    torch.testing.assert_close(whole.confidence, blocks.confidence)


def test_of_equal_descriptors_the_first_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = torch.eye(3)[[0, 1, 0, 0]]
    monkeypatch.setattr(nearest, "BLOCK_ENTRIES", 6)
    pairs = mutual_nearest(reference, torch.eye(3))
    assert pairs.reference_index.tolist() == [0, 1]
    assert pairs.current_index.tolist() == [0, 1]


def test_ratio_and_similarity_drop_pairs(descriptors: tuple[torch.Tensor, torch.Tensor]) -> None:
    everything = mutual_nearest(*descriptors)
    by_ratio = mutual_nearest(*descriptors, ratio=0.8)
    by_value = mutual_nearest(*descriptors, min_similarity=0.7)
    assert 0 < len(by_ratio) < len(everything)
    assert 0 < len(by_value) < len(everything)
    assert distance_ratio_squared(by_ratio).max() < 0.64
    assert by_value.value.min() >= 0.7


@pytest.mark.parametrize(("rows", "columns"), [(0, 5), (5, 0), (0, 0)])
def test_nothing_matches_nothing(rows: int, columns: int) -> None:
    assert len(mutual_nearest(torch.zeros(rows, 4), torch.zeros(columns, 4), ratio=0.8)) == 0


def test_a_single_candidate_passes_the_ratio_test() -> None:
    pairs = mutual_nearest(torch.eye(2)[:1], torch.eye(2)[:1], ratio=0.5)
    assert len(pairs) == 1
