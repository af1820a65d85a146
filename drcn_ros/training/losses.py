# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Losses of the compact network: descriptors, detection, sub-pixel positions and coarse correlation.

The descriptor loss is a cross entropy over all places of the other image (InfoNCE) whose targets are spread
bilinearly over the four cells around the true place, half of it weighted by the product of both detection
scores as in D2-Net (Dusmanu et al., CVPR 2019, eq. 11). Repeatability and peakiness follow R2D2 (Revaud et
al., NeurIPS 2019, section 3.2). The consensus learns from the same cross entropy as in DRCN's correlation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import (
    avg_pool2d,
    cosine_similarity,
    max_pool2d,
    normalize,
    smooth_l1_loss,
    unfold,
)

from drcn_ros.networks.compact import CompactMaps, CompactNetwork
from drcn_ros.networks.correlation import correlate, mutual_matching
from drcn_ros.networks.maps import DenseMap
from drcn_ros.networks.separable_consensus import SeparableConsensus
from drcn_ros.training.config import LossConfig
from drcn_ros.training.pairs import PairBatch

_LARGEST_TEMPERATURE = 60.0
# Side of the windows, in detail cells, whose scores are compared, and the step between them.
_WINDOW, _WINDOW_STEP = 8, 4
# Keypoints per image that the position term looks at, and how far apart, in pixels, a pair may lie.
_PEAKS, _PEAK_REACH = 200, 4.0
_POOL = 2


@dataclass(frozen=True)
class Losses:
    """Terms of the loss, not yet weighted, and measures to watch.

    Attributes:
        terms: by the names of their weights in `LossConfig`.
        measures: what is only logged.
    """

    terms: dict[str, torch.Tensor]
    measures: dict[str, torch.Tensor]

    def total(self, config: LossConfig) -> torch.Tensor:
        """Return the weighted sum."""
        weights: dict[str, float] = {name: getattr(config, name) for name in self.terms}
        return torch.stack([weights[name] * term for name, term in self.terms.items()]).sum()


def compact_losses(
    network: CompactNetwork,
    maps: CompactMaps,
    pairs: PairBatch,
    config: LossConfig,
    generator: torch.Generator,
) -> Losses:
    """Return all terms for maps of the images A, then B, of a batch.

    Args:
        network: gives detector, consensus and temperatures.
        maps: of `torch.cat([pairs.first, pairs.second])`.
        pairs: the correspondence.
        config: number of points.
        generator: chooses the points; on the device of the maps.
    """
    count = len(pairs.first)
    scores = network.detector(maps.detail.values.float())
    detail = DenseMap(scores, maps.detail.stride, maps.detail.origin)
    score_a, score_b = _halves(detail, count)
    fine_a, fine_b = _halves(maps.fine, count)
    points_b = choose_points(score_b, pairs.valid, config.points, generator)
    points_a, valid = look_up(pairs, points_b)
    descriptors, places = descriptor_loss(
        (fine_a, fine_b), (score_a, score_b), (points_a, points_b), valid, network.descriptor_temperature
    )
    position, apart = position_loss(score_a, score_b, pairs)
    coarse_a, coarse_b = _halves(maps.coarse, count)
    # Matching reduces the correlation before the consensus; small images would leave it nothing to see.
    pooled = bool(torch.rand((), generator=generator, device=scores.device) < 0.5)
    coarse, found = coarse_loss(network.consensus, coarse_a, coarse_b, pairs, pooled)
    terms = {
        "descriptors": descriptors,
        "repeatability": repeatability_loss(score_a, score_b, pairs),
        "peakiness": peakiness_loss(scores),
        "position": position,
        "coarse": coarse,
    }
    return Losses(terms, {"descriptor_accuracy": places, "position_px": apart, "coarse_accuracy": found})


