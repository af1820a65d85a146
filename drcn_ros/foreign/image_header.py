# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Width and height of an image file from its header, before anything is unpacked.

Sections named are those of the formats' own documents.
"""

from __future__ import annotations

import re
import struct

PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8"

# Markers of a JPEG that begin a frame, and those that stand alone (ITU-T T.81, table B.1).
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}
# Width and height in a TIFF's first directory (TIFF 6.0, section 8), and the bytes of short and long.
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_NUMBERS = {3: "H", 4: "I"}
# Length and kind of a part of a PNG, which its content and a checksum of four bytes follow.
_PNG_CHUNK = struct.Struct(">I4s")
_PNM = re.compile(rb"P[1-6](?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)")
_PNM_HEAD_BYTES = 4096


def image_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height, pixels, or None where the bytes are of no format that is known here."""
    try:
        if data.startswith(PNG_START):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(JPEG_START):
            return _jpeg(data)
        if data.startswith(b"BM"):
            return _bitmap(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _tiff(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except struct.error:
        return None
    match = _PNM.match(data[:_PNM_HEAD_BYTES])
    return (int(match[1]), int(match[2])) if match else None


def has_whole_chunks(data: bytes) -> bool:
    """Return whether the parts of a PNG are as long as they say; of others nothing is known and all is well.

    OpenCV makes room for as much as a part says of itself, up to 4 GB, before it looks for it.
    """
    if not data.startswith(PNG_START):
        return True
    place = len(PNG_START)
    while place + _PNG_CHUNK.size <= len(data):
        length, kind = _PNG_CHUNK.unpack_from(data, place)
        place += _PNG_CHUNK.size + length + 4
        if kind == b"IEND":
            break
    return place <= len(data)


def _jpeg(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _ALONE:
            place += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        else:
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    return None


def _bitmap(data: bytes) -> tuple[int, int]:
    (header,) = struct.unpack_from("<I", data, 14)
    # The first version has 16 bits for each side; a negative height means rows from the top.
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    return abs(width), abs(height)


def _tiff(data: bytes) -> tuple[int, int] | None:
    order = "<" if data[:2] == b"II" else ">"
    (place,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, place)
    sides = {}
    for number in range(count):
        tag, kind = struct.unpack_from(order + "HH", data, place + 2 + 12 * number)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT) and kind in _TIFF_NUMBERS:
            sides[tag] = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, place + 10 + 12 * number)[0]
    return (sides[_TIFF_WIDTH], sides[_TIFF_HEIGHT]) if len(sides) == 2 else None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[place : place + 3], "little") + 1 for place in (24, 27))
        return width, height
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
