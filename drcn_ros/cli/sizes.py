# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of images on the command line."""

from __future__ import annotations

from drcn_ros.errors import ConfigurationError

_SMALLEST = 64


def image_size(text: str, option: str, multiple: int = 1) -> tuple[int, int]:
    """Return width and height of a text like 640x480.

    Args:
        text: what was given.
        option: that it was given with.
        multiple: of which both must be.

    Raises:
        ConfigurationError: it is no such text, too small, or no multiple.
    """
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()) or min(int(width), int(height)) < _SMALLEST:
        msg = f"{option} {text}: give WIDTHxHEIGHT of at least {_SMALLEST}x{_SMALLEST}, such as 640x480"
        raise ConfigurationError(msg)
    if int(width) % multiple or int(height) % multiple:
        msg = f"{option} {text}: both sides must be multiples of {multiple}"
        raise ConfigurationError(msg)
    return int(width), int(height)
