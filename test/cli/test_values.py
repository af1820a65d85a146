# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from argparse import Namespace

import pytest

from drcn_ros.cli.values import image_size, image_sizes, known_names, require_at_least
from drcn_ros.errors import ConfigurationError

KNOWN = ("drcn", "sift")


def test_names_are_taken_apart() -> None:
    assert known_names("sift, drcn", "--matchers", KNOWN) == ["sift", "drcn"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("drcn,surf", "--matchers surf: known are drcn, sift"), ("drcn,", "--matchers without a name: known")],
)
def test_an_unknown_name_is_told_with_those_that_are_known(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        known_names(text, "--matchers", KNOWN)


def test_a_number_has_a_smallest_value() -> None:
    arguments = Namespace(frames=2, max_keypoints=1, rate=float("nan"))
    require_at_least(1, arguments, "--frames", "--max-keypoints")
    with pytest.raises(ConfigurationError, match="--max-keypoints 1: must be at least 2"):
        require_at_least(2, arguments, "--frames", "--max-keypoints")
    with pytest.raises(ConfigurationError, match="--rate nan"):
        require_at_least(0, arguments, "--rate")


@pytest.mark.parametrize("text", ["640", "640x", "63x480", "9x9", "ax64", "640x²", "-640x480"])
def test_a_size_must_be_one(text: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(f"--size {text}: give WIDTHxHEIGHT")):
        image_size(text, "--size")


def test_sizes_may_have_to_be_multiples() -> None:
    assert image_sizes("320x240,640x480", "--sizes", 16) == [(320, 240), (640, 480)]
    with pytest.raises(ConfigurationError, match="multiples of 16"):
        image_sizes("320x240,330x240", "--sizes", 16)
