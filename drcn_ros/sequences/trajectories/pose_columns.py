# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which column of a table of poses is what, by the names in its header or by their number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# What a column is, in the order of the TUM format.
STAMP, PLACE, TURN = "stamp", ("x", "y", "z"), ("qx", "qy", "qz", "qw")
# Nanoseconds in a column of their own, beside the seconds.
SPLIT = "nanoseconds"
# Words that say what a column is about. One that is about anything else is left alone.
_STAMP_WORDS = {"time", "timestamp", "stamp", "t", "ts", "sec", "secs", "seconds", "unixtime", "epoch"}
_NANO_WORDS = {"nsec", "nsecs", "nanosec", "nanosecs", "nanoseconds"}
_PLACE_WORDS = {"p", "pos", "position", "t", "trans", "translation", "point", "location", "xyz"}
_TURN_WORDS = {"q", "quat", "quaternion", "orientation", "rot", "rotation"}
_NEUTRAL_WORDS = {"header", "pose", "field", "r", "rs", "wc", "ws", "world", "camera", "cam", "gt", "true"}
_UNITS = {"s": "s", "sec": "s", "ms": "ms", "us": "us", "ns": "ns", "nsec": "ns", "usec": "us", "msec": "ms"}


@dataclass(frozen=True)
class Columns:
    """Where a table keeps what.

    Attributes:
        places: number of the column of each name that there is.
        unit: of the stamps, "s", "ms", "us" or "ns", or empty where the header does not say it.
    """

    places: Mapping[str, int]
    unit: str = ""
    names: Sequence[str] = field(default=())

    @property
    def usable(self) -> bool:
        """Whether there is a time and a place."""
        return STAMP in self.places and all(name in self.places for name in PLACE)

    @property
    def oriented(self) -> bool:
        """Whether there is a quaternion."""
        return all(name in self.places for name in TURN)


# Layouts without a header by their number of columns: positions alone, TUM, TUM behind a running number.
BARE = {
    4: Columns({name: place for place, name in enumerate((STAMP, *PLACE))}),
    8: Columns({name: place for place, name in enumerate((STAMP, *PLACE, *TURN))}),
    9: Columns({name: place + 1 for place, name in enumerate((STAMP, *PLACE, *TURN))}),
}


def columns_of(header: Sequence[str]) -> Columns:
    """Return what the names in a header say; of several columns that mean the same the first one counts."""
    places: dict[str, int] = {}
    unit = ""
    for place, name in enumerate(header):
        meaning, found = _meaning(name)
        if meaning and meaning not in places:
            places[meaning] = place
            unit = found if meaning == STAMP else unit
    return Columns(places, unit, tuple(header))


def is_header(cells: Sequence[str]) -> bool:
    """Return whether the cells of a line are names of columns of poses."""
    return len(cells) >= 4 and columns_of(cells).usable


def _meaning(name: str) -> tuple[str, str]:
    """Return what a column is, empty where it is nothing that is needed, and the unit in its name."""
    text = name.strip().strip("#\"'").strip().lower()
    bracket = re.search(r"[\[(]\s*(\w*)\s*[\])]", text)
    unit = _UNITS.get(bracket.group(1), "") if bracket else ""
    words = [word for word in re.split(r"[^a-z0-9]+", re.sub(r"[\[(].*?[\])]", "", text)) if word]
    if not words:
        return "", ""
    if len(words) > 1 and words[-1] in _UNITS and words[-2] in _STAMP_WORDS and words[-1] not in ("sec",):
        unit, words = _UNITS[words[-1]], words[:-1]
    others = set(words[:-1]) - _NEUTRAL_WORDS
    last = words[-1]
    if last in _NANO_WORDS and others <= _STAMP_WORDS:
        return SPLIT, ""
    if last in _STAMP_WORDS and others <= _STAMP_WORDS:
        return STAMP, unit
    split = re.fullmatch(r"(|[a-z]+?)_?([xyzw])", last)
    if not split:
        return "", ""
    kind, axis = split.groups()
    about = others | ({kind} if kind else set())
    if about and about <= _TURN_WORDS:
        return f"q{axis}", ""
    if axis != "w" and about <= _PLACE_WORDS:
        return axis, ""
    return "", ""
