# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Text tables of numbers, separated by blanks, commas, semicolons or tabs, with or without names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drcn_ros.errors import InputError
from drcn_ros.foreign.reading import read_text
from drcn_ros.sequences.trajectories.pose_columns import is_header


@dataclass(frozen=True)
class Row:
    """A line of a table: its number in the file, from 1, and its cells."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Table:
    """The lines of a table that are no comments.

    Attributes:
        header: names of the columns, or empty.
        rows: the others.
    """

    header: Sequence[str]
    rows: Sequence[Row]


def read_table(path: Path) -> Table:
    """Read a text file; a byte order mark, line ends of any system and a header behind `#` are understood.

    Raises:
        InputError: it is missing, or no text.
    """
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text file"
        msg = f"trajectory {path}: {reason}"
        raise InputError(msg) from None
    header: Sequence[str] = ()
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), start=1):
        plain = line.strip()
        if not plain:
            continue
        if not rows and not header:
            cells = _cells(plain.lstrip("#%").strip())
            if is_header(cells):
                header = cells
                continue
        if plain[0] not in "#%":
            rows.append(Row(number, _cells(plain)))
    return Table(header, rows)


def _cells(line: str) -> list[str]:
    """Return the cells of a line without their blanks and quotation marks."""
    if ";" in line:
        # Where semicolons separate, a comma may stand in a number.
        return [cell.strip().strip('"').replace(",", ".") for cell in line.rstrip(";").split(";")]
    if "," in line:
        return [cell.strip().strip('"') for cell in line.rstrip(", ").split(",")]
    if "\t" in line:
        return [cell.strip().strip('"') for cell in line.split("\t")]
    return line.split()
