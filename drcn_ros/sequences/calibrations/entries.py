# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Values of a calibration file by their names; what is missing is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera

Content = Mapping[str, Any]


class MissingSizeError(ConfigurationError):
    """A file does not say for images of which size it holds."""


@dataclass(frozen=True)
class Images:
    """What is known of the images that a calibration is for.

    Attributes:
        names: by topic or folder; they choose one of several cameras.
        rectified: whether they are rectified, so that a projection matrix is theirs.
        size: returns width and height, pixels, for a file that does not say them; None where that is no help.
    """

    names: tuple[str, ...] = ()
    rectified: bool = False
    size: Callable[[], tuple[int, int]] | None = None


@dataclass(frozen=True)
class Entry:
    """One camera of a calibration file.

    Attributes:
        name: by which it is chosen.
        topic: of its images, empty where the file does not say.
        read: returns the camera; raises ConfigurationError, which names what is wrong.
    """

    name: str
    topic: str
    read: Callable[[], Camera]


def required(content: Content, name: str, within: str = "") -> Any:
    """Return a value by its name.

    Raises:
        ConfigurationError: there is none.
    """
    value = content.get(name)
    if value is None:
        msg = f"'{within}{name}' is missing"
        raise ConfigurationError(msg)
    return value


def mapping(value: Any, name: str) -> Content:
    """Return a value that holds names with values.

    Raises:
        ConfigurationError: it does not.
    """
    if not isinstance(value, Mapping):
        msg = f"{name} is {value!r:.60}; expected names with values"
        raise ConfigurationError(msg)
    return {str(key): entry for key, entry in value.items()}


def listed(value: Any, name: str, count: int = 0) -> Sequence[Any]:
    """Return a value that is a list, of `count` values if that is not 0.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(value, str) or not isinstance(value, Sequence) or (count and len(value) != count):
        msg = f"{name} is {value!r:.60}; expected a list" + (f" of {count} values" if count else "")
        raise ConfigurationError(msg)
    return value


def text(value: Any, name: str) -> str:
    """Return a value that is a word, empty where there is none.

    Raises:
        ConfigurationError: it is none.
    """
    if value is not None and not isinstance(value, str):
        msg = f"{name} is {value!r:.60}; expected a name"
        raise ConfigurationError(msg)
    return value or ""
