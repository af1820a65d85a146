# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from drcn_ros.networks.hard_detection import Detections, detect


def blob(row: float, column: float, height: int = 9, width: int = 11) -> torch.Tensor:
    """A paraboloid with its top at a place between the cells."""
    i, j = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (10 - ((i - row) ** 2 + (j - column) ** 2)).clamp(min=0)


def cells(detections: Detections) -> list[tuple[int, int, int]]:
    columns = (detections.channel.tolist(), detections.row.tolist(), detections.column.tolist())
    return list(zip(*columns, strict=True))


def test_a_blob_is_found_in_its_channel_and_located_exactly() -> None:
    dense = torch.stack([torch.zeros(9, 11), blob(4.2, 5.4)])
    detections = detect(dense)
    assert cells(detections) == [(1, 4, 5)]
    torch.testing.assert_close(detections.subpixel_steps(), torch.tensor([[0.2, 0.4]]))
    assert detections.scores().item() == dense[1, 4, 5]


def test_an_edge_is_no_keypoint() -> None:
    i, j = torch.meshgrid(torch.arange(9.0), torch.arange(11.0), indexing="ij")
    ridge = (10 - 0.5 * (i - 4) ** 2 - 0.01 * (j - 5) ** 2).clamp(min=0)
    assert len(detect(ridge[None])) == 0


def test_a_weaker_channel_is_hidden_by_a_stronger() -> None:
    assert cells(detect(torch.stack([blob(4, 5), 1.1 * blob(4, 5)]))) == [(1, 4, 5)]


def test_equal_channels_both_count() -> None:
    assert cells(detect(torch.stack([blob(4, 5), blob(4, 5)]))) == [(0, 4, 5), (1, 4, 5)]


def test_a_dead_map_has_no_detections() -> None:
    assert len(detect(torch.zeros(512, 6, 7))) == 0


def test_the_corners_of_a_flat_map_have_no_place_within_their_cell() -> None:
    assert (detect(torch.full((3, 6, 7), 2.5)).subpixel_steps().abs() >= 0.5).any(dim=1).all()


def test_only_existing_neighbours_are_compared_at_the_border() -> None:
    dense = torch.full((1, 9, 11), -10.0)
    dense[0, 0, 5] = -0.5
    assert (0, 0, 5) in cells(detect(dense))


def test_order_is_by_channel_then_row_then_column() -> None:
    dense = torch.stack([torch.maximum(blob(7, 9), blob(1, 2)), torch.maximum(blob(7, 2), blob(1, 9))])
    assert cells(detect(dense)) == [(0, 1, 2), (0, 7, 9), (1, 1, 9), (1, 7, 2)]
