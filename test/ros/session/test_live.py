# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded sequence through the real node in a process of its own."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import DrcnError
from drcn_ros.odometry import OdometryConfig, VisualOdometry
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.session.live import live_session
from drcn_ros.scenes.scenarios import CAMERA, scenario

pytestmark = pytest.mark.dds
PROFILE = Path(__file__).resolve().parents[3] / "config" / "fastdds_shm.xml"
PARAMETERS = {"matcher.name": "orb", "matcher.device": "cpu"}
SMALL = CAMERA.scaled(320, 240)


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return [Frame(stamp, image) for stamp, image in scenario("demo", 8, camera=SMALL).frames()]


def test_each_frame_is_answered_with_the_pose_of_a_direct_run(frames: list[Frame], tmp_path: Path) -> None:
    from drcn_ros.configuration import build

    told: list[None] = []
    parameters = {**PARAMETERS, "processing": "every_frame"}
    with live_session(SMALL, parameters, tmp_path / "node.log", PROFILE) as session:
        session.play_in_step(frames, lambda: told.append(None))
        run = session.run(None)
    assert len(told) == len(frames)
    assert list(run.published) == list(run.frames) == [frame.stamp_ns for frame in frames]
    assert all(latency > 0 for latency in run.latencies_ms())
    direct = VisualOdometry(build(OdometryConfig, PARAMETERS), SMALL)
    for frame, record in zip(frames, run.frames.values(), strict=True):
        result = direct.process(frame)
        assert record.status["state"] == result.state.value
        assert record.matches is not None
        assert len(record.matches) == len(result.matches)
        if result.relative_pose is None:
            assert record.relative_pose is None
        else:
            np.testing.assert_allclose(record.relative_pose, result.relative_pose.matrix(), atol=1e-9)


def test_a_camera_does_not_wait_and_every_answer_is_counted(frames: list[Frame], tmp_path: Path) -> None:
    begin = time.monotonic()
    with live_session(SMALL, PARAMETERS, tmp_path / "node.log", PROFILE) as session:
        rate = session.play_at_rate(frames, 0.5, lambda: None)
        run = session.run(rate)
    assert time.monotonic() - begin >= 7 * 0.05 / 0.5
    # Nothing slower than the stamps allow; a busy machine may be late.
    assert 0 < rate <= 10.5
    assert len(run.published) == len(frames)
    assert 1 <= len(run.latencies_ms()) <= len(frames)
    assert set(run.frames) <= set(run.published)


def test_a_node_that_refuses_its_parameters_is_one_clear_error(tmp_path: Path) -> None:
    with (
        pytest.raises(DrcnError, match=r"the node ended with code 1.*round"),
        live_session(SMALL, {"matcher.name": "round"}, tmp_path / "node.log", PROFILE),
    ):
        pass
