# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
import types
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from drcn_ros.conversion.images import ENCODINGS, image_from_compressed, image_from_message, sound_cv_bridge
from drcn_ros.conversion.stamps import image_stamp_ns
from drcn_ros.errors import ImageError
from drcn_ros.foreign.value_range import ValueRange
from drcn_ros.ros.messages.convert import byte_array

# Colour changes slowly, so that half-resolution colour and Bayer patterns lose little of it.
_ROWS, _COLUMNS = np.mgrid[0:40, 0:64]
RGB = np.stack([40 + 3 * _COLUMNS, 30 + 4 * _ROWS, 200 - 2 * _COLUMNS], axis=2).astype(np.uint8)
GREY = RGB[:, :, 0]
MONO16 = (257 * GREY.astype(np.uint16)).astype("<u2")
RGB16 = (257 * RGB.astype(np.uint16)).astype("<u2")


def mosaic(pattern: str) -> np.ndarray:
    """Return what a sensor with the colour filter `pattern` (first two rows) sees of RGB."""
    channel = np.array(["rgb".index(letter) for letter in pattern]).reshape(2, 2)
    return np.take_along_axis(RGB, np.tile(channel, (20, 32))[:, :, None], axis=2)[:, :, 0]


def yuv422(order: str) -> np.ndarray:
    """Return RGB as limited-range BT.601 with colour shared by pairs of pixels."""
    y, u, v = limited_range()
    first, second = (0, 1) if order[0] == "y" else (1, 0)
    packed = np.zeros((*GREY.shape, 2))
    packed[:, :, first] = y
    packed[:, ::2, second], packed[:, 1::2, second] = u[:, ::2], v[:, ::2]
    return np.round(packed).astype(np.uint8)


def limited_range() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    red, green, blue = (RGB[:, :, n].astype(float) for n in range(3))
    y = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    u = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    v = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    return y, u, v


def planes(encoding: str, padding: int) -> np.ndarray:
    """Return RGB as rows of grey, then rows of colour, as drivers of NV cameras send it."""
    y, u, v = limited_range()
    if encoding == "nv24":
        colour = np.pad(np.dstack([u, v]).reshape(len(y), -1), ((0, 0), (0, 2 * padding)))
        colour = colour.reshape(2 * len(y), -1)
    else:
        blocks = [plane.reshape(len(y) // 2, 2, -1, 2).mean(axis=(1, 3)) for plane in (u, v)]
        colour = np.dstack(blocks if encoding == "nv12" else blocks[::-1]).reshape(len(y) // 2, -1)
        colour = np.pad(colour, ((0, 0), (0, padding)))
    return np.round(np.vstack([np.pad(y, ((0, 0), (0, padding))), colour])).astype(np.uint8)


SOURCES: dict[str, np.ndarray] = {
    "mono8": GREY,
    "8UC1": GREY,
    "mono16": MONO16,
    "rgb8": RGB,
    "bgr8": RGB[:, :, ::-1],
    "8UC3": RGB[:, :, ::-1],
    "rgba8": np.dstack([RGB, np.full_like(GREY, 9)]),
    "bgra8": np.dstack([RGB[:, :, ::-1], np.full_like(GREY, 9)]),
    "16UC1": MONO16,
    "32FC1": GREY.astype("<f4") / 255.0,
    "8UC4": np.dstack([RGB[:, :, ::-1], np.full_like(GREY, 9)]),
    "rgb16": RGB16,
    **dict.fromkeys(("bgr16", "16UC3"), RGB16[:, :, ::-1]),
    "rgba16": np.dstack([RGB16, MONO16]),
    "bgra16": np.dstack([RGB16[:, :, ::-1], MONO16]),
    **{f"bayer_{pattern}8": mosaic(pattern) for pattern in ("rggb", "bggr", "gbrg", "grbg")},
    **{
        f"bayer_{pattern}16": (257 * mosaic(pattern).astype(np.uint16)).astype("<u2")
        for pattern in ("rggb", "bggr", "gbrg", "grbg")
    },
    **dict.fromkeys(("yuv422", "uyvy"), yuv422("uyvy")),
    **dict.fromkeys(("yuv422_yuy2", "yuyv", "8UC2"), yuv422("yuyv")),
}


def message_of(camera_messages: Any, encoding: str, padding: int) -> Image:
    if not encoding.startswith("nv"):
        return camera_messages.image_message(SOURCES[encoding], 0, encoding, padding)
    message = camera_messages.image_message(planes(encoding, padding), 0, encoding)
    message.height, message.width = GREY.shape
    return message


_SUBSAMPLED = ("bayer", "yuv", "uyvy", "yuyv", "8UC2", "nv")


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_gives_the_colours_that_were_seen(
    encoding: str, padding: int, camera_messages: Any
) -> None:
    image = image_from_message(message_of(camera_messages, encoding, padding))
    expected = GREY if image.ndim == 2 else RGB
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    difference = np.abs(image.astype(int) - expected)[2:-2, 2:-2]
    assert difference.max() <= (4 if encoding.startswith(_SUBSAMPLED) else 0)


def test_big_endian_sixteen_bits_are_scaled_to_eight(camera_messages: Any) -> None:
    message = camera_messages.image_message(np.array([[0, 128, 65535, 257]], ">u2"), 0, "mono16")
    message.is_bigendian = 1
    assert image_from_message(message).tolist() == [[0, 0, 255, 1]]


def test_grey_and_rgb_share_the_memory_of_the_message(camera_messages: Any) -> None:
    for encoding, pixels in (("mono8", GREY), ("rgb8", RGB)):
        message = camera_messages.image_message(pixels, 0, encoding, padding=3)
        assert np.shares_memory(image_from_message(message), np.frombuffer(message.data, np.uint8))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"width": 0}, "0x40 pixels has no content"),
        ({"height": 0}, "64x0 pixels has no content"),
        ({"step": 63}, "step is 63 bytes, a row needs 64"),
        ({"height": 41}, "2560 bytes of data, height times step is 2624"),
        ({"encoding": "32FC9"}, "encoding '32FC9' is not supported; supported are mono8"),
    ],
)
def test_sizes_that_do_not_fit_are_named(
    change: dict[str, Any], complaint: str, camera_messages: Any
) -> None:
    message = camera_messages.image_message(GREY, 0)
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ImageError, match=complaint):
        image_from_message(message)


