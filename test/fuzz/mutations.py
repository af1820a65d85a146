# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Damage: to bytes, to the words of a text, to the fields of a message."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

Random = np.random.Generator

# Numbers that programs forget.
_EDGES = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63 - 1,
    2**64 - 1,
]
_WORDS = ["nan", ".nan", "inf", "-.inf", "1e400", "-1", "0", "1e-320", "true", "null", "~", "''", "[]", "{}"]
_WORDS += [
    "[1, 2]",
    "{a: b}",
    "9" * 400,
    "9" * 5000,
    "- -",
    "&a",
    "*a",
    "!!python/none",
    "\u00e9",
    "\0",
    "\t",
    ":",
    "#",
]
_WORD = re.compile(r"[^\s:,\[\]{}]+")


def mutated(data: bytes, random: Random) -> bytes:
    """Return the content of a file, damaged as text or as bytes."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return mutated_bytes(data, random)
    return mutated_text(data, random)


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """Return bytes with one to four places damaged."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 5))):
        kind = _BYTE_KINDS[int(random.integers(len(_BYTE_KINDS)))]
        if changed:
            kind(changed, _place(changed, random), random)
    return bytes(changed)


def mutated_text(data: bytes, random: Random) -> bytes:
    """Return a text with words and lines replaced, doubled or left out, or damaged like bytes."""
    if random.random() < 0.25:
        return mutated_bytes(data, random)
    text = data.decode("utf-8", errors="replace")
    for _ in range(int(random.integers(1, 4))):
        words = list(_WORD.finditer(text))
        lines = text.splitlines(keepends=True)
        choice = random.random()
        if words and choice < 0.6:
            word = words[int(random.integers(len(words)))]
            text = text[: word.start()] + str(random.choice(_WORDS)) + text[word.end() :]
        elif lines and choice < 0.8:
            line = int(random.integers(len(lines)))
            lines[line:line] = [lines[int(random.integers(len(lines)))]] * int(random.choice([1, 2, 50]))
            text = "".join(lines)
        elif lines:
            del lines[int(random.integers(len(lines)))]
            text = "".join(lines)
    return text.encode("utf-8", errors="replace")


def mutated_fields(message: Any, random: Random) -> None:
    """Change one to four fields of a message, at any depth, to values that its types can hold."""
    for _ in range(int(random.integers(1, 5))):
        target = message
        while True:
            fields = target.get_fields_and_field_types()
            name = str(random.choice(list(fields)))
            value = getattr(target, name)
            if not hasattr(value, "get_fields_and_field_types"):
                break
            target = value
        setattr(target, name, _other(value, fields[name], random))


def _other(value: Any, kind: str, random: Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        bits = int(re.sub(r"\D", "", kind) or 8)
        low = -(2 ** (bits - 1)) if kind.startswith("int") else 0
        high = 2 ** (bits - 1) - 1 if kind.startswith("int") else 2**bits - 1
        near = value + int(random.integers(-3, 4))
        return int(min(max(random.choice([low, high, 0, 1, near, value // 2], shuffle=False), low), high))
    if isinstance(value, float):
        return float(random.choice([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300, 1e-300, value * 1.0001]))
    if isinstance(value, str):
        return str(
            random.choice(
                ["", "x" * 300, "mono8", "rgb8", "mono16", "32FC1", "bayer_rggb8", "jpeg", "\u00e9/"]
            )
        )
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed[int(random.integers(len(changed)))] = random.choice(
            [math.nan, math.inf, 0.0, -1.0, 1e300, 1e-300]
        )
        return changed
    data = bytes(value) if kind.endswith("<uint8>") else None
    if data is None:
        return [
            float(entry) for entry in random.choice([0.0, math.nan, 1e9, -0.3], int(random.integers(0, 16)))
        ]
    changed_data = type(value)("B")
    changed_data.frombytes(mutated_bytes(data, random))
    return changed_data


def _place(data: bytearray, random: Random) -> int:
    """Return a place, as often near the ends, which describe the rest, as anywhere."""
    near = min(len(data), 400)
    choice = random.random()
    if choice < 0.35:
        return int(random.integers(near))
    if choice < 0.6:
        return len(data) - 1 - int(random.integers(near))
    return int(random.integers(len(data)))


def _flip(data: bytearray, place: int, random: Random) -> None:
    data[place] ^= 1 << int(random.integers(8))


def _number(data: bytearray, place: int, random: Random) -> None:
    width = int(random.choice([1, 2, 4, 8]))
    order = "little" if random.random() < 0.7 else "big"
    number = _EDGES[int(random.integers(len(_EDGES)))] % 256**width
    data[place : place + width] = number.to_bytes(width, order)  # type: ignore[arg-type]


def _zero(data: bytearray, place: int, random: Random) -> None:
    length = int(random.choice([1, 16, 512, 4096]))
    data[place : place + length] = bytes(len(data[place : place + length]))


def _noise(data: bytearray, place: int, random: Random) -> None:
    data[place : place + 64] = random.bytes(len(data[place : place + 64]))


def _cut(data: bytearray, place: int, random: Random) -> None:
    del data[place:]


def _remove(data: bytearray, place: int, random: Random) -> None:
    del data[place : place + int(random.choice([1, 4, 100, 5000]))]


def _double(data: bytearray, place: int, random: Random) -> None:
    data[place:place] = data[place : place + int(random.choice([1, 8, 200, 5000]))]


_BYTE_KINDS: list[Callable[[bytearray, int, Random], None]] = [
    _flip, _flip, _number, _number, _zero, _noise, _cut, _remove, _double,
]  # fmt: skip
