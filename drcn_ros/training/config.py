# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of a training run; read from a YAML file whose sections are the classes below."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drcn_ros.configuration import build, parameter, section
from drcn_ros.errors import ConfigurationError
from drcn_ros.foreign.parameter_file import leaves
from drcn_ros.foreign.yaml_text import read_yaml_file


@dataclass(frozen=True)
class PhotographConfig:
    """Which photographs the pairs are made from."""

    folders: str = parameter("", "Folders of photographs, separated by ':', searched to any depth.")
    tile: int = parameter(512, "Larger photographs are cut into tiles of this side, pixels.", minimum=64)
    smallest: int = parameter(128, "Photographs with a shorter side are skipped, pixels.", minimum=32)
    contrast: float = parameter(
        3.0, "Tiles whose mean absolute gradient is less are skipped, grey levels a pixel.", minimum=0.0
    )
    limit: int = parameter(20000, "Most tiles kept in memory.", minimum=1)


@dataclass(frozen=True)
class PairConfig:
    """How two views of one photograph differ."""

    size: int = parameter(160, "Side of the square images, pixels, a multiple of 32.", minimum=64)
    hard: float = parameter(0.6, "Share of pairs with strong changes of view.", minimum=0.0, maximum=1.0)
    turn: float = parameter(
        35.0,
        "Largest turn about the optical axis of a strong change of view, degrees.",
        minimum=0.0,
        maximum=180.0,
    )
    scale: float = parameter(
        math.exp(0.55), "Largest scale of a strong change of view.", minimum=1.0, maximum=4.0
    )
    parallax: float = parameter(0.7, "Share of pairs with parallax.", minimum=0.0, maximum=1.0)
    rolling_shutter: float = parameter(
        0.15, "Share of pairs with a rolling shutter in one view.", minimum=0.0, maximum=1.0
    )
    rooms: float = parameter(
        0.0,
        "Share of batches made of rendered rooms with true parallax and occlusion.",
        minimum=0.0,
        maximum=1.0,
    )
    plain: float = parameter(
        0.0, "Share of the surfaces of rooms with hardly any texture.", minimum=0.0, maximum=1.0
    )
    wide: float = parameter(
        0.0,
        "Share of the strong changes of view in rooms that leave little overlap.",
        minimum=0.0,
        maximum=1.0,
    )


@dataclass(frozen=True)
class RecordingConfig:
    """A recording whose frames are photographs, and whose consecutive frames are real pairs."""

    source: str = parameter("", "Bag, folder or video; `--from-bag` sets it.")
    topic: str = parameter("", "Image topic of a bag; empty finds it.")
    frames: int = parameter(400, "Most frames used, spread evenly.", minimum=2)
    share: float = parameter(0.3, "Share of batches made of consecutive frames.", minimum=0.0, maximum=0.9)
    threshold_px: float = parameter(1.0, "Largest distance to the epipolar line, pixels.", minimum=0.1)
    least_matches: int = parameter(50, "Fewest matches of two frames that must agree.", minimum=8)


@dataclass(frozen=True)
class DegradationConfig:
    """What a camera does to the images, as shares of the images it is done to."""

    lighting: float = parameter(
        0.8, "Share in changed light; shadows and shading come less often.", minimum=0.0, maximum=1.0
    )
    exposure: float = parameter(0.2, "Share with a wrong exposure.", minimum=0.0, maximum=1.0)
    strongest_gain: float = parameter(2.5, "Largest gain of a wrong exposure.", minimum=1.0)
    blur: float = parameter(0.45, "Share blurred by focus or motion.", minimum=0.0, maximum=1.0)
    same_blur: float = parameter(
        0.5, "Share of blurred pairs with the same blur in both images.", minimum=0.0, maximum=1.0
    )
    strongest_blur: float = parameter(
        3.0, "Largest deviation of a focus blur, pixels; motion reaches five times as far.", minimum=0.3
    )
    noise: float = parameter(0.6, "Share with noise.", minimum=0.0, maximum=1.0)
    jpeg: float = parameter(0.25, "Share compressed as JPEG.", minimum=0.0, maximum=1.0)


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms of the loss and how many points they are taken at."""

    points: int = parameter(400, "Points per image of the descriptor loss.", minimum=8)
    descriptors: float = parameter(1.0, "Weight of the descriptor term.", minimum=0.0)
    repeatability: float = parameter(0.7, "Weight of the repeatability term.", minimum=0.0)
    peakiness: float = parameter(0.5, "Weight of the peakiness term.", minimum=0.0)
    position: float = parameter(0.5, "Weight of the term on sub-pixel keypoint positions.", minimum=0.0)
    position_from: int = parameter(
        0, "Step from which the term on positions counts; before, keypoints are still anywhere.", minimum=0
    )
    coarse: float = parameter(1.0, "Weight of the term on the coarse correlation.", minimum=0.0)


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with warm-up, a constant stretch and a linear end."""

    learning_rate: float = parameter(1e-3, "Learning rate of the constant stretch.", minimum=0.0)
    warm_up: int = parameter(100, "Steps in which the learning rate rises.", minimum=0)
    decay: float = parameter(
        0.4, "Share of the steps, at the end, in which it falls to zero.", minimum=0.0, maximum=1.0
    )
    weight_decay: float = parameter(1e-3, "Weight decay.", minimum=0.0)
    clip: float = parameter(5.0, "Largest norm of the gradient.", minimum=0.0)