@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24"])
def test_an_image_without_its_planes_of_colour_is_named(encoding: str, camera_messages: Any) -> None:
    with pytest.raises(ImageError, match=r"2560 bytes of data, .* rows of all planes need"):
        image_from_message(camera_messages.image_message(GREY, 0, encoding))


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("encoding", ["mono16", "16UC1", "bayer_rggb16"])
def test_values_that_fill_fewer_bits_are_scaled_by_these(
    bits: int, encoding: str, camera_messages: Any
) -> None:
    values = ValueRange()
    full = (GREY.astype(float) / 255 * (2**bits - 1)).round().astype("<u2")
    first = image_from_message(camera_messages.image_message(full, 0, encoding), values)
    if first.ndim == 2:
        assert np.abs(first.astype(int) - GREY).max() <= 1
    # A darker image stays darker.
    darker = image_from_message(camera_messages.image_message(full // 2, 0, encoding), values)
    assert np.mean(darker) == pytest.approx(0.5 * np.mean(first), rel=0.02)


def test_an_odd_width_that_the_encoding_cannot_have_is_an_image_error(camera_messages: Any) -> None:
    with pytest.raises(ImageError, match="3x2 pixels"):
        image_from_message(camera_messages.image_message(np.zeros((2, 3, 2), np.uint8), 0, "yuv422"))


def compressed(pixels: np.ndarray, suffix: str) -> CompressedImage:
    done, data = cv2.imencode(suffix, pixels[:, :, ::-1] if pixels.ndim == 3 else pixels)
    assert done
    return CompressedImage(format=suffix, data=byte_array(data))


@pytest.mark.parametrize(("suffix", "tolerance"), [(".jpg", 12), (".png", 0)])
@pytest.mark.parametrize("pixels", [GREY, RGB], ids=["grey", "colour"])
def test_compressed_images_keep_their_channels(pixels: np.ndarray, suffix: str, tolerance: int) -> None:
    image = image_from_compressed(compressed(pixels, suffix))
    assert image.shape == pixels.shape
    assert np.abs(image.astype(int) - pixels).max() <= tolerance


def test_a_png_with_sixteen_bits_is_scaled_as_mono16_is() -> None:
    assert np.array_equal(image_from_compressed(compressed(MONO16, ".png")), GREY)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_cut_off_image_is_refused_instead_of_filled_with_grey(suffix: str) -> None:
    message = compressed(RGB, suffix)
    message.data = message.data[: len(message.data) // 2]
    with pytest.raises(ImageError, match="is cut off"):
        image_from_compressed(message)


def test_bytes_that_are_no_image_are_refused() -> None:
    with pytest.raises(ImageError, match=r"neither JPEG nor PNG, nor H.264"):
        image_from_compressed(CompressedImage(format="jpeg", data=byte_array(np.arange(99, dtype=np.uint8))))
    with pytest.raises(ImageError, match="holds no data"):
        image_from_compressed(CompressedImage(format="jpeg"))
    damaged = np.zeros(99, np.uint8)
    damaged[:2], damaged[-2:] = (0xFF, 0xD8), (0xFF, 0xD9)
    with pytest.raises(ImageError, match="is damaged"):
        image_from_compressed(CompressedImage(format="jpeg", data=byte_array(damaged)))


class _RecordingBridgeModule(types.ModuleType):
    """Stands in for cv_bridge, which no package registry of Python has in a working form."""

    class CvBridgeError(Exception):
        pass

    def __init__(self, sound: bool) -> None:
        super().__init__("cv_bridge")
        self.asked: list[tuple[str, str]] = []
        module = self

        class CvBridge:
            def imgmsg_to_cv2(self, message: Image, desired_encoding: str) -> np.ndarray:
                module.asked.append((message.encoding, desired_encoding))
                if message.encoding == "16UC1":
                    rows = np.frombuffer(message.data, "<u2")
                    return rows.reshape(2, 2)[:, :1] if sound else rows[:2].reshape(2, 1)
                return np.full((message.height, message.width, 3), 5, np.uint8)

        self.CvBridge = CvBridge


def test_a_sound_cv_bridge_serves_the_other_encodings(
    camera_messages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = _RecordingBridgeModule(sound=True)
    monkeypatch.setitem(sys.modules, "cv_bridge", bridge)
    message = camera_messages.image_message(np.zeros((4, 6, 6), np.uint8), 0, "16SC3")
    assert image_from_message(message).tolist() == np.full((4, 6, 3), 5).tolist()
    assert bridge.asked[-1] == ("16SC3", "rgb8")


def test_a_cv_bridge_that_converts_wrongly_is_not_used(
    camera_messages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv_bridge", _RecordingBridgeModule(sound=False))
    assert sound_cv_bridge() is None
    with pytest.raises(ImageError, match="working cv_bridge"):
        image_from_message(camera_messages.image_message(np.zeros((4, 6, 6), np.uint8), 0, "16SC3"))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_cv_bridge_agrees_where_it_is_installed(encoding: str, camera_messages: Any) -> None:
    module = sound_cv_bridge()
    if module is None:
        pytest.skip("no working cv_bridge is installed")
    if not encoding.startswith(("mono", "rgb", "bgr", "bayer", "yuv")) or encoding.endswith("16"):
        pytest.skip("cv_bridge gives this encoding no colours, or does not know its name")
    message = message_of(camera_messages, encoding, padding=6)
    image = image_from_message(message)
    target = "mono8" if image.ndim == 2 else "rgb8"
    theirs = module.CvBridge().imgmsg_to_cv2(message, desired_encoding=target)
    assert np.abs(image.astype(int) - theirs).max() <= 1


CASES = 200
SIZES = (0, 1, 2, 3, 47, 48, 49, 64, 96, 2**31, 2**32 - 1)
ENCODINGS = ("", "mono8", "MONO8", "rgb8", "bgra8", "mono16", "bayer_rggb8", "yuv422", "nv12", "8UC9")
FIELDS = ("height", "width", "step", "encoding", "is_bigendian", "data", "nanosec")


def test_a_changed_image_header_is_refused_or_gives_the_size_that_it_says():
    pixels = np.arange(48 * 64 * 3, dtype=np.uint32).astype(np.uint8)
    refused, read = [], 0
    for case in range(CASES):
        random = np.random.default_rng(case)
        message = SimpleNamespace(
            header=SimpleNamespace(stamp=SimpleNamespace(sec=12, nanosec=500), frame_id="camera"),
            height=48, width=64, encoding="rgb8", is_bigendian=0, step=192, data=pixels,
        )  # fmt: skip
        for _ in range(int(random.integers(1, 3))):
            field = str(random.choice(FIELDS))
            if field in ("height", "width", "step"):
                setattr(message, field, int(random.choice(SIZES)))
            elif field == "encoding":
                message.encoding = str(random.choice(ENCODINGS))
            elif field == "is_bigendian":
                message.is_bigendian = int(random.choice([1, 255]))
            elif field == "data":
                message.data = pixels[: int(random.integers(len(pixels)))]
            else:
                message.header.stamp.nanosec = int(random.choice([10**9, 2**32 - 1]))
        try:
            stamp = image_stamp_ns(message)
            image = image_from_message(message)
        except ImageError as error:
            refused.append(str(error))
            continue
        read += 1
        assert stamp == 12 * 10**9 + 500, case
        assert image.dtype == np.uint8, case
        assert image.shape[:2] == (message.height, message.width), case
    assert not any("\n" in line for line in refused)
    assert min(len(refused), read) > 20
