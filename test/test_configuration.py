# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration classes: validation, dotted names, parameter files."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from drcn_ros.configuration import (
    Parameter,
    build,
    flatten,
    parameter,
    parameters,
    section,
)
from drcn_ros.errors import ConfigurationError


@dataclass(frozen=True)
class Inner:
    size: int = parameter(3, "A size.", minimum=1, maximum=9, live=True)
    kind: str = parameter("round", "A kind.", choices=("round", "square"))


@dataclass(frozen=True)
class Outer:
    rate: float = parameter(1.5, "A rate, Hz.", minimum=0.0)
    loud: bool = parameter(False, "Loudness.")
    inner: Inner = section(Inner)


def test_leaves_carry_dotted_names_and_their_descriptions() -> None:
    leaves = {leaf.name: leaf for leaf in parameters(Outer)}
    assert list(leaves) == ["rate", "loud", "inner.size", "inner.kind"]
    assert leaves["inner.size"] == Parameter("inner.size", int, 3, "A size.", 1, 9, (), True)


def test_build_puts_values_over_defaults_and_flatten_returns_them() -> None:
    config = build(Outer, {"inner.size": 7, "rate": 2})
    assert config == Outer(rate=2.0, inner=Inner(size=7))
    assert flatten(config) == {"rate": 2.0, "loud": False, "inner.size": 7, "inner.kind": "round"}
    assert isinstance(config.rate, float)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"inner.colour": 1}, ["inner.colour", "unknown", "inner.kind"]),
        ({"inner.size": 12}, ["inner.size", "12", "[1, 9]"]),
        ({"inner.kind": "oval"}, ["inner.kind", "oval", "round, square"]),
        ({"inner.size": 2.5}, ["inner.size", "2.5", "int"]),
        ({"loud": 1}, ["loud", "1", "bool"]),
        ({"rate": float("nan")}, ["rate", "nan"]),
        ({"rate": 10**400}, ["rate", "inf is no number"]),
        ({"inner.size": 10**400}, ["inner.size", "lies outside [1, 9]"]),
        ({"rate": "fast"}, ["rate", "'fast'", "float"]),
    ],
)
def test_a_refused_value_is_named_with_what_is_allowed(values: dict[str, object], words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(Outer, values)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("rate", "3", 3.0), ("loud", "true", True), ("inner.size", "4", 4), ("inner.kind", "square", "square")],
)
def test_text_of_a_command_line_becomes_a_value(name: str, text: str, value: object) -> None:
    leaf = next(leaf for leaf in parameters(Outer) if leaf.name == name)
    assert leaf.parse(text) == value


@pytest.mark.parametrize("text", ["many", "[1, 2]", "{", ""])
def test_text_that_is_no_number_is_refused(text: str) -> None:
    leaf = next(leaf for leaf in parameters(Outer) if leaf.name == "inner.size")
    with pytest.raises(ConfigurationError, match=r"inner\.size"):
        leaf.parse(text)