def choose_points(
    scores: DenseMap, valid: torch.Tensor, count: int, generator: torch.Generator
) -> torch.Tensor:
    """Return (N, count, 2) integer pixels of B, half of them anywhere valid, half where B has keypoints."""
    height, width = valid.shape[1:]
    fine = torch.nn.functional.interpolate(
        scores.values.detach(), size=(height, width), mode="bilinear", align_corners=False
    )
    peak = fine >= max_pool2d(fine, 5, 1, 2)
    usable = valid.flatten(1).float()
    # A network that has failed gives no scores; the loss then tells, not the choice of points.
    strength = ((fine - fine.amin((2, 3), keepdim=True)).flatten(1) * usable).nan_to_num()
    likely = torch.where(peak.flatten(1), strength.square(), 1e-6 * strength) + 1e-12 * usable + 1e-20
    anywhere = torch.multinomial(usable + 1e-9, count // 2, replacement=True, generator=generator)
    keypoints = torch.multinomial(likely, count - count // 2, replacement=True, generator=generator)
    index = torch.cat([anywhere, keypoints], dim=1)
    return torch.stack([index % width, index // width], dim=-1).float()


def look_up(pairs: PairBatch, points_b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the (N, K, 2) places in A of integer pixels of B, and (N, K) whether they are valid."""
    x, y = points_b.long().unbind(dim=-1)
    pair = torch.arange(len(points_b), device=points_b.device)[:, None]
    return pairs.positions[pair, y, x], pairs.valid[pair, y, x].float()


def descriptor_loss(
    fine: tuple[DenseMap, DenseMap],
    scores: tuple[DenseMap, DenseMap],
    points: tuple[torch.Tensor, torch.Tensor],
    valid: torch.Tensor,
    temperature: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss and the share of points whose best cell lies within one cell of the truth.

    Args:
        fine: descriptor maps of A and B.
        scores: detection scores of A and B.
        points: (N, K, 2) corresponding pixels of A and B.
        valid: (N, K) 1 where the correspondence holds.
        temperature: makes cosines logits.
    """
    factor = temperature.clamp(max=_LARGEST_TEMPERATURE)
    logits_a = _against(factor, fine[1].sample(points[1]), fine[0])
    logits_b = _against(factor, fine[0].sample(points[0]), fine[1])
    entropy = 0.5 * (spread_cross_entropy(logits_a, points[0], fine[0]))
    entropy = entropy + 0.5 * spread_cross_entropy(logits_b, points[1], fine[1])
    weight = (scores[0].sample(points[0]) * scores[1].sample(points[1]))[..., 0] * valid
    loss = 0.5 * _mean(entropy, valid) + 0.5 * _mean(entropy, weight)
    best = _cell_pixels(logits_a.detach().argmax(dim=-1), fine[0])
    near = (best - points[0]).norm(dim=-1) < fine[0].stride
    return loss, _mean(near.float(), valid)


def spread_cross_entropy(logits: torch.Tensor, points: torch.Tensor, cells: DenseMap) -> torch.Tensor:
    """Return (N, K) cross entropies of logits (N, K, h w) to targets spread over four cells."""
    height, width = cells.values.shape[-2:]
    place = cells.cells(points)
    corner = place.floor()
    right, down = (place - corner).unbind(dim=-1)
    left, top = corner.unbind(dim=-1)
    columns = torch.stack([left, left + 1, left, left + 1], dim=-1).clamp(0, width - 1)
    rows = torch.stack([top, top, top + 1, top + 1], dim=-1).clamp(0, height - 1)
    shares = torch.stack(
        [(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down], dim=-1
    )
    # The shares add up to one, so the normaliser can be taken out: one pass over the logits.
    expected = (shares * logits.gather(-1, (rows * width + columns).long())).sum(dim=-1)
    return logits.logsumexp(dim=-1) - expected


def repeatability_loss(score_a: DenseMap, score_b: DenseMap, pairs: PairBatch) -> torch.Tensor:
    """Return one minus the mean cosine of corresponding windows of the score maps."""
    count, _, height, width = score_b.values.shape
    places = _at_cells(pairs, score_b)
    seen = _valid_at_cells(pairs, score_b)
    warped = score_a.sample(places.flatten(1, 2)).transpose(1, 2).view(count, 1, height, width)
    windows_a, windows_b = (
        unfold(values * seen, _WINDOW, stride=_WINDOW_STEP) for values in (warped, score_b.values)
    )
    full = (unfold(seen, _WINDOW, stride=_WINDOW_STEP).mean(1) > 0.9).float()
    similar = cosine_similarity(
        windows_a - windows_a.mean(1, keepdim=True),
        windows_b - windows_b.mean(1, keepdim=True),
        dim=1,
        eps=1e-4,
    )
    return 1 - _mean(similar, full)


def peakiness_loss(scores: torch.Tensor) -> torch.Tensor:
    """Return how little the maximum of a neighbourhood of the score map exceeds its mean."""
    return 1 - 2 * (max_pool2d(scores, 9, 4, 4) - avg_pool2d(scores, 9, 4, 4)).mean()


def position_loss(
    score_a: DenseMap, score_b: DenseMap, pairs: PairBatch
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the distance of corresponding keypoints, robust, and its median in pixels.

    Keypoints are the maxima of both score maps with the quadratic fit that matching uses, through which the
    gradient flows: what is trained is the position that is used.
    """
    peaks_a, found_a = _peaks(score_a)
    peaks_b, found_b = _peaks(score_b)
    size = pairs.positions.shape[1]
    field = DenseMap(pairs.positions.permute(0, 3, 1, 2), 1, 0.0)
    inside = DenseMap(pairs.valid[:, None].float(), 1, 0.0)
    expected = field.sample(peaks_b)
    usable = found_b & (inside.sample(peaks_b)[..., 0] > 0.99) & (expected.amax(dim=-1) < size)
    distances = torch.cdist(expected.detach(), peaks_a.detach())
    distances = distances.masked_fill(~found_a[:, None, :], torch.inf)
    nearest, index = distances.min(dim=-1)
    usable &= nearest < _PEAK_REACH
    partner = peaks_a.gather(1, index[..., None].expand(-1, -1, 2))
    error = smooth_l1_loss(partner, expected, reduction="none", beta=1.0).sum(dim=-1)
    weight = usable.float()
    middle = nearest[usable].median() if usable.any() else nearest.new_zeros(())
    return _mean(torch.where(usable, error, 0.0), weight), middle


def coarse_loss(
    consensus: SeparableConsensus, coarse_a: DenseMap, coarse_b: DenseMap, pairs: PairBatch, pooled: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the cross entropy before and after the consensus, and the accuracy after it.

    Args:
        consensus: the filter that learns.
        coarse_a: features of A.
        coarse_b: features of B.
        pairs: the correspondence.
        pooled: reduce the correlation before the consensus, as matching does.
    """
    count, _, height, width = coarse_b.values.shape
    volume = correlate(normalize(coarse_a.values, dim=1), normalize(coarse_b.values, dim=1))
    plain = consensus.temperature * volume
    cleaned = plain + consensus.gain * filtered(consensus, volume, pooled)
    places = _at_cells(pairs, coarse_b).flatten(1, 2)
    valid = _valid_at_cells(pairs, coarse_b).flatten(1)
    own = torch.arange(height * width, device=volume.device).expand(count, -1)
    cell_a = coarse_a.cells(places).round().clamp(min=0)
    row, column = cell_a[..., 1].clamp(max=height - 1), cell_a[..., 0].clamp(max=width - 1)
    index_a = (row * width + column).long()
    pair = torch.arange(count, device=volume.device)[:, None]
    loss = volume.new_zeros(())
    accuracy = loss
    for logits, share in ((plain, 0.25), (cleaned, 0.5)):
        matrix = logits.flatten(3).flatten(1, 2).float()
        to_a = spread_cross_entropy(matrix.transpose(1, 2), places, coarse_a)
        to_b = matrix.logsumexp(dim=-1).gather(1, index_a) - matrix[pair, index_a, own]
        loss = loss + share * (_mean(to_a, valid) + _mean(to_b, valid))
        best = _cell_pixels(matrix.detach().argmax(dim=1), coarse_a)
        near = ((best - places).abs().amax(dim=-1) <= 0.75 * coarse_a.stride).float()
        accuracy = _mean(near, valid)
    return loss, accuracy


def filtered(consensus: SeparableConsensus, volume: torch.Tensor, pooled: bool) -> torch.Tensor:
    """Return the consensus of a correlation (N, hA, wA, hB, wB) with even sides, in the same shape."""
    if not pooled:
        whole: torch.Tensor = consensus(mutual_matching(volume.relu())[:, None])
        return whole[:, 0]
    count, *sides = volume.shape
    split = [count, *(part for side in sides for part in (side // _POOL, _POOL))]
    small = volume.reshape(split).amax((2, 4, 6, 8)).relu()
    cleaned: torch.Tensor = consensus(mutual_matching(small)[:, None])[:, 0]
    spread = cleaned[:, :, None, :, None, :, None, :, None].expand(split)
    return spread.reshape(volume.shape)


def _peaks(scores: DenseMap) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (N, K, 2) pixels of the strongest maxima, differentiable, and (N, K) whether they exist."""
    values = scores.values
    height, width = values.shape[-2:]
    fixed = values.detach()
    maxima = fixed * (fixed == max_pool2d(fixed, 5, 1, 2))
    inner = torch.zeros_like(maxima)
    inner[..., 4:-4, 4:-4] = maxima[..., 4:-4, 4:-4]
    strength, index = inner.flatten(1).topk(min(_PEAKS, height * width), dim=1)
    flat = values.flatten(1)
    # Border cells are never maxima; the clamp only keeps their unused neighbours inside the map.
    index = index.clamp(width + 1, height * width - width - 2)
    at = flat.gather(1, index)
    steps = []
    for neighbour in (1, width):
        before, after = flat.gather(1, index - neighbour), flat.gather(1, index + neighbour)
        curvature = (before + after - 2 * at).clamp(max=-1e-3)
        steps.append(((before - after) / (2 * curvature)).clamp(-0.5, 0.5))
    cells = torch.stack([index % width + steps[0], index // width + steps[1]], dim=-1)
    return scores.pixels(cells), strength > 0


def _against(factor: torch.Tensor, points: torch.Tensor, fine: DenseMap) -> torch.Tensor:
    """Return (N, K, h w) cosines of sampled descriptors (N, K, C) and all cells of a map, times `factor`."""
    return (factor * normalize(points, dim=-1)) @ normalize(fine.values, dim=1).flatten(2)


def _halves(values: DenseMap, count: int) -> tuple[DenseMap, DenseMap]:
    first, second = values.values[:count].float(), values.values[count:].float()
    return DenseMap(first, values.stride, values.origin), DenseMap(second, values.stride, values.origin)


def _cell_pixels(index: torch.Tensor, cells: DenseMap) -> torch.Tensor:
    width = cells.values.shape[-1]
    return cells.pixels(torch.stack([index % width, index // width], dim=-1).float())


def _at_cells(pairs: PairBatch, cells: DenseMap) -> torch.Tensor:
    """Return (N, h, w, 2) places in A of the centres of the cells of B."""
    # A cell of even stride has its centre between four pixels.
    before, after = (slice(cells.stride // 2 + step, None, cells.stride) for step in (-1, 0))
    field = pairs.positions
    four = (
        field[:, before, before],
        field[:, before, after],
        field[:, after, before],
        field[:, after, after],
    )
    return torch.stack(four).mean(dim=0)


def _valid_at_cells(pairs: PairBatch, cells: DenseMap) -> torch.Tensor:
    """Return (N, 1, h, w) 1 where the centre of a cell of B is valid."""
    half = cells.stride // 2
    return pairs.valid[:, None, half :: cells.stride, half :: cells.stride].float()


def _mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (values * weight).sum() / (weight.sum() + 1e-6)
