# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes `config/vo.yaml` from the declarations: `python -m drcn_ros.ros.parameter_file config/vo.yaml`."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import yaml

from drcn_ros import configuration
from drcn_ros.configuration import Parameter
from drcn_ros.ros.config import NodeConfig

_WIDTH = 100
_HEAD = """\
# Parameters of vo_node, each with its default value.
# Written by `python -m drcn_ros.ros.parameter_file`; change the declarations, not this copy in the package.
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
    """Return the text of the parameter file with all defaults."""
    lines = [_HEAD]
    section: list[str] = []
    # Plain parameters first, so that the sections that follow are not interrupted.
    for entry in sorted(configuration.parameters(NodeConfig), key=lambda entry: "." in entry.name):
        *path, leaf = entry.name.split(".")
        common = 0
        while common < min(len(path), len(section)) and path[common] == section[common]:
            common += 1
        for depth in range(common, len(path)):
            lines.append(f"\n{_indent(depth)}{path[depth]}:\n")
        section = path
        lines.append(_comment(entry, _indent(len(path))))
        lines.append(f"{_indent(len(path))}{leaf}: {_scalar(entry.default)}\n")
    return "".join(lines) + _TAIL


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file that the only argument names, or print it."""
    parser = argparse.ArgumentParser(description="Write all parameters of vo_node with their default values.")
    parser.add_argument("file", nargs="?", type=Path, help="where to; without it they are printed")
    file: Path | None = parser.parse_args(arguments).file
    if file is None:
        sys.stdout.write(parameter_file())
    else:
        file.write_text(parameter_file(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
