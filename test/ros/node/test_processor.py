# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import TwistWithCovarianceStamped
from nav_msgs.msg import Odometry

from drcn_ros.geometry.camera import Camera
from drcn_ros.matching import Matcher, MatcherConfig, create_matcher, memory
from drcn_ros.matching.types import Features, Matches
from drcn_ros.odometry import OdometryConfig, Reason, State, VisualOdometry
from drcn_ros.ros.messages.convert import header
from drcn_ros.ros.node.budget import SCALES, Budget, Measured
from drcn_ros.ros.node.processor import Processor

CAMERA = Camera(640, 480, fx=500.0, fy=500.0, cx=319.5, cy=239.5)
ORB = MatcherConfig(name="orb", max_keypoints=500)


class LimitedMatcher(Matcher[Features]):
    """ORB on a device that holds images up to a number of pixels, or that is broken."""

    name = "limited"

    def __init__(self, most_pixels: int, error: type[Exception] = MemoryError) -> None:
        self.inner = create_matcher(ORB)
        self.most_pixels = most_pixels
        self.error = error

    def extract(self, image: np.ndarray) -> Features:
        if image.size > self.most_pixels:
            raise self.error("no more")
        features: Features = self.inner.extract(image)
        return features

    def match(self, reference: Features, current: Features) -> Matches:
        return self.inner.match(reference, current)


def processor(matcher: Matcher[Any] | None = None, config: MatcherConfig = ORB) -> Processor:
    made = Processor(VisualOdometry(OdometryConfig(matcher=config), matcher=matcher))
    made.set_camera(CAMERA)
    return made


def show(processor: Processor, kit: Any, count: int, first: int = 0) -> list[Any]:
    """Return what becomes of frames that move by six pixels each."""
    frames = [kit.image(kit.texture(shift=6.0 * n), round(5e7 * n)) for n in range(first, first + count)]
    return [processor.process(frame) for frame in frames]


def test_a_frame_keeps_its_stamp_frame_and_image(kit: Any) -> None:
    first, second = show(processor(), kit, 2)
    assert second.result.stamp_ns == 50_000_000
    assert second.frame_id == "camera"
    assert second.camera == CAMERA
    assert np.array_equal(first.image, kit.texture())
    assert second.result.state is State.TRACKING


def test_the_readout_of_a_rolling_shutter_widens_the_covariances(kit: Any) -> None:
    global_shutter, rolling = processor(), processor()
    rolling.readout_s = 0.03
    plain, wide = (show(made, kit, 3)[-1].result for made in (global_shutter, rolling))
    assert np.array_equal(plain.pose, wide.pose)
    assert np.array_equal(plain.relative_pose.rotation, wide.relative_pose.rotation)
    added = wide.rotation_covariance - plain.rotation_covariance
    # 6 or 12 pixels in 50 or 100 ms: 120 pixels a second, so rows differ by 3.6 / sqrt(12) pixels.
    assert added == pytest.approx((120.0 * 0.03 / np.sqrt(12.0) / 500.0) ** 2 * np.eye(3), rel=0.1)
    assert np.trace(wide.relative_pose.covariance[3:, 3:]) > np.trace(plain.relative_pose.covariance[3:, 3:])


def test_images_of_any_size_amid_a_stream_have_a_result_each(kit: Any) -> None:
    config = MatcherConfig(device="cpu")
    made = processor(create_matcher(config), config)
    # A texture that slides is a turning camera, or one that sees a plane.
    known = (State.TRACKING, State.ROTATION_ONLY)
    assert show(made, kit, 2)[-1].result.state in known
    noise = np.random.default_rng(0)
    for number, (height, width) in enumerate(
        [(640, 480), (1, 640), (480, 1), (1, 65535), (65535, 1), (240, 320)]
    ):
        pixels = noise.integers(0, 256, (height, width), dtype=np.uint8)
        result = made.process(kit.image(pixels, round(5e7 * (2 + number)))).result
        assert result.reason is Reason.CALIBRATION_MISMATCH
        assert f"image is {width}x{height}, its calibration is for 640x480 pixels" in result.detail
    # Nothing of them is left when the camera is back.
    states = [report.result.state for report in show(made, kit, 12, first=8)]
    assert states[-1] in known


def test_a_device_without_memory_gets_smaller_images_and_results_keep_their_pixels(kit: Any) -> None:
    made = processor(LimitedMatcher(most_pixels=200 * 1000))
    first, *rest = show(made, kit, 4)
    assert (first.result.reason, first.working_scale) == (Reason.OUT_OF_MEMORY, 1.0)
    assert "going on at 0.5" in first.result.detail
    last = rest[-1]
    assert (last.result.state, last.working_scale) == (State.TRACKING, 0.5)
    assert last.result.keypoints.points.max() > 400.0
    moved = last.result.matches.reference_points - last.result.matches.current_points
    frames = round((last.result.stamp_ns - last.result.reference_stamp_ns) / 5e7)
    assert np.median(moved, axis=0) == pytest.approx([6.0 * frames, 0.0], abs=0.5)


def test_a_size_that_memory_does_not_suffice_for_is_told_before_it_is_taken(kit: Any, monkeypatch) -> None:
    config = MatcherConfig(device="cpu")
    made = processor(create_matcher(config), config)
    monkeypatch.setattr(memory, "free_memory", lambda: 60e6)
    first, *rest = show(made, kit, 3)
    assert (first.result.reason, first.working_scale) == (Reason.OUT_OF_MEMORY, 1.0)
    assert "images of 640x480 pixels take about 133 MB with drcn" in first.result.detail
    assert first.result.detail.endswith("; going on at 0.5 of the image's size")
    # A texture that slides is a turning camera.
    assert rest[-1].result.state in (State.TRACKING, State.ROTATION_ONLY)
    assert rest[-1].working_scale == 0.5


