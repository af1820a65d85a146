# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""YAML as ROS 2 reads it: plain values, no key twice, no aliases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from drcn_ros.errors import ConfigurationError, DrcnError
from drcn_ros.foreign.guard import first_line
from drcn_ros.foreign.reading import read_text


class StrictLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses what can only be a mistake or an attack: keys twice, of which the last would win, and aliases.

    An alias can lead to itself, or blow a few lines up to any size; ROS 2 reads none either.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            msg = f"the alias *{event.anchor} is not read; write its value"
            raise yaml.composer.ComposerError(None, None, msg, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return the names and values of a node."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name!r} is there twice", key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def load_yaml(text: str, what: str, kind: type[DrcnError] = ConfigurationError) -> Any:
    """Return what YAML stands for.

    Args:
        text: to read.
        what: it is, as in "parameter file vo.yaml".
        kind: of the error.

    Raises:
        DrcnError: of that kind; the text is no YAML, or holds a value that is none.
    """
    try:
        return yaml.load(text, StrictLoader)
    except Exception as error:
        msg = f"{what} is no YAML: {yaml_problem(error)}"
        raise kind(msg) from None


def yaml_problem(error: Exception) -> str:
    """Return what a YAML reader met, in one line, with the line's number where it is known."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem} (line {error.problem_mark.line + 1})"
    return first_line(error)


def read_yaml_file(path: Path, what: str) -> Any:
    """Return what a YAML file stands for.

    Raises:
        ConfigurationError: it is missing, or no YAML.
    """
    try:
        text = read_text(path)
    except OSError as error:
        msg = f"{what}: {error.strerror}"
        raise ConfigurationError(msg) from None
    except UnicodeDecodeError:
        msg = f"{what} is no YAML: it is no text"
        raise ConfigurationError(msg) from None
    return load_yaml(text, what)
