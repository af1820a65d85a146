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
import reprlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from drcn_ros.errors import ConfigurationError
from drcn_ros.foreign.yaml_text import load_yaml

Value = bool | int | float | str
Config = TypeVar("Config")
Default = TypeVar("Default", bool, int, float, str)

_KEY = "drcn_parameter"
# Of values in errors, which may have any length.
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60


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
            # An integer may have more digits than any float.
            value = float(value) if abs(value) <= sys.float_info.max else math.inf
        if self.type is str and isinstance(value, bool) and str(value).lower() in self.choices:
            # YAML reads an unquoted true or false as a boolean.
            value = str(value).lower()
        if type(value) is not self.type:
            msg = f"parameter {self.name}: {_short.repr(value)} is no {self.type.__name__}"
            raise ConfigurationError(msg)
        assert isinstance(value, (bool, int, float, str))
        if self.choices and value not in self.choices:
            known = ", ".join(self.choices)
            msg = f"parameter {self.name}: {_short.repr(value)} is unknown, choose one of {known}"
            raise ConfigurationError(msg)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if isinstance(value, float) and math.isinf(value):
                msg = f"parameter {self.name}: {value} is no number that can be worked with"
                raise ConfigurationError(msg)
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            if not low <= value <= high:
                msg = f"parameter {self.name}: {_short.repr(value)} lies outside [{low:g}, {high:g}]"
                raise ConfigurationError(msg)
        return value

    def parse(self, text: str) -> Value:
        """Return the value that `text` (from a command line) stands for.

        Raises:
            ConfigurationError: the text is no such value.
        """
        if self.type is str:
            return self.check(text)
        return self.check(load_yaml(text, f"parameter {self.name}: {text!r}"))


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
