# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Anchored matching: keypoints of one image are found in the other by DRCN, without detection there.

The queries are keypoints that D2-Net's rule detects in the reference image. Each looks into the few coarse
cells that the cleaned 4D correlation leaves open and takes the best fine cell there; from that place the
search goes back, and must come out where it began. So a point needs no second detection, and can be followed
as the same point over many frames: `with_queries` gives an image the points of another one.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from drcn_ros.matching.alignment import align_matches
from drcn_ros.matching.blocked_prior import BlockedPrior, coarse_prior
from drcn_ros.matching.calibration import calibrate
from drcn_ros.matching.candidates import Candidates
from drcn_ros.matching.coarse_prior import CoarsePrior
from drcn_ros.matching.device import upload
from drcn_ros.matching.drcn_base import DrcnBase
from drcn_ros.matching.drcn_features import (
    CompactFeatures,
    PublishedFeatures,
)
from drcn_ros.matching.filling import among
from drcn_ros.matching.patches import ImageFeatures
from drcn_ros.matching.types import Matches
from drcn_ros.networks.compact import COARSE_STRIDE, CompactNetwork, describe
from drcn_ros.networks.drcn import DRCN
from drcn_ros.networks.fine_blocks import FineBlocks
from drcn_ros.networks.fine_search import SearchOptions, best_targets
from drcn_ros.networks.resnet_fpn import FINE_STRIDE

# Coarse cells that a query looks into: on bare walls the true one is often not among the first few.
_WINDOWS = 20
# A query that comes back farther from where it began, pixels, has no match.
_FARTHEST_RETURN = 2.0
# A detected keypoint this close, pixels, to where a query is found is the same point.
_SAME_POINT = 2.0


