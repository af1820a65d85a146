# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

from drcn_ros import configuration
from drcn_ros.errors import ConfigurationError
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.node.parameters import NodeParameters


@pytest.fixture
def make() -> Iterator[Callable[..., tuple[Node, NodeParameters[NodeConfig]]]]:
    context = Context()
    rclpy.init(context=context)
    nodes = []

    def make(**given: Any) -> tuple[Node, NodeParameters[NodeConfig]]:
        node = Node(
            "test_parameters",
            context=context,
            parameter_overrides=[
                Parameter(name.replace("__", "."), value=value) for name, value in given.items()
            ],
            automatically_declare_parameters_from_overrides=True,
        )
        nodes.append(node)
        return node, NodeParameters(node, NodeConfig)

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_every_parameter_is_declared_with_description_type_and_range(make: Any) -> None:
    node, _ = make()
    for entry in configuration.parameters(NodeConfig):
        shown = node.describe_parameter(entry.name)
        assert shown.description == entry.description
        assert node.get_parameter(entry.name).value == entry.default
        ranges = [*shown.integer_range, *shown.floating_point_range]
        if entry.minimum is not None or entry.maximum is not None:
            assert ranges[0].from_value == entry.minimum
        for choice in entry.choices:
            assert choice in shown.additional_constraints
        assert ("fixed" in shown.additional_constraints) is not entry.live


def test_an_integer_is_taken_where_a_double_is_declared_at_start_and_later(make: Any) -> None:
    node, parameters = make(two_view__threshold_px=2)
    assert node.get_parameter("two_view.threshold_px").value == 2.0
    assert parameters.config.two_view.threshold_px == 2.0
    assert node.set_parameters([Parameter("two_view.threshold_px", value=3)])[0].successful
    proposed = parameters.propose([Parameter("two_view.threshold_px", value=3)], running=True)
    assert proposed.two_view.threshold_px == 3.0
    assert isinstance(proposed.two_view.threshold_px, float)


def test_a_bare_true_of_a_yaml_file_serves_where_true_is_a_choice(make: Any) -> None:
    assert make(rectified=True)[1].config.rectified == "true"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"matcher__name": "surf"}, "'surf' is unknown, choose one of drcn, "),
        ({"matcher__max_keypoints": 0}, "0 lies outside"),
        ({"matcher__max_keypoints": 100.5}, "100.5 is no int"),
        ({"autostart": "yes"}, "'yes' is no bool"),
        ({"odom_frame": [1, 2]}, "is no str"),
    ],
)
def test_a_refused_value_at_start_is_named(make: Any, given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        make(**given)


def test_a_misspelt_name_is_told_with_the_name_that_was_meant(make: Any) -> None:
    _, parameters = make(matcher__max_keypoint=5, use_sim_time=False)
    assert parameters.unknown == (
        "parameter matcher.max_keypoint is unknown and has no effect; did you mean matcher.max_keypoints?",
    )


def test_live_parameters_change_while_running_and_others_are_refused_with_a_reason(make: Any) -> None:
    _, parameters = make()
    live = parameters.propose([Parameter("matcher.max_keypoints", value=99)], running=True)
    assert live.matcher.max_keypoints == 99
    assert parameters.config.matcher.max_keypoints != 99
    parameters.accept(live)
    assert parameters.config.matcher.max_keypoints == 99
    with pytest.raises(ConfigurationError, match=r"matcher\.name is fixed while the node is configured"):
        parameters.propose([Parameter("matcher.name", value="orb")], running=True)
    assert parameters.propose([Parameter("matcher.name", value="orb")], running=False).matcher.name == "orb"


def test_setting_a_fixed_parameter_to_the_value_it_has_is_no_change(make: Any) -> None:
    _, parameters = make()
    assert parameters.propose([Parameter("matcher.name", value="drcn")], running=True) == NodeConfig()


def test_deleting_a_parameter_is_refused(make: Any) -> None:
    _, parameters = make()
    with pytest.raises(ConfigurationError, match="None is no float"):
        parameters.propose([Parameter("two_view.threshold_px")], running=True)
