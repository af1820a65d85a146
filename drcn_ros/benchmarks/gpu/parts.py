# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a run, what they are told, and the rows that they give."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

Cell = str | float | int | bool | None

FAILURES = "failures"


@dataclass(frozen=True)
class Part:
    """One part of a run.

    Attributes:
        name: in one word.
        title: what it measures.
        rows: module:function that takes `Settings` and yields `Row`s.
        seconds: after which it is ended.
    """

    name: str
    title: str
    rows: str
    seconds: float


@dataclass(frozen=True)
class Settings:
    """What every part is told.

    Attributes:
        device: cpu or cuda.
        out: folder of the results.
        scratch: folder of frames and weights, gone after the run.
        small: small images, few frames: to find on a CPU whether all parts run.
    """

    device: str
    out: Path
    scratch: Path
    small: bool

    def to_text(self) -> str:
        """Return it as JSON, for a process of its own."""
        return json.dumps({name: str(v) if isinstance(v, Path) else v for name, v in asdict(self).items()})

    @classmethod
    def of_text(cls, text: str) -> Settings:
        """Return what `to_text` gave."""
        values = json.loads(text)
        return cls(values["device"], Path(values["out"]), Path(values["scratch"]), values["small"])


@dataclass(frozen=True)
class Row:
    """A row of one of a part's tables."""

    table: str
    values: Mapping[str, Cell]


def attempt(case: Mapping[str, Cell], run: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """Yield the rows of a case; one that fails gives a row that says why, and its traceback to the log."""
    try:
        yield from run()
    except Exception as error:  # whatever it is, the other cases go on
        traceback.print_exc()
        reason = (str(error).strip().splitlines() or [""])[0]
        yield Row(FAILURES, {**case, "error": f"{type(error).__name__}: {reason}"})
