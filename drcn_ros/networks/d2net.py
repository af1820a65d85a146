# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""D2-Net (Dusmanu et al., CVPR 2019) on VGG16: one dense map that is detector and descriptor.

Where the authors' code and their paper differ, this follows the code; docs/networks.md lists it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import interpolate, normalize

from drcn_ros.errors import ConfigurationError, ImageError
from drcn_ros.networks.constants import constant
from drcn_ros.networks.hard_detection import detect
from drcn_ros.networks.winograd import WinogradConv2d

# Mean of the training images, and deviation; the released weights are VGG16 of the Caffe framework.
_PREPROCESSING = {
    "caffe": ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
    "torch": ((0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255)),
}
STRIDE = 4
# The average pool with stride 1 moves the map by half a cell against where the authors place it.
CELL_ORIGIN = 3.5
AUTHORS_CELL_ORIGIN = 1.5
# Smaller images have no cell left after the pools.
SMALLEST = 8
# Layers of the trunk up to the first ReLU after a pool, and rows of the image that they see at once.
_FIRST_BLOCK = 5
_STRIP = 64
# Narrower layers lose more by the transforms than they gain.
_LEAST_WINOGRAD_CHANNELS = 256
PYRAMID = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class D2NetConfig:
    """What differs between D2-Net's weight files.

    Attributes:
        preprocessing: "caffe" for the authors' weights, "torch" for VGG16 of torchvision.
        final_relu: apply ReLU to the last convolution, as the authors do unless asked not to.
    """

    preprocessing: str = "caffe"
    final_relu: bool = True


@dataclass(frozen=True)
class D2NetKeypoints:
    """Keypoints of one image, in the authors' order: scale by scale, then by channel, row and column.

    Attributes:
        points: (N, 2) pixels (x, y) of the input image.
        scores: (N,) feature at the detected cell, divided by the number of its scale; not calibrated.
        scales: (N,) factor from the size at which the point was found to that of the input image.
        descriptors: (N, 512) of unit length.
    """

    points: torch.Tensor
    scores: torch.Tensor
    scales: torch.Tensor
    descriptors: torch.Tensor

    def __len__(self) -> int:
        return len(self.scores)


