# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Image headers and bag metadata changed at random: refused in one line, or nothing is different."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import yaml

from drcn_ros.conversion.images import image_from_message
from drcn_ros.conversion.stamps import image_stamp_ns
from drcn_ros.errors import ImageError
from drcn_ros.sequences import Selection, SequenceOptions, open_sequence
from drcn_ros.sequences.bags.writer import write_bag
from drcn_ros.sequences.inspection.inspect import inspect

COUNT = 200
SIZES = (0, 1, 2, 3, 47, 48, 49, 64, 96, 2**31, 2**32 - 1)
ENCODINGS = ("", "mono8", "MONO8", "rgb8", "bgra8", "mono16", "bayer_rggb8", "yuv422", "nv12", "8UC9")
FIELDS = ("height", "width", "step", "encoding", "is_bigendian", "data", "nanosec")


def test_a_changed_image_header_is_refused_or_gives_the_size_that_it_says():
    pixels = np.arange(48 * 64 * 3, dtype=np.uint32).astype(np.uint8)
    refused, read = [], 0
    for case in range(COUNT):
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


def test_changed_bag_metadata_are_refused_or_the_images_are_the_same(tmp_path: Path, clip):
    write_bag(clip, tmp_path / "walk")
    file = tmp_path / "walk" / "metadata.yaml"
    sound = file.read_text()
    expected = list(open_sequence(tmp_path / "walk").frames(Selection(limit=2)))
    refused = 0
    for case in range(COUNT):
        random = np.random.default_rng(case)
        content = yaml.safe_load(sound)
        _change(content, random)
        file.write_text(yaml.safe_dump(content))
        found = inspect(str(tmp_path / "walk"), SequenceOptions())
        if found.problem:
            refused += 1
            assert "\n" not in found.problem, case
            continue
        frames = list(open_sequence(tmp_path / "walk").frames(Selection(limit=2)))
        assert [frame.stamp_ns for frame in frames] == [frame.stamp_ns for frame in expected], case
        for frame, other in zip(frames, expected, strict=True):
            assert np.array_equal(frame.image, other.image), case
    assert 20 < refused < COUNT - 20


def _change(content: object, random: np.random.Generator) -> None:
    """Change one value of nested lists and mappings, at any depth."""
    while True:
        keys = list(content) if isinstance(content, dict) else range(len(content))
        key = keys[int(random.integers(len(keys)))]
        if isinstance(content[key], (dict, list)) and content[key] and random.random() < 0.9:
            content = content[key]
            continue
        choices = [None, -1, 0, 2**63, "", "none", "../x", [], {}, [1], "sensor_msgs/msg/Imu", True, 1e300]
        content[key] = choices[int(random.integers(len(choices)))]
        return
