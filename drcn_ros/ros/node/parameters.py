# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters made from the configuration's declarations, and configurations made from ROS parameters."""

from __future__ import annotations

import difflib
import math
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType
from rclpy.parameter import Parameter as RosParameter

from drcn_ros import configuration
from drcn_ros.configuration import Parameter, Value
from drcn_ros.errors import ConfigurationError
from drcn_ros.foreign.parameter_file import is_of_ros

Config = TypeVar("Config")

_TYPES = {
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
    str: ParameterType.PARAMETER_STRING,
}
_LARGEST_INTEGER = 2**63 - 1
_LIFE_CYCLE = (
    "the node is configured; run `ros2 lifecycle set` with deactivate and cleanup first, or set it at start"
)


def descriptor(entry: Parameter) -> ParameterDescriptor:
    """Return what `ros2 param describe` shows of one parameter."""
    constraints = []
    if entry.choices:
        constraints.append(f"one of {', '.join(entry.choices)}")
    if not entry.live:
        constraints.append("fixed while the node is configured")
    result = ParameterDescriptor(
        name=entry.name,
        type=_TYPES[entry.type],
        description=entry.description,
        additional_constraints="; ".join(constraints),
        # rclpy refuses an integer where a double is declared, unless the type may change.
        dynamic_typing=entry.type is float,
    )
    if entry.minimum is None and entry.maximum is None:
        return result
    if entry.type is int:
        low = -_LARGEST_INTEGER if entry.minimum is None else int(entry.minimum)
        high = _LARGEST_INTEGER if entry.maximum is None else int(entry.maximum)
        result.integer_range = [IntegerRange(from_value=low, to_value=high, step=0)]
    elif entry.type is float:
        floor = -math.inf if entry.minimum is None else float(entry.minimum)
        ceiling = math.inf if entry.maximum is None else float(entry.maximum)
        result.floating_point_range = [FloatingPointRange(from_value=floor, to_value=ceiling, step=0.0)]
    return result


class NodeParameters(Generic[Config]):
    """The parameters of one node.

    Args:
        node: whose parameters they become.
        kind: class of the configuration that declares them.
        remedy: when a parameter is fixed, and what its user can do then.

    The node must have been made with `automatically_declare_parameters_from_overrides`, so that what its
    user gave can be checked here, with the remedy in the message, before rclpy refuses it with less.

    Raises:
        ConfigurationError: a value given at start is refused.
    """

    def __init__(self, node: Any, kind: type[Config], remedy: str = _LIFE_CYCLE) -> None:
        self._kind = kind
        self._remedy = remedy
        self._entries = {entry.name: entry for entry in configuration.parameters(kind)}
        given = {name: value.value for name, value in node.get_parameters_by_prefix("").items()}
        self.unknown = tuple(self._describe_unknown(name) for name in given if not self._known(name))
        values = {name: entry.check(given.get(name, entry.default)) for name, entry in self._entries.items()}
        self._config = configuration.build(kind, values)
        for name, entry in self._entries.items():
            if node.has_parameter(name):
                node.undeclare_parameter(name)
            node.declare_parameter(name, values[name], descriptor(entry), ignore_override=True)

    @property
    def config(self) -> Config:
        """The configuration that the parameters' present values make."""
        return self._config

    def propose(self, changes: list[RosParameter], running: bool) -> Config:
        """Return the configuration that `changes` would make; those of other parts of rclpy are left out.

        Raises:
            ConfigurationError: a value is refused, or the parameter is fixed and the node is `running`.
        """
        values: dict[str, Value] = configuration.flatten(self._config)
        for change in changes:
            entry = self._entries.get(change.name)
            if entry is None:
                continue
            value = entry.check(change.value)
            if running and not entry.live and value != values[change.name]:
                msg = f"parameter {change.name} is fixed while {self._remedy}"
                raise ConfigurationError(msg)
            values[change.name] = value
        return configuration.build(self._kind, values)

    def accept(self, config: Config) -> None:
        """Take a proposed configuration as the one in force."""
        self._config = config

    def _known(self, name: str) -> bool:
        return name in self._entries or is_of_ros(name)

    def _describe_unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._entries, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"parameter {name} is unknown and has no effect{hint}"