class D2Net(nn.Module):
    """VGG16 up to conv4_3 with its last pool thinned out and the layers after it dilated: stride 4.

    Raises:
        ConfigurationError: the preprocessing is unknown.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, config: D2NetConfig | None = None) -> None:
        super().__init__()
        self.config = config or D2NetConfig()
        if self.config.preprocessing not in _PREPROCESSING:
            known = ", ".join(_PREPROCESSING)
            msg = f"preprocessing {self.config.preprocessing!r} is unknown; known are {known}"
            raise ConfigurationError(msg)
        mean, deviation = _PREPROCESSING[self.config.preprocessing]
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)
        self.trunk = vgg16_trunk(nn.AvgPool2d(2, stride=1), dilation=2)

    def preprocess(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the trunk takes of (B, 1 or 3, H, W) grey or RGB images with values 0 to 255.

        Raises:
            ImageError: the shape is another, the image too small, or a pixel not finite.
        """
        if images.ndim != 4 or images.shape[1] not in (1, 3) or min(images.shape[2:]) < SMALLEST:
            msg = f"images of shape {tuple(images.shape)}: D2-Net needs (B, 1 or 3, H, W) of at least "
            msg += f"{SMALLEST}x{SMALLEST} pixels"
            raise ImageError(msg)
        # Bytes are finite, and asking a GPU would mean to wait for it.
        bad = 0 if images.dtype == torch.uint8 else int((~torch.isfinite(images)).sum())
        if bad:
            msg = f"{bad} of {images.numel()} pixels are not finite; replace them before the network"
            raise ImageError(msg)
        scaled = (images - self.mean) / self.deviation
        # Caffe's VGG16 was trained on BGR.
        return scaled.flip(1) if self.config.preprocessing == "caffe" else scaled

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the dense features (B, 512, H // 4 - 1, W // 4 - 1) of images as `preprocess` takes them."""
        return self.features(self.preprocess(images))

    def features(self, preprocessed: torch.Tensor) -> torch.Tensor:
        """Return the dense features of preprocessed images, float32 whatever the trunk's type."""
        images = preprocessed.to(next(self.trunk.parameters()).dtype)
        halved = self.trunk[:_FIRST_BLOCK](images) if torch.is_grad_enabled() else self._first_block(images)
        result: torch.Tensor = self.trunk[_FIRST_BLOCK:](halved).float()
        return result.relu_() if self.config.final_relu else result

    def _first_block(self, images: torch.Tensor) -> torch.Tensor:
        """Return the first block's output, made in strips: its maps at full resolution are the largest."""
        block, height = self.trunk[:_FIRST_BLOCK], images.shape[2]
        parts = []
        for start in range(0, height, _STRIP):
            stop = min(start + _STRIP, height)
            # Two convolutions reach two rows beyond the strip, which is one row after the pool.
            top, bottom = max(start - 2, 0), min(stop + 2, height)
            part = block(images[:, :, top:bottom])
            first = (start - top) // 2
            parts.append(part[:, :, first : first + (stop - start) // 2])
        return torch.cat(parts, dim=2)

    def accelerate(self) -> D2Net:
        """Make the network faster on CPUs, for inference only, in place; its weights grow by 0.1 GB."""
        self.eval()
        for name, layer in list(self.trunk.named_children()):
            if isinstance(layer, nn.Conv2d) and layer.in_channels >= _LEAST_WINOGRAD_CHANNELS:
                self.trunk[int(name)] = WinogradConv2d(layer)
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return self

    def keypoints(
        self,
        images: torch.Tensor,
        scales: Sequence[float] = (1.0,),
        max_keypoints: int | None = None,
        authors_offset: bool = False,
    ) -> list[D2NetKeypoints]:
        """Detect, localise and describe the keypoints of each image.

        Args:
            images: (B, 1 or 3, H, W), 0 to 255.
            scales: sizes at which to look, ascending; `PYRAMID` for the authors' multi-scale mode.
            max_keypoints: keep those with the largest scores, in their order.
            authors_offset: place points as the authors' code does, 2 pixels up and left of what they show.
        """
        preprocessed = self.preprocess(images)
        pyramids = [KeypointPyramid(max_keypoints) for _ in images]
        accumulated: torch.Tensor | None = None
        for number, scale in enumerate(scales, start=1):
            level = _resized(preprocessed, scale)
            if min(level.shape[2:]) < SMALLEST:
                continue
            features = self.features(level)
            if accumulated is not None:
                features += _resized_to(accumulated, features.shape[2:])
            accumulated = features
            for pyramid, dense in zip(pyramids, features, strict=True):
                pyramid.add(dense, number, scale, level.shape[2:])
        origin = AUTHORS_CELL_ORIGIN if authors_offset else CELL_ORIGIN
        return [pyramid.keypoints(images.shape[2:], origin) for pyramid in pyramids]


def vgg16_trunk(third_pool: nn.Module, dilation: int) -> nn.Sequential:
    """Return VGG16 up to conv4_3 without its ReLU; the positions in it are those of torchvision's VGG16.

    Args:
        third_pool: the pool between conv3_3 and conv4_1.
        dilation: of the three convolutions after it.
    """
    layers: list[nn.Module] = []
    channels = 3
    for width, count, pool, dilated in (
        (64, 2, nn.MaxPool2d(2), 1),
        (128, 2, nn.MaxPool2d(2), 1),
        (256, 3, third_pool, 1),
        (512, 3, None, dilation),
    ):
        for _ in range(count):
            layers.append(nn.Conv2d(channels, width, 3, padding=dilated, dilation=dilated))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        if pool is not None:
            # A maximum commutes with ReLU, which then has a quarter of the work.
            layers.insert(-1 if isinstance(pool, nn.MaxPool2d) else len(layers), pool)
    return nn.Sequential(*layers[:-1])


@dataclass(frozen=True)
class _Level:
    """Keypoints of one pyramid level: (N, 2) cells (row, column), scores, descriptors."""

    cells: torch.Tensor
    scores: torch.Tensor
    descriptors: torch.Tensor
    scale: float
    size: torch.Size


class KeypointPyramid:
    """Collects the keypoints of one image, coarse levels first."""

    def __init__(self, max_keypoints: int | None) -> None:
        self._count = max_keypoints
        self._levels: list[_Level] = []
        self._taken: torch.Tensor | None = None

    def add(self, dense: torch.Tensor, number: int, scale: float, size: torch.Size) -> None:
        """Take the detections of a level (C, h, w) where no coarser level has any."""
        detections = detect(dense)
        taken = torch.zeros(dense.shape[1:], dtype=torch.bool, device=dense.device)
        taken[detections.row, detections.column] = True
        if self._taken is not None:
            coarser = interpolate(self._taken[None, None].float(), taken.shape)[0, 0] > 0
            detections = detections.select(~coarser[detections.row, detections.column])
            taken |= coarser
        self._taken = taken
        steps = detections.subpixel_steps()
        cells = torch.stack([detections.row, detections.column], dim=1) + steps
        last = constant([size - 1 for size in dense.shape[1:]], cells)
        inside = ((cells.floor() >= 0) & (cells.ceil() <= last)).all(dim=1)
        keep = ((steps.abs() < 0.5).all(dim=1) & inside).nonzero()[:, 0]
        scores = detections.scores()[keep] / number
        strongest = _strongest(scores, self._count)
        cells, scores = cells[keep[strongest]], scores[strongest]
        self._levels.append(_Level(cells, scores, _describe(dense, cells), scale, size))

    def keypoints(self, size: torch.Size, origin: float) -> D2NetKeypoints:
        """Return all levels' keypoints in pixels of an image of the given (height, width)."""
        points, scales = [], []
        for level in self._levels:
            enlarged = constant([size[0] / level.size[0], size[1] / level.size[1]], level.cells)
            points.append(((STRIDE * level.cells + origin) * enlarged).flip(1))
            scales.append(torch.full_like(level.scores, 1 / level.scale))
        scores = torch.cat([level.scores for level in self._levels])
        strongest = _strongest(scores, self._count)
        return D2NetKeypoints(
            torch.cat(points)[strongest],
            scores[strongest],
            torch.cat(scales)[strongest],
            torch.cat([level.descriptors for level in self._levels])[strongest],
        )


def _strongest(scores: torch.Tensor, count: int | None) -> torch.Tensor:
    """Return the indices of the largest scores, ascending."""
    if count is None or len(scores) <= count:
        return torch.arange(len(scores), device=scores.device)
    return scores.topk(count).indices.sort().values


def _describe(dense: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """Return (N, C) unit vectors, bilinear in a dense map (C, h, w) at (N, 2) cells (row, column)."""
    by_cell = dense.permute(1, 2, 0)
    top, left = cells.floor().long().unbind(dim=1)
    bottom, right = cells.ceil().long().unbind(dim=1)
    down, across = (cells - cells.floor()).unbind(dim=1)
    corners = (
        (top, left, (1 - down) * (1 - across)),
        (top, right, (1 - down) * across),
        (bottom, left, down * (1 - across)),
        (bottom, right, down * across),
    )
    descriptors = dense.new_zeros(len(cells), dense.shape[0])
    for row, column, weight in corners:
        descriptors += by_cell[row, column] * weight[:, None]
    return normalize(descriptors, dim=1)


def _resized(images: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1:
        return images
    height, width = images.shape[2:]
    return _resized_to(images, torch.Size((math.floor(height * scale), math.floor(width * scale))))


def _resized_to(images: torch.Tensor, size: torch.Size) -> torch.Tensor:
    return interpolate(images, size=size, mode="bilinear", align_corners=True)