class AnchoredMatcher(DrcnBase):
    """Follows the reference image's keypoints into the current image.

    `current_index` names the keypoint of the current image that lies where a query is found, or is -1. The
    score of a match is as for `drcn`.
    """

    @property
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""
        return "anchored"

    @torch.inference_mode()
    def with_queries(
        self, features: ImageFeatures, points: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> ImageFeatures:
        """Return the features of the same image with other keypoints: what `match` then follows from it.

        Args:
            features: of an image, as `extract` gave them.
            points: (N, 2) pixels, such as where earlier points were found.
            scores: (N,) of the points.
        """
        places = upload(np.asarray(points, np.float32), self._device)
        if isinstance(features, CompactFeatures):
            descriptors = describe(features.fine, places)
        else:
            assert isinstance(features, PublishedFeatures)
            x, y = _fine_cells(features, places)
            descriptors = normalize(features.maps.fine[0][:, y, x].T, dim=1)
        strength = upload(np.asarray(scores, np.float32), self._device)
        # All keypoints of a network have one scale, which a GPU need not tell.
        scales = torch.full_like(strength, FINE_STRIDE)
        return dataclasses.replace(
            features,
            points=places,
            scores=strength,
            scales=scales,
            descriptors=descriptors,
            real=None,
        )

    @torch.inference_mode()
    def match(self, reference: ImageFeatures, current: ImageFeatures) -> Matches:
        """Return where the reference's keypoints are seen in the current image, most certain first."""
        if len(reference.points) == 0:
            return Matches.empty()
        if isinstance(self._network, CompactNetwork):
            assert isinstance(reference, CompactFeatures)
            assert isinstance(current, CompactFeatures)
            found = _follow_compact(self._network, reference, current)
            found = dataclasses.replace(found, good=found.good & (found.scores >= self.config.min_score))
        else:
            assert isinstance(reference, PublishedFeatures)
            assert isinstance(current, PublishedFeatures)
            found = _follow_published(self._network, reference, current)
        found = dataclasses.replace(found, good=among(found.good, reference.real))
        on_cpu = found.scores.device.type == "cpu"
        matches = (self._complete if on_cpu else self._complete_on_device)(reference, current, found)
        return calibrate(matches, self._network, self.config)

    def _complete(self, reference: ImageFeatures, current: ImageFeatures, found: _Found) -> Matches:
        index = torch.nonzero(found.good)[:, 0]
        index = index[found.scores[index].argsort(descending=True, stable=True)]
        matches = Matches(
            reference_points=reference.points[index].numpy(),
            current_points=found.points[index].numpy(),
            scores=found.scores[index].numpy(),
            reference_index=index.numpy(),
            current_index=np.full(len(index), -1, np.int64),
        )
        if self.config.refine:
            matches = align_matches(reference, current, matches)
        places = torch.from_numpy(matches.current_points)
        good = torch.ones(len(matches), dtype=torch.bool)
        return dataclasses.replace(matches, current_index=_nearest_keypoint(current, places, good).numpy())

    def _complete_on_device(self, reference: ImageFeatures, current: ImageFeatures, found: _Found) -> Matches:
        index = torch.arange(len(found.scores), device=found.scores.device)
        rows = Candidates(reference.points, found.points, found.scores, index, index, found.good)
        if self.config.refine:
            rows = rows.refined(reference.patches, current)
        nearest = _nearest_keypoint(current, rows.current_points, rows.good)
        return dataclasses.replace(rows, current_index=nearest).on_host(reference, current)


@dataclasses.dataclass(frozen=True)
class _Found:
    """Where queries are in the other image: points (N, 2), scores (N,), and which are found, (N,) bool."""

    points: torch.Tensor
    scores: torch.Tensor
    good: torch.Tensor


def _follow_compact(network: CompactNetwork, reference: CompactFeatures, current: CompactFeatures) -> _Found:
    assert reference.descriptors is not None
    prior = coarse_prior(network.consensus, reference.coarse, current.coarse)
    temperature = network.descriptor_temperature
    there, forward = _look(reference.descriptors * temperature, reference.coarse_cells, prior, current)
    returning = dataclasses.replace(current, points=there)
    descriptors = describe(current.fine, there) * temperature
    back, backward = _look(descriptors, returning.coarse_cells, prior.exchanged(), reference)
    closed = (back - reference.points).norm(dim=1) <= _FARTHEST_RETURN
    return _Found(there, (forward * backward).sqrt(), closed)


def _look(
    scaled: torch.Tensor, cells: torch.Tensor, coarse: CoarsePrior | BlockedPrior, other: CompactFeatures
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the place (N, 2), in pixels, and the probability (N,) of each query in the other image.

    Args:
        scaled: (N, C) descriptors times the temperature.
        cells: (N,) flat coarse cells of the queries.
        coarse: prior of both images' cells, A the queries' image.
        other: features of the other image.
    """
    height, width = other.fine.values.shape[-2:]
    coarse_width = other.coarse.shape[-1]
    ratio = COARSE_STRIDE // FINE_STRIDE
    rows, row_of_query = _distinct(cells)
    likely = coarse.rows(rows)
    prior, windows = likely.topk(min(_WINDOWS, likely.shape[1]), dim=1)
    step = torch.arange(ratio, device=cells.device)
    y = (windows // coarse_width * ratio)[:, :, None, None] + step[:, None]
    x = (windows % coarse_width * ratio)[:, :, None, None] + step
    # The last coarse cells reach beyond the fine map of an image whose sides are no multiples of 16.
    outside = ((y >= height) | (x >= width)).flatten(1)
    x = x.clamp(max=width - 1).expand(-1, -1, ratio, -1).flatten(1)
    y = y.clamp(max=height - 1).expand(-1, -1, -1, ratio).flatten(1)
    prior = prior.repeat_interleave(ratio * ratio, dim=1).masked_fill(outside, -torch.inf)
    fine = normalize(other.fine.values[0].flatten(1).T, dim=1)
    similarity = _dot_products(fine, y * width + x, row_of_query, scaled)
    probability = (similarity + prior[row_of_query]).softmax(dim=1)
    x, y = x[row_of_query].float(), y[row_of_query].float()
    best = probability.argmax(dim=1, keepdim=True)
    # The true place lies between cells, so its neighbours share the probability.
    near = ((x - x.gather(1, best)).abs() <= 1) & ((y - y.gather(1, best)).abs() <= 1)
    share = probability * near
    total = share.sum(dim=1)
    place = torch.stack([(share * x).sum(dim=1), (share * y).sum(dim=1)], dim=1) / total[:, None]
    return other.fine.pixels(place), total


def _distinct(cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return different cells, and for each cell (N,) its row among them; on a GPU all, as they are."""
    if cells.device.type != "cpu":
        return cells, torch.arange(len(cells), device=cells.device)
    rows, row_of_cell = torch.unique(cells, return_inverse=True)
    return rows, row_of_cell


def _dot_products(
    fine: torch.Tensor, cells: torch.Tensor, row_of_query: torch.Tensor, queries: torch.Tensor
) -> torch.Tensor:
    """Return (N, K) products of queries (N, C) with the rows of fine (M, C) at the cells of their row.

    Args:
        fine: what is looked into.
        cells: (R, K) rows of `fine`.
        row_of_query: (N,) which of the R each query has.
        queries: (N, C).
    """
    if queries.device.type != "cpu":
        gathered = torch.index_select(fine, 0, cells[row_of_query].flatten())
        return (gathered.view(len(queries), -1, fine.shape[1]) @ queries[:, :, None])[:, :, 0]
    # To gather costs more than to multiply: what queries of one row share is gathered once.
    order = row_of_query.argsort(stable=True)
    counts = torch.bincount(row_of_query, minlength=len(cells))
    place = torch.arange(len(order)) - (counts.cumsum(0) - counts)[row_of_query[order]]
    together = queries.new_zeros(len(cells), int(counts.max()), queries.shape[1])
    together[row_of_query[order], place] = queries[order]
    products = queries.new_empty(len(cells), together.shape[1], cells.shape[1])
    # What is gathered must still be in the cache when it is multiplied.
    size = max(1, (1 << 18) // (cells.shape[1] * fine.shape[1]))
    for start in range(0, len(cells), size):
        part = slice(start, start + size)
        gathered = torch.index_select(fine, 0, cells[part].flatten()).view(-1, cells.shape[1], fine.shape[1])
        torch.bmm(together[part], gathered.transpose(1, 2), out=products[part])
    found = queries.new_empty(len(queries), cells.shape[1])
    found[order] = products[row_of_query[order], place]
    return found


def _follow_published(network: DRCN, reference: PublishedFeatures, current: PublishedFeatures) -> _Found:
    correlation = network.correlate(reference.maps, current.maps)[0]
    source, target = FineBlocks.of(reference.maps.fine[0]), FineBlocks.of(current.maps.fine[0])
    width = current.maps.fine.shape[-1]
    x, y = _fine_cells(reference, reference.points)
    queries = y * reference.maps.fine.shape[-1] + x
    options = SearchOptions()
    targets, forward = best_targets(source, target, correlation, queries, options)
    distinct, number = torch.unique(targets, return_inverse=True)
    returned, backward = best_targets(target, source, correlation.permute(2, 3, 0, 1), distinct, options)
    score = (forward + backward[number]) / 2
    closed = (returned[number] == queries) & (score > 0)
    # A query lies off its cell's centre; to first order so does its correspondence.
    offset = reference.points - torch.stack([x, y], dim=1) * FINE_STRIDE
    points = torch.stack([targets % width, targets // width], dim=1) * FINE_STRIDE + offset
    return _Found(points, score, closed)


def _fine_cells(features: PublishedFeatures, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return column and row (N,) of the fine cells nearest to points (N, 2)."""
    height, width = features.maps.fine.shape[-2:]
    x, y = (points / FINE_STRIDE).round().long().unbind(dim=1)
    return x.clamp(0, width - 1), y.clamp(0, height - 1)


def _nearest_keypoint(features: ImageFeatures, points: torch.Tensor, good: torch.Tensor) -> torch.Tensor:
    """Return (M,) rows of the keypoints closest to points (M, 2), each row once, -1 where none is close.

    Args:
        features: hold the keypoints.
        points: pixels.
        good: (M,) bool, which points are asked for.
    """
    if len(points) == 0 or len(features.points) == 0:
        return torch.full((len(points),), -1, device=points.device)
    distance = torch.cdist(points, features.points).masked_fill(~good[:, None], torch.inf)
    if features.real is not None:
        distance = distance.masked_fill(~features.real, torch.inf)
    nearest, row = distance.min(dim=1)
    mutual = distance.argmin(dim=0)[row] == torch.arange(len(points), device=row.device)
    return torch.where(mutual & (nearest <= _SAME_POINT), row, -1)
