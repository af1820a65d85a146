# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of H.264 and H.265 give the images that were encoded, each under its own key."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from drcn_ros.errors import ImageError
from drcn_ros.foreign.video import H264, H265, VideoDecoder, codec_of

_ROWS, _COLUMNS = np.mgrid[0:48, 0:64]


def picture(index: int) -> np.ndarray:
    grey = 40 + 2 * _COLUMNS + _ROWS
    return np.stack([np.full_like(grey, 20 * index), grey, 220 - grey // 2], axis=2).astype(np.uint8)


PICTURES = [picture(index) for index in range(10)]


@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize("codec", [H264, H265])
def test_each_image_comes_with_the_key_of_its_packet(codec, reordered, encoded_video):
    packets = encoded_video(codec, PICTURES, reordered)
    decoder = VideoDecoder(codec)
    found = [image for key, data in packets for image in decoder.decode(data, key)] + decoder.rest()
    assert [key for key, _ in found] == list(range(10))
    for key, image in found:
        assert np.abs(image.astype(int) - PICTURES[key])[4:-4, 4:-4].mean() < 6
    if not reordered:
        assert len(VideoDecoder(codec).decode(packets[0][1], 0)) == 1


@pytest.mark.parametrize("codec", [H264, H265])
def test_a_codec_is_known_by_its_name_or_its_first_bytes(codec, encoded_video):
    data = encoded_video(codec, PICTURES)[0][1]
    assert codec_of("", data) == codec
    assert codec_of("something", data[1:]) == codec


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264", H264), ("libx264", H264), ("h264_nvenc", H264), ("hevc_vaapi;nv12;bgr8;bgr8", H265),
        ("video/H265", H265), ("jpeg", ""), ("rgb8; jpeg compressed bgr8", ""), ("av1", ""),
    ],
)  # fmt: skip
def test_names_of_drivers(name, codec):
    assert codec_of(name, b"") == codec


def test_a_stream_joined_in_the_middle_or_damaged_is_named_and_goes_on_at_the_next_key_frame(encoded_video):
    packets = encoded_video(H264, PICTURES)
    decoder = VideoDecoder(H264)
    for _, data in (packets[1], (0, b"\0\0\0\1" + bytes(range(200)))):
        with pytest.raises(
            ImageError, match=r"h264 packet cannot be decoded \(is it damaged, or the first key"
        ):
            decoder.decode(data, "early")
    ((key, _),) = decoder.decode(packets[0][1], "first")
    assert key == "first"


def test_a_stream_that_never_begins_is_told(encoded_video):
    packets = encoded_video(H265, PICTURES)
    decoder = VideoDecoder(H265)
    for _ in range(32):
        assert decoder.decode(packets[1][1], 0) == []
    with pytest.raises(ImageError, match="hevc stream has no key frame in 33 packets"):
        decoder.decode(packets[1][1], 0)


def test_without_pyav_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImageError, match="h264 images are video, which needs PyAV: pip install av"):
        VideoDecoder(H264)
