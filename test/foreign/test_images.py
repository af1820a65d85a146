# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images of others: what they say of their size is believed before they are unpacked, and not after."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.errors import ImageError
from drcn_ros.foreign.image_header import has_whole_chunks, image_size, orientation
from drcn_ros.foreign.images import decode_image, is_turned, write_image

FORMATS = (".png", ".jpg", ".bmp", ".pgm", ".ppm", ".tif", ".webp")


def _encoded(suffix: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def _bomb(width: int, height: int) -> bytes:
    """Return a small PNG of many black pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + -(-width // 8)) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_size_is_read_from_the_header(suffix: str):
    image = np.random.default_rng(0).integers(0, 255, (35, 61, 3), np.uint8)
    data = _encoded(suffix, image if suffix != ".pgm" else image[:, :, 0])
    assert image_size(data) == (61, 35)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_header_that_is_cut_off_has_no_size_and_no_error(suffix: str):
    data = _encoded(suffix, np.zeros((35, 61) if suffix == ".pgm" else (35, 61, 3), np.uint8))
    for length in range(min(len(data), 200)):
        assert orientation(data[:length]) == 1
        size = image_size(data[:length])
        assert size is None or (size[0] <= 61 and size[1] <= 35)


def test_a_small_file_of_very_many_pixels_is_refused_before_it_is_unpacked():
    data = _bomb(25_000, 25_000)
    assert len(data) < 200_000
    with pytest.raises(ImageError, match="25000x25000 pixels, at most 150 million are unpacked"):
        decode_image(data)


def test_a_part_that_says_it_is_as_long_as_the_memory_is_not_believed():
    data = bytearray(_encoded(".png", np.zeros((35, 61), np.uint8)))
    assert has_whole_chunks(bytes(data))
    place = data.index(b"IDAT") - 4
    data[place : place + 4] = (0xFFFFFFF0).to_bytes(4, "big")
    assert not has_whole_chunks(bytes(data))
    with pytest.raises(ImageError, match="damaged"):
        decode_image(bytes(data))


def test_numbers_that_are_no_bytes_are_refused_by_their_kind():
    pixels = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    with pytest.raises(ImageError, match="1 channels of float32"):
        decode_image(_encoded(".tiff", pixels))


def test_a_file_that_cannot_be_read_is_not_turned():
    pixels = np.random.default_rng(0).random((96, 96)).astype(np.float32)
    assert not is_turned(_encoded(".tiff", pixels))
    assert not is_turned(b"no image")


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
def test_sixteen_bits_become_eight(suffix: str):
    pixels = np.array([[0, 257 * 7, 65535]], np.uint16)
    assert decode_image(_encoded(suffix, pixels)).tolist() == [[0, 7, 255]]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_path_that_is_no_text_is_written_and_read(tmp_path: Path, suffix: str):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9" + suffix.encode()))
    image = np.full((20, 30, 3), (10, 200, 90), np.uint8)
    write_image(path, image)
    assert np.abs(decode_image(path.read_bytes()).astype(int) - image).max() < 6


def _exif(value: int) -> bytes:
    """Return the words with which an image says how it is to be turned (EXIF 2.3, tag 274)."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, value, 0, 0)


def with_orientation(image: bytes, value: int) -> bytes:
    """Return a JPEG, PNG or WebP of 64x40 pixels that says how it is to be turned."""
    said = _exif(value)
    if image.startswith(b"\x89PNG"):
        part = struct.pack(">I", len(said)) + b"eXIf" + said
        return image[:33] + part + struct.pack(">I", zlib.crc32(part[4:])) + image[33:]
    if image.startswith(b"RIFF"):
        head = struct.pack("<4sIIHBHB", b"VP8X", 10, 8, 63, 0, 39, 0)
        body = b"WEBP" + head + image[12:] + struct.pack("<4sI", b"EXIF", len(said)) + said
        return b"RIFF" + struct.pack("<I", len(body)) + body
    return image[:2] + b"\xff\xe1" + struct.pack(">H", len(said) + 8) + b"Exif\0\0" + said + image[2:]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("value", range(10))
def test_what_is_said_to_be_turned_is_what_opencv_turns(suffix: str, value: int):
    image = np.full((40, 64, 3), 30, np.uint8)
    image[:8, :8] = 220
    data = with_orientation(_encoded(suffix, image), value)
    stored, upright = decode_image(data), decode_image(data, upright=True)
    assert stored.shape == image.shape
    turned = stored.shape != upright.shape or np.abs(stored.astype(int) - upright).max() > 50
    assert is_turned(data) == turned == (2 <= value <= 8)
    assert orientation(data) == (value if turned else 1)


def test_a_photograph_is_turned_as_it_says_only_where_that_is_wanted():
    image = np.full((40, 64, 3), 30, np.uint8)
    image[:8, :8] = 220
    data = _encoded(".jpg", image)
    turned = with_orientation(data, 6)
    assert not is_turned(data)
    assert not is_turned(with_orientation(data, 1))
    assert is_turned(turned)
    assert decode_image(turned).shape == (40, 64, 3)
    upright = decode_image(turned, upright=True)
    # The first row goes to the right side.
    assert upright.shape == (64, 40, 3)
    assert upright[2, -3].min() > 150
    assert np.array_equal(decode_image(data, upright=True), decode_image(data))
