# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes `config/vo.yaml` from the declarations: `python -m drcn_ros.ros.parameter_file config/vo.yaml`."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from drcn_ros import configuration
from drcn_ros.configuration import Parameter
from drcn_ros.ros.config import NODE_NAME, NodeConfig

_WIDTH = 100
_HEAD = """\
# Parameters of {node}, each with its default value.
# Written by `python -m {module}`; change the declarations, not this copy in the package.
# A parameter marked (live) can be changed while the node runs and holds from the next frame on.
/**:
    ros__parameters:
"""
_TAIL = """
        # Quality of service of the inputs: best effort, keep last, depth 1. The standard overrides change it;
        # the names contain the topics as they are after remapping.
        # qos_overrides:
        #     /image:
        #         subscription:
        #             reliability: reliable
        #             depth: 5
"""


def parameter_file() -> str:
    """Return the text of the parameter file of `vo_node` with all defaults."""
    return file_of(NodeConfig, NODE_NAME, "drcn_ros.ros.parameter_file") + _TAIL


def file_of(kind: type[Any], node: str, module: str) -> str:
    """Return the text of a node's parameter file.

    Args:
        kind: its configuration.
        node: its name.
        module: which writes the file.
    """
    lines = [_HEAD.format(node=node, module=module)]
    section: list[str] = []
    # Plain parameters first, so that the sections that follow are not interrupted.
    for entry in sorted(configuration.parameters(kind), key=lambda entry: "." in entry.name):
        *path, leaf = entry.name.split(".")
        common = 0
        while common < min(len(path), len(section)) and path[common] == section[common]:
            common += 1
        for depth in range(common, len(path)):
            lines.append(f"\n{_indent(depth)}{path[depth]}:\n")
        section = path
        lines.append(_comment(entry, _indent(len(path))))
        lines.append(f"{_indent(len(path))}{leaf}: {_scalar(entry.default)}\n")
    return "".join(lines)


def _indent(depth: int) -> str:
    return " " * (8 + 4 * depth)


def _comment(entry: Parameter, indent: str) -> str:
    text = entry.description
    if entry.choices:
        text += f" One of: {', '.join(entry.choices)}."
    if entry.minimum is not None and entry.maximum is not None:
        text += f" From {entry.minimum:.10g} to {entry.maximum:.10g}."
    elif entry.minimum is not None:
        text += f" At least {entry.minimum:.10g}."
    elif entry.maximum is not None:
        text += f" At most {entry.maximum:.10g}."
    if entry.live:
        text += " (live)"
    wrapped = textwrap.wrap(text, _WIDTH - len(indent) - 2)
    return "\n" + "".join(f"{indent}# {line}\n" for line in wrapped)


def _scalar(value: configuration.Value) -> str:
    if isinstance(value, str):
        # Always quoted: a bare true, off or null would not stay a text.
        return f'"{value}"'
    return yaml.safe_dump(value).splitlines()[0]


def write(text: str, node: str, arguments: Sequence[str] | None) -> int:
    """Write a node's file to where the only argument says, or print it."""
    parser = argparse.ArgumentParser(description=f"Write all parameters of {node} with their default values.")
    parser.add_argument("file", nargs="?", type=Path, help="where to; without it they are printed")
    file: Path | None = parser.parse_args(arguments).file
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file of `vo_node`."""
    return write(parameter_file(), NODE_NAME, arguments)


if __name__ == "__main__":
    sys.exit(main())
