# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Feeds every frame of a sequence through the odometry, in order, without a ROS graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from drcn_ros.evaluation.estimates import Correspondences, FrameEstimate, correspondences_of, estimate_of
from drcn_ros.matching.base import Matcher
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.preparation import PreparedFrame
from drcn_ros.odometry.types import Frame
from drcn_ros.sequences import ImageSequence, Selection
from drcn_ros.sequences.prefetch import prefetched


@dataclass(frozen=True)
class Step:
    """One frame and what came of it.

    Attributes:
        matches: None where they are not known.
    """

    frame: Frame
    estimate: FrameEstimate
    matches: Correspondences | None


def run_direct(
    sequence: ImageSequence,
    selection: Selection,
    config: OdometryConfig,
    matcher: Matcher[Any] | None = None,
) -> Iterator[Step]:
    """Yield every selected frame with its result; frames are decoded ahead in a thread.

    With `config.pipeline` features are extracted in another, while the frame before is placed.

    Args:
        sequence: the input; without a calibration every frame waits for one.
        selection: which frames.
        config: of the odometry, the same as the node's.
        matcher: made from the configuration when None.
    """
    from drcn_ros.odometry.threads import use_threads
    from drcn_ros.odometry.visual_odometry import VisualOdometry

    odometry = VisualOdometry(config, sequence.camera, matcher)
    use_threads(config.threads)

    def prepared(frames: Iterator[Frame]) -> Iterator[tuple[Frame, PreparedFrame]]:
        for frame in frames:
            yield frame, odometry.prepare(frame)

    with ExitStack() as stack:
        decoded = stack.enter_context(prefetched(sequence.frames(selection)))
        ready = prepared(decoded)
        if config.pipeline:
            ready = stack.enter_context(prefetched(ready, size=1))
        for frame, features in ready:
            result = odometry.place(features)
            yield Step(frame, estimate_of(result), correspondences_of(result))
