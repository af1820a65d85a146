# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 parameter files, read without ROS: the sections that name a node, its parameters by dotted name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drcn_ros.errors import ConfigurationError
from drcn_ros.foreign.yaml_text import read_yaml_file

_PARAMETERS = "ros__parameters"
# Patterns that stand for any node (rcl_yaml_param_parser).
_ANY = ("*", "**")
# Parameters of rclpy itself.
_OF_ROS = ("use_sim_time", "start_type_description_service")
_OF_ROS_PREFIXES = ("qos_overrides.",)


@dataclass(frozen=True)
class ParameterFile:
    """What a parameter file holds for one node.

    Attributes:
        values: by dotted name.
        of_ros: names of ROS's own parameters, which are not among the values.
        others: sections that name other nodes.
    """

    values: Mapping[str, object]
    of_ros: tuple[str, ...]
    others: tuple[str, ...]


def is_of_ros(name: str) -> bool:
    """Whether a parameter is one of rclpy itself."""
    return name in _OF_ROS or name.startswith(_OF_ROS_PREFIXES)


def read_parameter_file(path: Path, node: str) -> ParameterFile:
    """Read the sections of a ROS 2 parameter file that name a node, in any namespace; later ones win.

    Args:
        path: of the file.
        node: its name, without a namespace.

    Raises:
        ConfigurationError: the file is missing, no YAML, or has no parameters for the node.
    """
    sections = list(_sections(read_yaml_file(path, f"parameter file {path}"), ""))
    if not sections:
        msg = f"parameter file {path} has no '{_PARAMETERS}'; config/vo.yaml shows the layout"
        raise ConfigurationError(msg)
    others = tuple(name for name, _ in sections if not _names(name, node))
    if len(others) == len(sections):
        msg = f"parameter file {path} has parameters for {', '.join(others)}, none for {node}; "
        msg += f"name a section {node} or /**"
        raise ConfigurationError(msg)
    found: dict[str, object] = {}
    for name, content in sections:
        if _names(name, node):
            found.update(leaves(content))
    values = {name: value for name, value in found.items() if not is_of_ros(name)}
    return ParameterFile(values, tuple(name for name in found if is_of_ros(name)), others)


def leaves(tree: Mapping[Any, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values in nested names and values by their dotted names."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _sections(tree: object, name: str) -> Iterator[tuple[str, Mapping[Any, object]]]:
    """Yield the parameters of each node pattern by its name; namespaces may hold nodes."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if key == _PARAMETERS and isinstance(value, dict):
            yield name, value
        elif isinstance(value, dict):
            yield from _sections(value, f"{name}/{str(key).strip('/')}")


def _names(pattern: str, node: str) -> bool:
    return pattern.rpartition("/")[2] in (node, *_ANY)
