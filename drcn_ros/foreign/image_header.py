# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Width, height and orientation of an image file from its header, before anything is unpacked.

Sections named are those of the formats' own documents.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8"

# Markers of a JPEG that begin a frame, and those that stand alone (ITU-T T.81, table B.1).
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD9)}
_EXIF_SEGMENT, _EXIF_START = 0xE1, b"Exif\0\0"
# Tags of a TIFF's first directory (TIFF 6.0, section 8), and the bytes of short and long.
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_ORIENTATION = 256, 257, 274
_TIFF_NUMBERS = {3: "H", 4: "I"}
# Length and kind of a part of a PNG, which its content and a checksum of four bytes follow.
_PNG_CHUNK = struct.Struct(">I4s")
_WEBP_START, _WEBP_CHUNK = 12, struct.Struct("<4sI")
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


def orientation(data: bytes) -> int:
    """Return how an image is to be turned, as its file says: 1 to 8 (EXIF 2.3, tag 274), 1 for not at all.

    Of a TIFF always 1, since OpenCV turns it in every mode.
    """
    try:
        tags = _tiff_tags(_exif(data))
    except struct.error:
        return 1
    value = tags.get(_TIFF_ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def has_whole_chunks(data: bytes) -> bool:
    """Return whether the parts of a PNG are as long as they say; of others nothing is known and all is well.

    OpenCV makes room for as much as a part says of itself, up to 4 GB, before it looks for it.
    """
    if not data.startswith(PNG_START):
        return True
    end = len(PNG_START)
    for kind, start, length in _png_chunks(data):
        end = start + length + 4
        if kind == b"IEND":
            break
    return end <= len(data)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, the start of the content and its length of each part of a PNG."""
    place = len(PNG_START)
    while place + _PNG_CHUNK.size <= len(data):
        length, kind = _PNG_CHUNK.unpack_from(data, place)
        yield kind, place + _PNG_CHUNK.size, length
        place += _PNG_CHUNK.size + length + 4


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, the start of the content and its length of each part of a WebP."""
    place = _WEBP_START
    while place + _WEBP_CHUNK.size <= len(data):
        kind, length = _WEBP_CHUNK.unpack_from(data, place)
        yield kind, place + _WEBP_CHUNK.size, length
        place += _WEBP_CHUNK.size + length + length % 2


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment of a JPEG and where its length stands."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _ALONE:
            place += 2
        else:
            yield marker, place + 2
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]


def _exif(data: bytes) -> bytes:
    """Return what a JPEG, PNG or WebP says of itself in the form of a TIFF, empty where it says nothing."""
    parts: Iterator[tuple[bytes, int, int]] = iter(())
    if data.startswith(JPEG_START):
        for marker, place in _jpeg_segments(data):
            if marker in _FRAMES:
                break
            start = place + 2 + len(_EXIF_START)
            if marker == _EXIF_SEGMENT and data[place + 2 : start] == _EXIF_START:
                return data[start : place + struct.unpack_from(">H", data, place)[0]]
    elif data.startswith(PNG_START):
        parts = _png_chunks(data)
    elif data[:4] == b"RIFF":
        parts = _webp_chunks(data)
    return next(
        (data[start : start + length] for kind, start, length in parts if kind in (b"eXIf", b"EXIF")), b""
    )


def _jpeg(data: bytes) -> tuple[int, int] | None:
    for marker, place in _jpeg_segments(data):
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 3)
            return width, height
    return None


def _bitmap(data: bytes) -> tuple[int, int]:
    (header,) = struct.unpack_from("<I", data, 14)
    # The first version has 16 bits for each side; a negative height means rows from the top.
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    return abs(width), abs(height)


def _tiff(data: bytes) -> tuple[int, int] | None:
    tags = _tiff_tags(data)
    if _TIFF_WIDTH in tags and _TIFF_HEIGHT in tags:
        return tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT]
    return None


def _tiff_tags(data: bytes) -> dict[int, int]:
    """Return the numbers of the first directory by their tags."""
    order = "<" if data[:2] == b"II" else ">"
    (place,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, place)
    tags = {}
    for number in range(count):
        tag, kind = struct.unpack_from(order + "HH", data, place + 2 + 12 * number)
        if kind in _TIFF_NUMBERS:
            tags[tag] = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, place + 10 + 12 * number)[0]
    return tags


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
