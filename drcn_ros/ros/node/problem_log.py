# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""When a problem that lasts is worth a line in the log: after five seconds, then every ten."""

from __future__ import annotations

from collections.abc import Mapping

PATIENCE_S = 5.0
REPEAT_S = 10.0


class ProblemLog:
    """Decides which of the present problems are worth a line in the log now."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def lasting(self, now: float) -> tuple[str, ...]:
        """Return the keys of the problems that have lasted for `PATIENCE_S` at the last call of `due`."""
        return tuple(key for key, since in self._since.items() if now - since >= PATIENCE_S)

    def due(self, problems: Mapping[str, str], now: float) -> list[str]:
        """Return the texts to log.

        Args:
            problems: all that are there now, a text by a key that stays the same while its text may change.
            now: seconds of a clock that never goes back.
        """
        self._since = {key: self._since.get(key, now) for key in problems}
        due = [key for key in self.lasting(now) if now - self._told.get(key, now - REPEAT_S) >= REPEAT_S]
        self._told.update(dict.fromkeys(due, now))
        return [problems[key] for key in due]


class Throttle:
    """Lets one line per key through in `REPEAT_S`, the first at once."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def allows(self, key: str, now: float) -> bool:
        """Whether a line about `key` is due."""
        if now - self._told.get(key, now - REPEAT_S) < REPEAT_S:
            return False
        self._told[key] = now
        return True
