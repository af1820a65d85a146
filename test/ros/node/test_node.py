# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Life cycle, parameters and services of one running node, over DDS; the tests run in their order."""

from __future__ import annotations

import importlib.util
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_srvs.srv import SetBool, Trigger

from drcn_ros.ros.session.recorder import cloud_rows

pytestmark = pytest.mark.dds


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Any]:
    setup = kit.Setup(tmp_path_factory.mktemp("node"), autostart=False)
    setup.listener.listen("/diagnostics", DiagnosticArray)
    yield setup
    assert setup.close() == 0
    assert "Traceback" not in setup.log.read_text()


def state(setup: Any) -> int:
    return int(setup.listener.call(GetState, "/vo_node/get_state", GetState.Request()).current_state.id)


def change(setup: Any, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return bool(setup.listener.call(ChangeState, "/vo_node/change_state", request).success)


def set_parameter(setup: Any, name: str, value: Any) -> tuple[bool, str]:
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    result = setup.listener.call(SetParameters, "/vo_node/set_parameters", request).results[0]
    return result.successful, result.reason


def tracks(setup: Any, kit: Any) -> bool:
    setup.camera.publish("/camera_info", kit.camera_info())
    frames = [kit.image(kit.texture(shift=6.0 * n), setup.next_stamp()) for n in range(10)]
    return any(kit.values(setup.show(frame))["state"] == "TRACKING" for frame in frames)


def test_without_autostart_the_node_waits_to_be_configured(setup: Any, kit: Any) -> None:
    assert state(setup) == State.PRIMARY_STATE_UNCONFIGURED
    text = kit.wait_until(lambda: setup.listener.messages("/diagnostics"))[-1].status[0].message
    assert text == "not configured"


class Malicious:
    """What a weight file must never be: an order to the interpreter that reads it."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


def test_an_unusable_weight_file_is_named_and_the_node_stays_up(setup: Any, tmp_path: Path) -> None:
    import drcn_ros

    assert set_parameter(setup, "matcher.name", "drcn")[0]
    embedded = sorted((Path(drcn_ros.__file__).parent / "networks" / "embedded").glob("*.safetensors"))[0]
    truncated, other, trap = (tmp_path / name for name in ("cut.safetensors", "other.pth", "trap.pth"))
    truncated.write_bytes(embedded.read_bytes()[:5000])
    import torch

    torch.save({"layer.weight": torch.zeros(3)}, other)
    marker = tmp_path / "executed"
    trap.write_bytes(pickle.dumps(Malicious(marker)))
    for file in (tmp_path / "missing.safetensors", truncated, other, trap):
        assert set_parameter(setup, "matcher.weights", str(file))[0]
        assert not change(setup, Transition.TRANSITION_CONFIGURE)
        assert file.name in setup.wait_for_log(f"{file.name}")
        assert state(setup) == State.PRIMARY_STATE_UNCONFIGURED
    assert not marker.exists()
    assert set_parameter(setup, "matcher.weights", "")[0]


def test_configured_and_activated_it_tracks(setup: Any, kit: Any) -> None:
    assert set_parameter(setup, "matcher.name", "orb")[0]
    assert change(setup, Transition.TRANSITION_CONFIGURE)
    assert state(setup) == State.PRIMARY_STATE_INACTIVE
    assert change(setup, Transition.TRANSITION_ACTIVATE)
    setup.camera.advertise("/camera_info", CameraInfo)
    setup.camera.advertise("/image", Image)
    assert tracks(setup, kit)


def test_live_parameters_hold_from_the_next_frame_on(setup: Any, kit: Any) -> None:
    assert set_parameter(setup, "matcher.max_keypoints", 50) == (True, "")
    values = kit.values(setup.show(kit.image(kit.texture(), setup.next_stamp())))
    assert 0 < int(values["keypoints"]) <= 50
    assert set_parameter(setup, "matcher.max_keypoints", 1000)[0]
    assert tracks(setup, kit)


def test_an_integer_is_taken_for_a_double(setup: Any) -> None:
    assert set_parameter(setup, "two_view.threshold_px", 2) == (True, "")


def test_descriptors_are_appended_on_demand(setup: Any, kit: Any) -> None:
    assert set_parameter(setup, "publish_descriptors", True)[0]
    setup.listener.listen("/vo_node/keypoints", PointCloud2)
    setup.show(kit.image(kit.texture(), setup.next_stamp()))
    rows = cloud_rows(setup.listener.wait_for("/vo_node/keypoints"))
    assert rows["descriptor"].shape[1] >= 32
    assert set_parameter(setup, "publish_descriptors", False)[0]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("matcher.name", "sift", "matcher.name is fixed while the node is configured"),
        ("matcher.max_keypoints", 1, "out of range"),
        ("two_view.threshold_px", -1, "-1.0 lies outside [0.05, 50]"),
        ("two_view.estimator", "guess", "'guess' is unknown, choose one of poselib, magsac"),
        ("publish_tf", True, "needs the Python package tf2_ros, which is not installed"),
    ],
)
def test_a_refused_parameter_is_refused_with_a_reason(setup: Any, name: str, value: Any, reason: str) -> None:
    if name == "publish_tf" and importlib.util.find_spec("tf2_ros"):
        pytest.skip("tf2_ros is installed")
    successful, text = set_parameter(setup, name, value)
    assert not successful
    assert reason in text


def test_reset_starts_a_new_segment(setup: Any, kit: Any) -> None:
    before = int(kit.values(setup.show(kit.image(kit.texture(), setup.next_stamp())))["segment"])
    answer = setup.listener.call(Trigger, "/vo_node/reset", Trigger.Request())
    assert answer.success
    values = kit.values(setup.show(kit.image(kit.texture(), setup.next_stamp())))
    assert (int(values["segment"]), values["state"]) == (before + 1, "INITIALIZING")


def test_disabled_it_unsubscribes_and_enabled_it_tracks_again(setup: Any, kit: Any) -> None:
    for _ in range(2):
        answer = setup.listener.call(SetBool, "/vo_node/enable", SetBool.Request(data=False))
        assert answer.success
        kit.wait_until(lambda: setup.camera.order("matched", "/image") == 0)
        answer = setup.listener.call(SetBool, "/vo_node/enable", SetBool.Request(data=True))
        assert answer.success
        kit.wait_until(lambda: setup.camera.order("matched", "/image") == 1)
        kit.wait_until(lambda: setup.camera.order("matched", "/camera_info") == 1)
        assert tracks(setup, kit)


def test_deactivated_and_activated_again_it_tracks(setup: Any, kit: Any) -> None:
    for _ in range(2):
        assert change(setup, Transition.TRANSITION_DEACTIVATE)
        kit.wait_until(lambda: setup.camera.order("matched", "/image") == 0)
        answer = setup.listener.call(SetBool, "/vo_node/enable", SetBool.Request(data=True))
        assert (answer.success, "activate" in answer.message) == (False, True)
        assert change(setup, Transition.TRANSITION_ACTIVATE)
        kit.wait_until(lambda: setup.camera.order("matched", "/image") == 1)
        kit.wait_until(lambda: setup.camera.order("matched", "/camera_info") == 1)
        assert tracks(setup, kit)


def test_cleaned_up_it_can_be_configured_with_another_matcher(setup: Any, kit: Any) -> None:
    assert change(setup, Transition.TRANSITION_DEACTIVATE)
    assert change(setup, Transition.TRANSITION_CLEANUP)
    answer = setup.listener.call(Trigger, "/vo_node/reset", Trigger.Request())
    assert not answer.success
    assert set_parameter(setup, "matcher.name", "sift")[0]
    assert change(setup, Transition.TRANSITION_CONFIGURE)
    assert change(setup, Transition.TRANSITION_ACTIVATE)
    kit.wait_until(lambda: setup.camera.order("matched", "/image") == 1)
    kit.wait_until(lambda: setup.camera.order("matched", "/camera_info") == 1)
    kit.wait_until(lambda: setup.listener.node.count_publishers("/vo_node/status") == 1)
    assert tracks(setup, kit)


def test_every_frame_is_accounted_for_over_all_periods(setup: Any, kit: Any) -> None:
    sent = len(setup.listener.messages("/vo_node/status"))

    def settled() -> dict[str, str] | None:
        values = kit.values(setup.listener.messages("/diagnostics")[-1].status[0])
        return values if int(values["processed"]) >= sent and values["waiting"] == "0" else None

    values = kit.wait_until(settled, "frames are missing in the diagnostics")
    assert int(values["received"]) == int(values["processed"]) + int(values["dropped"])


def test_every_frame_and_the_diagnostics_tell_device_and_precision(setup: Any, kit: Any) -> None:
    statuses = [kit.values(status) for status in setup.listener.messages("/vo_node/status")]
    # One period ran OpenCV's matcher, which has no network whose precision could be told.
    assert {(values["device"], values["precision"]) for values in statuses} == {("cpu", "none")}
    diagnostics = setup.listener.messages("/diagnostics")[-1].status[0]
    assert diagnostics.hardware_id == kit.values(diagnostics)["device"] == "cpu"
    assert kit.values(diagnostics)["precision"] == "none"


def test_shut_down_it_stays_reachable_until_its_process_ends(setup: Any) -> None:
    assert change(setup, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert state(setup) == State.PRIMARY_STATE_FINALIZED
