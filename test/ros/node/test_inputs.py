# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics and types images are taken from."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import pytest
from sensor_msgs.msg import CompressedImage, Image

from drcn_ros.errors import ConfigurationError
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.node.inputs import image_topics, image_type


@pytest.mark.parametrize(
    ("transport", "topic", "expected"),
    [
        ("raw", "/eye/image_raw", ("/eye/image_raw",)),
        ("compressed", "/eye/image_raw", ("/eye/image_raw", "/eye/image_raw/compressed")),
        ("compressed", "/eye/image_raw/compressed", ("/eye/image_raw/compressed",)),
        ("ffmpeg", "/eye/image_raw", ("/eye/image_raw", "/eye/image_raw/ffmpeg")),
        ("ffmpeg", "/eye/image_raw/ffmpeg", ("/eye/image_raw/ffmpeg",)),
    ],
)
def test_a_transport_has_its_own_topic_beside_the_one_given(transport, topic, expected):
    node = SimpleNamespace(resolve_topic_name=lambda name: topic)
    assert image_topics(node, NodeConfig(image_transport=transport)) == expected


def test_each_transport_has_its_type_and_a_missing_one_is_named():
    assert image_type("raw") is Image
    assert image_type("compressed") is CompressedImage
    if importlib.util.find_spec("ffmpeg_image_transport_msgs") is not None:
        pytest.skip("the messages of FFmpeg's transport are installed")
    with pytest.raises(ConfigurationError, match=r"apt install ros-.*-ffmpeg-image-transport-msgs"):
        image_type("ffmpeg")
