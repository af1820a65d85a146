# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`common_warp` on a GPU, whose numbers the host does not see."""

from __future__ import annotations

from functools import cache

import torch

from drcn_ros.matching.common_warp import FEWEST, LARGEST_SCALE, LEAST_SHARE, MATCHES, PARALLAX
from drcn_ros.networks.constants import constant

_HYPOTHESES = 256
_SEED = 5
_TINY = 1e-12


def device_warp(
    reference: torch.Tensor, current: torch.Tensor, scores: torch.Tensor, good: torch.Tensor
) -> torch.Tensor:
    """Return (2, 2) what takes a small step in the reference image to the step in the current one.

    Pairs of matches, drawn alike each time, each tell a similarity; the one that most matches agree with is
    fitted to those (RANSAC; Fischler and Bolles, 1981). Points as complex numbers go to z p + t.

    Args:
        reference, current: (N, 2) pixels.
        scores: (N,) the best of which take part.
        good: (N,) bool, which rows are matches.

    Returns:
        A turn times a scale; the unit matrix where the matches share none.
    """
    ranked = torch.where(good, scores, -torch.inf)
    order = ranked.topk(min(MATCHES, len(ranked))).indices
    valid = good[order]
    a, b = reference[order].float(), current[order].float()
    count = valid.sum()
    first, second = (_draws(a.device) * count).unbind()
    first = first.long().clamp(max=len(a) - 1)
    # The second is another one than the first.
    second = (first + 1 + (second * (count - 1) / count.clamp(min=1)).long()) % count.clamp(min=1)
    step = a[second] - a[first]
    factor = _product(b[second] - b[first], step * constant([1.0, -1.0], a))
    factor = factor / (step.square().sum(dim=1, keepdim=True) + _TINY)
    shift = b[first] - _product(factor, a[first])
    near = _product(factor[:, None], a) + shift[:, None] - b
    near = (near.square().sum(dim=2) <= PARALLAX**2) & valid
    # To take a row by a single number would bring that to the host.
    near = near.index_select(0, near.sum(dim=1).argmax()[None])[0]
    # Least squares over those that agree.
    number = near.sum()
    weights = near[:, None].to(a.dtype)
    a, b = ((points - (points * weights).sum(dim=0) / number.clamp(min=1)) * weights for points in (a, b))
    length = a.square().sum() + _TINY
    factor = _product(b, a * constant([1.0, -1.0], a)).sum(dim=0) / length
    scale = factor.square().sum().sqrt()
    shared = (count >= FEWEST) & (number >= LEAST_SHARE * count)
    shared = shared & (scale > 1 / LARGEST_SCALE) & (scale < LARGEST_SCALE)
    real, imaginary = torch.where(shared, factor, constant([1.0, 0.0], factor)).unbind()
    return torch.stack([real, -imaginary, imaginary, real]).view(2, 2).to(reference.dtype)


def _product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the products of complex numbers (..., 2)."""
    (x, y), (u, v) = a.unbind(dim=-1), b.unbind(dim=-1)
    return torch.stack([x * u - y * v, x * v + y * u], dim=-1)


@cache
def _draws(device: torch.device) -> torch.Tensor:
    """Return (2, hypotheses) numbers in [0, 1)."""
    generator = torch.Generator().manual_seed(_SEED)
    return torch.rand(2, _HYPOTHESES, generator=generator).to(device)
