# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Typed, validated configuration: frozen dataclasses whose fields describe themselves.

Each layer declares one frozen dataclass with `parameter(...)` fields. From the same declaration come the
validation, the ROS parameter descriptors, `config/vo.yaml`, the README's table and `--set name=value`.
A nested dataclass becomes a dotted prefix, as in ROS parameter names: `matcher.max_keypoints`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from drcn_ros.errors import ConfigurationError

Value = bool | int | float | str
Config = TypeVar("Config")
Default = TypeVar("Default", bool, int, float, str)

_KEY = "drcn_parameter"


@dataclass(frozen=True)
class Parameter:
    """One leaf of a configuration.

    `live` tells that a running node accepts a new value, which then holds from the next frame on.
    """

    name: str
    type: type[Value]
    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def check(self, value: object) -> Value:
        """Return `value` in the declared type; an integer serves for a float, a boolean for its text.

        Raises:
            ConfigurationError: the type, the range or the choice is wrong.
        """
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.type is str and isinstance(value, bool) and str(value).lower() in self.choices:
            # YAML reads an unquoted true or false as a boolean.
            value = str(value).lower()
        if type(value) is not self.type:
            msg = f"parameter {self.name}: {value!r} is no {self.type.__name__}"
            raise ConfigurationError(msg)
        assert isinstance(value, (bool, int, float, str))
        if self.choices and value not in self.choices:
            msg = f"parameter {self.name}: {value!r} is unknown, choose one of {', '.join(self.choices)}"
            raise ConfigurationError(msg)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            if not low <= value <= high:
                msg = f"parameter {self.name}: {value} lies outside [{low:g}, {high:g}]"
                raise ConfigurationError(msg)
        return value

    def parse(self, text: str) -> Value:
        """Return the value that `text` (from a command line) stands for.

        Raises:
            ConfigurationError: the text is no such value.
        """
        if self.type is str:
            return self.check(text)
        try:
            return self.check(yaml.safe_load(text))
        except yaml.YAMLError:
            msg = f"parameter {self.name}: {text!r} is no {self.type.__name__}"
            raise ConfigurationError(msg) from None


def parameter(
    default: Default,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
) -> Default:
    """Declare one field of a configuration dataclass; the description is one sentence with its unit."""
    details = {
        "description": description,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "live": live,
    }
    field: Default = dataclasses.field(default=default, metadata={_KEY: details})
    return field


def section(config: type[Config]) -> Config:
    """Declare a nested configuration, filled with its defaults."""
    field: Config = dataclasses.field(default_factory=config)
    return field


def parameters(config: type[Any], prefix: str = "") -> Iterator[Parameter]:
    """Yield the leaves of a configuration class in the order of their declaration."""
    hints = get_type_hints(config)
    for field in dataclasses.fields(config):
        name = prefix + field.name
        if _KEY in field.metadata:
            default: Any = field.default
            yield Parameter(name=name, type=hints[field.name], default=default, **field.metadata[_KEY])
        elif dataclasses.is_dataclass(hints[field.name]):
            yield from parameters(hints[field.name], name + ".")


def build(config: type[Config], values: Mapping[str, object]) -> Config:
    """Return a configuration with `values` (dotted names) over the defaults.

    Raises:
        ConfigurationError: a name is unknown or a value is refused.
    """
    known = {entry.name: entry for entry in parameters(config)}
    for name in values:
        if name not in known:
            msg = f"parameter {name} is unknown; known are {', '.join(known)}"
            raise ConfigurationError(msg)
    return _build(config, {name: known[name].check(value) for name, value in values.items()}, "")


def _build(config: type[Config], values: Mapping[str, Value], prefix: str) -> Config:
    hints = get_type_hints(config)
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        name = prefix + field.name
        if _KEY in field.metadata:
            if name in values:
                arguments[field.name] = values[name]
        elif dataclasses.is_dataclass(hints[field.name]):
            arguments[field.name] = _build(hints[field.name], values, name + ".")
    return config(**arguments)


def flatten(config: object) -> dict[str, Value]:
    """Return every leaf of a configuration object by its dotted name."""
    values: dict[str, Value] = {}
    for entry in parameters(type(config)):
        node: Any = config
        for part in entry.name.split("."):
            node = getattr(node, part)
        values[entry.name] = node
    return values


def fixed_part(config: object) -> dict[str, Value]:
    """Return the leaves of a configuration object that do not change while a node runs."""
    fixed = {entry.name for entry in parameters(type(config)) if not entry.live}
    return {name: value for name, value in flatten(config).items() if name in fixed}


def read_parameter_file(path: Path) -> dict[str, object]:
    """Read a ROS 2 parameter file and return its leaves by dotted name.

    The parameters of all node patterns in the file are taken together, later ones win.

    Raises:
        ConfigurationError: the file is missing, no YAML, or has no `ros__parameters`.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"parameter file {path}: {error.strerror}"
        raise ConfigurationError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"parameter file {path} is no YAML: {str(error).splitlines()[0]}"
        raise ConfigurationError(msg) from None
    leaves: dict[str, object] = {}
    found = False
    for node in content.values() if isinstance(content, dict) else ():
        if isinstance(node, dict) and isinstance(node.get("ros__parameters"), dict):
            found = True
            leaves.update(_leaves(node["ros__parameters"], ""))
    if not found:
        msg = f"parameter file {path} has no 'ros__parameters'; config/vo.yaml shows the layout"
        raise ConfigurationError(msg)
    return leaves


def _leaves(tree: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
