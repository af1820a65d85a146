# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Extraction and matching as modules of fixed shapes, for runtimes without Python.

What a graph of fixed shapes cannot do stays outside: lists whose length depends on the image. So keypoints
are always as many, missing ones with score 0 at the end, and matches come as one partner per reference
keypoint, -1 for none. Each part says what of its method is outside its graph and why.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import max_pool2d, normalize

from drcn_ros.errors import ConfigurationError
from drcn_ros.matching.calibration import entry_name, probability
from drcn_ros.matching.coarse_prior import CoarsePrior, coarse_logits
from drcn_ros.matching.keypoints import CONTRAST_SIDE, LEAST_CONTRAST
from drcn_ros.networks.compact import COARSE_STRIDE, CompactNetwork
from drcn_ros.networks.correlation import correlate, mutual_matching
from drcn_ros.networks.d2net import D2Net
from drcn_ros.networks.drcn import DRCN

PARTS = ("extract", "match")
_BORDER = 2
_WINDOW = 5


@dataclass(frozen=True)
class ExportPart:
    """A module to export.

    Attributes:
        module: in evaluation mode.
        example: of what it takes.
        inputs, outputs: names of what goes in and out.
        outside: what of the method is not part of it, and why.
    """

    module: nn.Module
    example: tuple[torch.Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    outside: str


def exportable(network: nn.Module, part: str, width: int, height: int, keypoints: int) -> ExportPart:
    """Return a part of a network's method for images of one size.

    Args:
        network: as `load_network` gives it.
        part: "extract" or "match".
        width, height: of the images, pixels.
        keypoints: their number, for the compact network.

    Raises:
        ConfigurationError: that network has no such part.
    """
    generator = torch.Generator().manual_seed(0)
    if isinstance(network, CompactNetwork):
        extract = CompactExtract(network.fuse(), keypoints)
        grey = torch.rand(1, 1, height, width, generator=generator)
        names = ("points", "scores", "descriptors", "coarse")
        if part == "extract":
            return ExportPart(
                extract, (grey,), ("image",), names, "conversion of the image to grey in [0, 1]"
            )
        with torch.no_grad():
            first, second = extract(grey), extract(grey.roll((5, 9), (2, 3)))
        inputs = [f"{side}_{name}" for side in ("reference", "current") for name in names]
        module = CompactMatch(network)
        outside = "sub-pixel alignment of patches (each point stops when it has arrived), the least score"
        return ExportPart(module, (*first, *second), tuple(inputs), ("partner", "confidence"), outside)
    colour = torch.rand(1, 3, height, width, generator=generator)
    if isinstance(network, DRCN):
        network.fuse(for_cpu=False)
        if part == "extract":
            outside = "conversion of the image to RGB in [0, 1]"
            return ExportPart(DrcnExtract(network), (colour,), ("image",), ("fine", "coarse"), outside)
        with torch.no_grad():
            coarse = [network(image).coarse for image in (colour, colour.roll((16, 32), (2, 3)))]
        inputs = ["reference_coarse", "current_coarse"]
        outside = "the fine search (its extent depends on the images), the mutual test, the alignment"
        return ExportPart(DrcnCorrelate(network), tuple(coarse), tuple(inputs), ("correlation",), outside)
    if isinstance(network, D2Net) and part == "extract":
        outside = "detection, localisation and descriptors (as many as the image has keypoints)"
        return ExportPart(D2NetExtract(network), (255 * colour,), ("image",), ("features",), outside)
    msg = f"part {part} of {type(network).__name__}: a search for nearest neighbours, nothing to export"
    raise ConfigurationError(msg)


class CompactExtract(nn.Module):
    """(1, 1, H, W) grey in [0, 1] -> points (N, 2), scores (N,), descriptors (N, C), coarse (C', h, w)."""

    def __init__(self, network: CompactNetwork, count: int) -> None:
        super().__init__()
        self.network = network
        self.count = count

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the strongest keypoints, those beyond the image's number with score 0."""
        maps = self.network(image)
        scores = self.network.detector(maps.detail.values)[0, 0]
        height, width = scores.shape
        square = (CONTRAST_SIDE, 1, CONTRAST_SIDE // 2)
        contrast = max_pool2d(image, *square) + max_pool2d(-image, *square)
        stride = maps.detail.stride
        # Half a grey level below the least contrast, since levels come as fractions here.
        textured = contrast[0, 0, ::stride, ::stride] > (LEAST_CONTRAST - 0.5) / 255
        scores = scores * textured
        peaks = (scores == max_pool2d(scores[None], _WINDOW, 1, _WINDOW // 2)[0]).to(scores.dtype)
        inner = torch.zeros_like(scores)
        inner[_BORDER : height - _BORDER, _BORDER : width - _BORDER] = 1
        values, cells = (scores * peaks * inner).flatten().topk(min(self.count, height * width))
        # Cells that only fill up lie anywhere; their neighbours must exist all the same.
        y = (cells // width).clamp(_BORDER, height - _BORDER - 1)
        x = (cells % width).clamp(_BORDER, width - _BORDER - 1)
        here = scores[y, x]
        step_x = _vertex(scores[y, x - 1], here, scores[y, x + 1])
        step_y = _vertex(scores[y - 1, x], here, scores[y + 1, x])
        points = maps.detail.pixels(torch.stack([x + step_x, y + step_y], dim=1))
        descriptors = normalize(maps.fine.sample(points[None])[0], dim=1)
        return points, values, descriptors, normalize(maps.coarse.values[0], dim=0)


class CompactMatch(nn.Module):
    """What `CompactExtract` gives of two images -> partner (N,) int64, -1 for none, and confidence (N,)."""

    def __init__(self, network: CompactNetwork) -> None:
        super().__init__()
        self.consensus = network.consensus
        self.descriptor_temperature = network.descriptor_temperature
        self.calibration = network.config.calibration.get(entry_name("drcn", refine=False))

    def forward(
        self,
        reference_points: torch.Tensor,
        reference_scores: torch.Tensor,
        reference_descriptors: torch.Tensor,
        reference_coarse: torch.Tensor,
        current_points: torch.Tensor,
        current_scores: torch.Tensor,
        current_descriptors: torch.Tensor,
        current_coarse: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the current keypoint that each reference keypoint is, where both choose each other."""
        coarse = CoarsePrior.of(coarse_logits(self.consensus, reference_coarse, current_coarse))
        rows = coarse.rows(_coarse_cells(reference_points, reference_coarse))
        prior = rows[:, _coarse_cells(current_points, current_coarse)]
        measure = prior + self.descriptor_temperature * reference_descriptors @ current_descriptors.T
        missing = (reference_scores <= 0)[:, None] | (current_scores <= 0)[None]
        measure = measure.masked_fill(missing, -1e4)
        forward, backward = measure.argmax(dim=1), measure.argmax(dim=0)
        mutual_probability = ((measure.log_softmax(dim=1) + measure.log_softmax(dim=0)) / 2).exp()
        confidence = mutual_probability.gather(1, forward[:, None])[:, 0]
        if self.calibration is not None:
            confidence = probability(confidence, *self.calibration)
        index = torch.arange(len(forward), device=forward.device)
        mutual = (backward[forward] == index) & (reference_scores > 0)
        return torch.where(mutual, forward, -1), torch.where(mutual, confidence, 0.0)


class DrcnExtract(nn.Module):
    """(1, 3, H, W) RGB in [0, 1] -> fine and coarse unit features of the published DRCN."""

    def __init__(self, network: DRCN) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both maps."""
        maps = self.network(image)
        return maps.fine, maps.coarse


class DrcnCorrelate(nn.Module):
    """Coarse features of two images -> cleaned 4D correlation (1, hA, wA, hB, wB)."""

    def __init__(self, network: DRCN) -> None:
        super().__init__()
        self.consensus = network.consensus

    def forward(self, reference_coarse: torch.Tensor, current_coarse: torch.Tensor) -> torch.Tensor:
        """Return what the fine search is guided by."""
        raw = correlate(reference_coarse, current_coarse)
        return mutual_matching(self.consensus(mutual_matching(raw)))


class D2NetExtract(nn.Module):
    """(1, 3, H, W) RGB, 0 to 255 -> dense features (1, 512, h, w) of D2-Net on VGG16."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, network: D2Net) -> None:
        super().__init__()
        self.trunk = network.trunk
        self.caffe = network.config.preprocessing == "caffe"
        self.final_relu = network.config.final_relu
        self.register_buffer("mean", network.mean)
        self.register_buffer("deviation", network.deviation)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the map that keypoints are detected on and described by."""
        scaled = (image - self.mean) / self.deviation
        features: torch.Tensor = self.trunk(scaled.flip(1) if self.caffe else scaled)
        return features.relu() if self.final_relu else features


def _coarse_cells(points: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
    height, width = coarse.shape[-2:]
    cells = ((points + 0.5) / COARSE_STRIDE).long()
    return cells[:, 1].clamp(0, height - 1) * width + cells[:, 0].clamp(0, width - 1)


def _vertex(before: torch.Tensor, at: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return the position of the extremum of the parabola through three neighbours, within [-0.5, 0.5]."""
    return ((before - after) / (2 * (before + after - 2 * at) - 1e-6)).clamp(-0.5, 0.5)