def test_a_device_that_holds_nothing_reports_each_frame_and_never_dies(kit: Any) -> None:
    reports = show(processor(LimitedMatcher(most_pixels=0)), kit, 5)
    assert [report.result.reason for report in reports] == [Reason.OUT_OF_MEMORY] * 5
    assert reports[-1].working_scale == 0.25
    assert "choose a smaller matcher" in reports[-1].result.detail


def test_an_error_of_the_program_costs_one_frame(kit: Any) -> None:
    matcher = LimitedMatcher(most_pixels=0, error=ZeroDivisionError)
    made = processor(matcher)
    (report,) = show(made, kit, 1)
    assert report.result.reason is Reason.INTERNAL_ERROR
    assert "ZeroDivisionError: no more (" in report.result.detail
    matcher.most_pixels = 10**9
    assert show(made, kit, 2, first=1)[-1].result.state is State.TRACKING


def test_a_smaller_size_does_not_make_a_wrong_calibration_fit(kit: Any) -> None:
    made = processor(LimitedMatcher(most_pixels=200 * 1000))
    show(made, kit, 1)
    made.set_camera(Camera(1280, 960, fx=1000.0, fy=1000.0, cx=640.0, cy=480.0))
    (report,) = show(made, kit, 1, first=1)
    assert report.result.reason is Reason.CALIBRATION_MISMATCH


def test_changes_hold_from_the_next_frame_on(kit: Any) -> None:
    made = processor()
    show(made, kit, 2)
    made.update(OdometryConfig(matcher=MatcherConfig(name="orb", max_keypoints=40)))
    (few,) = show(made, kit, 1, first=2)
    assert 0 < len(few.result.keypoints) <= 40
    made.reset()
    (again,) = show(made, kit, 1, first=3)
    assert again.result.state is State.INITIALIZING
    assert again.result.segment == few.result.segment + 1
    made.set_camera(None)
    (without,) = show(made, kit, 1, first=4)
    assert without.result.state is State.WAITING_FOR_CALIBRATION


class NotingOdometry(VisualOdometry):
    """Notes what it is told of the scale."""

    def __init__(self) -> None:
        super().__init__(OdometryConfig(matcher=ORB))
        self.told: list[tuple[str, int, list[float]]] = []

    def add_velocity(self, stamp_ns: int, linear: np.ndarray) -> None:
        self.told.append(("velocity", stamp_ns, linear.tolist()))

    def add_odometry(self, stamp_ns: int, position: np.ndarray) -> None:
        self.told.append(("position", stamp_ns, position.tolist()))


def test_velocities_and_odometry_reach_the_odometry_with_their_stamps() -> None:
    noting = NotingOdometry()
    twist = TwistWithCovarianceStamped(header=header(5, "base_link"))
    twist.twist.twist.linear.x = 2.0
    odometry = Odometry(header=header(7, "odom"))
    odometry.pose.pose.position.y = 3.0
    made = Processor(noting)
    made.take_scale(twist)
    made.take_scale(odometry)
    assert noting.told == [("velocity", 5, [2.0, 0.0, 0.0]), ("position", 7, [0.0, 3.0, 0.0])]


class ScriptedBudget(Budget):
    """Gives the working sizes of a list, whatever frames take."""

    def __init__(self, scales: list[float]) -> None:
        super().__init__(1000.0, Measured(640 * 480, (1.0,) * len(SCALES)))
        self.scales = scales

    def scale(self, size: tuple[int, int]) -> float:
        return self.scales.pop(0)


def test_another_working_size_goes_on_in_the_same_segment_with_pixels_of_the_image(kit: Any) -> None:
    scales = [1.0, 1.0, 0.5, 0.5, 0.64, 1.0, 1.0]
    made = Processor(VisualOdometry(OdometryConfig(matcher=ORB)), budget=ScriptedBudget(scales.copy()))
    made.set_camera(CAMERA)
    frames = show(made, kit, len(scales))
    assert [frame.working_scale for frame in frames] == scales
    assert {frame.result.state for frame in frames[1:]} == {State.TRACKING}
    assert {frame.result.segment for frame in frames} == {frames[0].result.segment}
    for index, frame in enumerate(frames[1:], start=1):
        result = frame.result
        back = (result.stamp_ns - result.reference_stamp_ns) / 5e7
        moved = (result.matches.reference_points - result.matches.current_points)[result.inliers]
        assert np.median(moved[:, 0]) == pytest.approx(6.0 * back, abs=0.5), index
    assert len(frames[3].result.keypoints) <= 250 < len(frames[-1].result.keypoints)


def test_another_working_size_while_nothing_is_tracked_starts_anew(kit: Any) -> None:
    made = Processor(VisualOdometry(OdometryConfig(matcher=ORB)), budget=ScriptedBudget([1.0, 1.0, 1.0, 0.5]))
    made.set_camera(CAMERA)
    show(made, kit, 2)
    black = kit.image(np.zeros((480, 640), np.uint8), 10**8)
    assert made.process(black).result.state is State.LOST
    (found,) = show(made, kit, 1, first=3)
    assert found.result.state is State.INITIALIZING


def test_parameters_that_change_while_running_hold_for_the_next_frame_and_keep_the_track(kit: Any) -> None:
    made = processor()
    first, *_ = show(made, kit, 2)
    made.update(OdometryConfig(matcher=MatcherConfig(name="orb", max_keypoints=100)))
    (fewer,) = show(made, kit, 1, first=2)
    assert len(first.result.keypoints) > 100 >= len(fewer.result.keypoints)
    assert fewer.result.state is State.TRACKING
    assert fewer.result.segment == first.result.segment
