# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line options that set parameters: the node's own file, single values, the matcher's name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from drcn_ros.configuration import build, parameters
from drcn_ros.errors import ConfigurationError
from drcn_ros.foreign.parameter_file import read_parameter_file
from drcn_ros.matching.config import MATCHERS
from drcn_ros.ros.config import NODE_NAME, NodeConfig


def add_parameter_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("parameters")
    group.add_argument("--matcher", choices=MATCHERS, help="short for --set matcher.name=NAME")
    group.add_argument("--params", type=Path, metavar="FILE", help="parameter file of the node")
    group.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="one parameter, over the file"
    )


def configuration(arguments: argparse.Namespace, matcher: str | None = None) -> NodeConfig:
    """Return the configuration that was asked for.

    Args:
        arguments: parsed ones.
        matcher: over all else.

    Raises:
        ConfigurationError: a name is unknown or a value is refused.
    """
    values: dict[str, object] = {}
    if arguments.params is not None:
        values.update(_of_file(arguments.params))
    values.update(settings(arguments.set, NodeConfig))
    if matcher or arguments.matcher:
        values["matcher.name"] = matcher or arguments.matcher
    return build(NodeConfig, values)


def _of_file(path: Path) -> Mapping[str, object]:
    file = read_parameter_file(path, NODE_NAME)
    if file.of_ros:
        names = ", ".join(file.of_ros)
        print(f"note: parameters of ROS itself have no effect here: {names}", file=sys.stderr)
    if file.others:
        print(f"note: {path} has parameters of other nodes too: {', '.join(file.others)}", file=sys.stderr)
    return file.values


def settings(entries: Sequence[str], kind: type) -> dict[str, object]:
    """Return the values that the option --set gave, by name.

    Args:
        entries: each NAME=VALUE.
        kind: configuration class whose parameters they are.

    Raises:
        ConfigurationError: an entry has another form, a name is unknown, or a value has another type.
    """
    known = {entry.name: entry for entry in parameters(kind)}
    values: dict[str, object] = {}
    for entry in entries:
        name, equals, text = entry.partition("=")
        if not equals:
            msg = f"--set {entry}: write NAME=VALUE, as in --set {next(iter(known))}=..."
            raise ConfigurationError(msg)
        if name not in known:
            msg = f"parameter {name} is unknown; known are {', '.join(known)}"
            raise ConfigurationError(msg)
        values[name] = known[name].parse(text)
    return values