@dataclass(frozen=True)
class CalibrationConfig:
    """Pairs, after the last step, on which scores become the probabilities that matches are right."""

    pairs: int = parameter(96, "Pairs, half of them of rooms; 0 leaves scores as they are.", minimum=0)
    size: int = parameter(320, "Side of the square images, pixels.", minimum=64)
    keypoints: int = parameter(1024, "Most keypoints per image.", minimum=8)


@dataclass(frozen=True)
class TrainingConfig:
    """A training run of the compact network."""

    output: str = parameter("training", "Folder of checkpoints, logs and the weights.")
    start: str = parameter(
        "", "Weights to start from: a weight file, 'embedded' for those in the package, empty for none."
    )
    subcell: bool = parameter(True, "The detail map knows places within a fine cell.")
    seed: int = parameter(0, "Seed of everything random.", minimum=0)
    steps: int = parameter(3000, "Steps of the run.", minimum=1)
    batch: int = parameter(8, "Pairs per step and process.", minimum=1)
    workers: int = parameter(0, "Threads that make pairs ahead; worth it beside a GPU.", minimum=0)
    device: str = parameter(
        "auto", "Where it runs; auto takes CUDA when torch finds it.", choices=("auto", "cpu", "cuda")
    )
    mixed_precision: bool = parameter(True, "Half precision where it is safe; on CUDA only.")
    bfloat16: bool = parameter(
        False, "The network, not the loss, in bfloat16 on a CPU; worth it where that has AVX-512 bf16 or AMX."
    )
    log_every: int = parameter(20, "Steps from one line of the log to the next.", minimum=1)
    checkpoint_seconds: float = parameter(180.0, "Time between checkpoints, seconds.", minimum=0.0)
    photographs: PhotographConfig = section(PhotographConfig)
    recording: RecordingConfig = section(RecordingConfig)
    pairs: PairConfig = section(PairConfig)
    degradations: DegradationConfig = section(DegradationConfig)
    loss: LossConfig = section(LossConfig)
    optimiser: OptimiserConfig = section(OptimiserConfig)
    calibration: CalibrationConfig = section(CalibrationConfig)


def read_config(path: Path, overrides: Mapping[str, object] | None = None) -> TrainingConfig:
    """Return the configuration in a YAML file, `overrides` (dotted names) over it.

    Raises:
        ConfigurationError: the file is missing or no YAML, a name is unknown or a value refused.
    """
    content = read_yaml_file(path, f"training configuration {path}")
    if content is not None and not isinstance(content, dict):
        msg = f"training configuration {path} holds no names and values; config/train.yaml shows the layout"
        raise ConfigurationError(msg)
    return make_config({**dict(leaves(content or {})), **(overrides or {})})


def make_config(values: Mapping[str, object]) -> TrainingConfig:
    """Return a configuration from dotted names.

    Raises:
        ConfigurationError: a name is unknown, a value refused, or the image size no multiple of 32.
    """
    config = build(TrainingConfig, values)
    if config.pairs.size % 32:
        msg = f"parameter pairs.size: {config.pairs.size} is no multiple of 32"
        raise ConfigurationError(msg)
    return config
