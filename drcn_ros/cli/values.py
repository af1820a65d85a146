# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Values of command-line options that are more than a word or a number, and the limits of numbers."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from drcn_ros.errors import ConfigurationError

_SMALLEST = 64


def known_names(text: str, option: str, known: Collection[str]) -> list[str]:
    """Return the names in a text like drcn,sift.

    Args:
        text: what was given.
        option: that it was given with.
        known: of which each must be one.

    Raises:
        ConfigurationError: a name is unknown or empty.
    """
    found = [name.strip() for name in text.split(",")]
    for name in found:
        require_known(name, option, known)
    return found


def require_known(name: str, option: str, known: Collection[str]) -> None:
    """Do nothing where a name is known.

    Raises:
        ConfigurationError: it is not.
    """
    if name not in known:
        msg = f"{option} {name or 'without a name'}: known are {', '.join(known)}"
        raise ConfigurationError(msg)


def require_at_least(smallest: int, arguments: argparse.Namespace, *options: str) -> None:
    """Do nothing where the values of options, as in `--max-keypoints`, are large enough.

    Raises:
        ConfigurationError: one is smaller than `smallest`.
    """
    for option in options:
        value = getattr(arguments, option.lstrip("-").replace("-", "_"))
        if not value >= smallest:
            msg = f"{option} {value}: must be at least {smallest}"
            raise ConfigurationError(msg)


def image_size(text: str, option: str, multiple: int = 1) -> tuple[int, int]:
    """Return width and height of a text like 640x480, pixels.

    Args:
        text: what was given.
        option: that it was given with.
        multiple: of which both must be.

    Raises:
        ConfigurationError: it is no such text, too small, or no multiple.
    """
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()) or min(int(width), int(height)) < _SMALLEST:
        msg = f"{option} {text}: give WIDTHxHEIGHT of at least {_SMALLEST}x{_SMALLEST}, such as 640x480"
        raise ConfigurationError(msg)
    if int(width) % multiple or int(height) % multiple:
        msg = f"{option} {text}: both sides must be multiples of {multiple}"
        raise ConfigurationError(msg)
    return int(width), int(height)


def image_sizes(text: str, option: str, multiple: int = 1) -> list[tuple[int, int]]:
    """Return width and height of each size in a text like 320x240,640x480; otherwise as `image_size`."""
    return [image_size(size, option, multiple) for size in text.split(",")]
