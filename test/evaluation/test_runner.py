# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import numpy as np
import pytest

from drcn_ros.configuration import build
from drcn_ros.evaluation.estimates import FrameEstimate
from drcn_ros.evaluation.runner import Step, run_direct
from drcn_ros.matching import create_matcher
from drcn_ros.odometry import OdometryConfig
from drcn_ros.sequences import Selection


def numbers(estimate: FrameEstimate) -> dict[str, object]:
    """Return all of an estimate but its times, arrays as their bytes."""
    values = {name: value for name, value in vars(estimate).items() if name != "latency_ms"}
    return {n: value.tobytes() if isinstance(value, np.ndarray) else value for n, value in values.items()}


def run(clip, matcher: str, pipeline: bool) -> list[Step]:
    config = build(OdometryConfig, {"matcher.name": matcher, "pipeline": pipeline})
    return list(run_direct(clip, Selection(), config))


@pytest.mark.parametrize("matcher", ["drcn", "sift"])
def test_overlapping_the_stages_changes_no_byte_of_the_results(clip, matcher: str) -> None:
    overlapped, plain = run(clip, matcher, True), run(clip, matcher, False)
    assert [step.frame.stamp_ns for step in overlapped] == clip.stamps_ns
    assert any(step.estimate.direction is not None for step in plain)
    for one, other in zip(overlapped, plain, strict=True):
        assert numbers(one.estimate) == numbers(other.estimate)
        assert one.matches is not None
        assert other.matches is not None
        assert one.matches.current_points.tobytes() == other.matches.current_points.tobytes()
        assert one.matches.inliers.tobytes() == other.matches.inliers.tobytes()


@pytest.mark.parametrize("pipeline", [True, False])
def test_features_are_extracted_in_a_thread_of_their_own_when_stages_overlap(clip, pipeline: bool) -> None:
    config = build(OdometryConfig, {"matcher.name": "orb", "pipeline": pipeline})
    matcher = create_matcher(config.matcher)
    extract, threads = matcher.extract, set()

    def noting(image: np.ndarray) -> object:
        threads.add(threading.current_thread())
        return extract(image)

    matcher.extract = noting
    steps = run_direct(clip, Selection(), config, matcher)
    next(steps)
    steps.close()
    assert (threading.current_thread() in threads) is not pipeline
    assert not any(thread.is_alive() for thread in threads - {threading.current_thread()})
