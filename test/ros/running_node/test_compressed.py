# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images, damaged ones, and a device without memory, to one running node, over DDS."""

from __future__ import annotations

import os
import resource
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, CompressedImage

pytestmark = pytest.mark.dds

# A mock of ffmpeg_image_transport_msgs, which no package index serves: an FFMPEGPacket that travels as a
# CompressedImage, its encoding as the format. What the real one's bytes hold is tested with bags.
MOCK = """
from sensor_msgs.msg import _compressed_image as wire

class FFMPEGPacket(wire.CompressedImage):
    pts, width, height, flags, is_bigendian = 0, 640, 480, 0, False
    encoding = property(lambda self: self.format)

# What the middleware makes of the bytes that come.
wire.CompressedImage = FFMPEGPacket
"""


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Any]:
    remaps = {"image": "/eye/image_raw", "camera_info": "/eye/camera_info"}
    setup = kit.Setup(
        tmp_path_factory.mktemp("compressed"),
        remaps,
        image_transport="compressed",
        matcher__name="drcn",
        # Of images without guarantee one may get lost, and each is to be answered here.
        processing="every_frame",
        # So that an image can be too large for the memory.
        matcher__max_image_size=0,
    )
    setup.camera.advertise("/eye/camera_info", CameraInfo)
    yield setup
    assert setup.close() == 0
    assert "Traceback" not in setup.log.read_text()


def shown(camera: Any, kit: Any, pixels: np.ndarray, suffix: str = ".jpg", **options: Any) -> dict[str, str]:
    """Show one compressed frame and return the values of its status."""
    from drcn_ros.ros.messages.convert import byte_array, header

    _, data = cv2.imencode(suffix, pixels)
    data = np.array(data)[: options.get("bytes")]
    message = CompressedImage(header=header(camera.next_stamp(), "eye"), format=suffix, data=byte_array(data))
    return kit.values(camera.show(message, options.get("topic", "/eye/image_raw/compressed")))


def tracks(camera: Any, kit: Any, suffix: str = ".jpg", **options: Any) -> bool:
    states = []
    for n in range(6):
        # Each time, since a single message without guarantee may get lost.
        camera.camera.publish("/eye/camera_info", kit.camera_info())
        states.append(shown(camera, kit, kit.texture(shift=6.0 * n), suffix, **options)["state"])
    return "TRACKING" in states


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_images_are_tracked_on_the_topic_of_image_transport(camera: Any, kit: Any, suffix: str) -> None:
    assert tracks(camera, kit, suffix)


def test_images_are_tracked_on_the_topic_as_given(camera: Any, kit: Any) -> None:
    assert tracks(camera, kit, topic="/eye/image_raw")


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_video_is_tracked_and_a_lost_start_is_named(camera: Any, kit: Any, codec: str, encoded_video) -> None:
    from drcn_ros.ros.messages.convert import byte_array, header

    pictures = [np.dstack([kit.texture(shift=6.0 * n)] * 3) for n in range(8)]
    packets = [data for _, data in encoded_video(codec, pictures)]
    answers = []
    # What follows the first packet cannot be shown without it: H.264 says so, H.265 waits.
    if codec == "h264":
        packets = [packets[1], *packets]
    for data in packets:
        camera.camera.publish("/eye/camera_info", kit.camera_info())
        message = CompressedImage(
            header=header(camera.next_stamp(), "eye"),
            format=codec,
            data=byte_array(np.frombuffer(data, np.uint8)),
        )
        answers.append(kit.values(camera.show(message, "/eye/image_raw/compressed")))
    if codec == "h264":
        assert answers[0]["reason"] == "BAD_IMAGE"
        assert "h264 packet cannot be decoded" in answers[0]["detail"]
    # The second stream passes the place where the first ended.
    assert {answer["state"] for answer in answers[-4:]} <= {"TRACKING", "STATIONARY"}


def test_packets_of_ffmpeg_are_tracked_and_other_codecs_named(
    start: Any, kit: Any, encoded_video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drcn_ros.ros.messages.convert import byte_array, header

    (tmp_path / "ffmpeg_image_transport_msgs").mkdir()
    (tmp_path / "ffmpeg_image_transport_msgs" / "__init__.py").touch()
    (tmp_path / "ffmpeg_image_transport_msgs" / "msg.py").write_text(MOCK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    setup = start(image_transport="ffmpeg", processing="every_frame")
    setup.camera.advertise("/camera_info", CameraInfo)

    def shown(encoding: str, data: bytes) -> dict[str, str]:
        setup.camera.publish("/camera_info", kit.camera_info())
        array = byte_array(np.frombuffer(data, np.uint8))
        packet = CompressedImage(header=header(setup.next_stamp(), "eye"), format=encoding, data=array)
        return kit.values(setup.show(packet, "/image/ffmpeg"))

    pictures = [np.dstack([kit.texture(shift=6.0 * n)] * 3) for n in range(6)]
    packets = [data for _, data in encoded_video("h264", pictures)]
    # As ffmpeg_image_transport names them: codec, and what the encoder was given.
    answers = [shown("h264;yuv420p;bgr8;bgr8", data) for data in packets]
    assert {answer["state"] for answer in answers[-3:]} == {"TRACKING"}
    refused = shown("prores", packets[0])
    assert refused["reason"] == "BAD_IMAGE"
    assert "video of encoding 'prores' is not supported; supported are h264 and hevc" in refused["detail"]
    assert "Traceback" not in setup.log.read_text()


def test_a_png_that_unpacks_to_more_than_any_image_is_refused_by_its_header(camera: Any, kit: Any) -> None:
    from drcn_ros.ros.messages.convert import byte_array, header

    data = cv2.imencode(".png", kit.texture(64, 48))[1].tobytes()
    head = b"IHDR" + (25_000).to_bytes(4, "big") * 2 + data[24:29]
    data = data[:12] + head + zlib.crc32(head).to_bytes(4, "big") + data[33:]
    message = CompressedImage(
        header=header(camera.next_stamp(), "eye"),
        format="png",
        data=byte_array(np.frombuffer(data, np.uint8)),
    )
    values = kit.values(camera.show(message, "/eye/image_raw/compressed"))
    assert values["reason"] == "BAD_IMAGE"
    assert "25000x25000 pixels, at most 150 million are unpacked" in values["detail"]


@pytest.mark.parametrize(("length", "complaint"), [(5000, "is cut off"), (0, "holds no data")])
def test_a_damaged_jpeg_is_named_and_the_next_one_tracked(
    camera: Any, kit: Any, length: int, complaint: str
) -> None:
    values = shown(camera, kit, kit.texture(), bytes=length)
    assert (values["state"], values["reason"]) == ("LOST", "BAD_IMAGE")
    assert complaint in values["detail"]
    assert tracks(camera, kit)


def test_a_device_without_memory_goes_on_at_a_smaller_size(camera: Any, kit: Any) -> None:
    pid = camera.node.pid
    in_use = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    unlimited = resource.prlimit(pid, resource.RLIMIT_AS)
    try:
        # Enough to receive and decode the image, not for the network's feature maps of it.
        resource.prlimit(pid, resource.RLIMIT_AS, (in_use + 150 * 2**20, unlimited[1]))
        values = shown(camera, kit, kit.texture(1280, 960))
    finally:
        resource.prlimit(pid, resource.RLIMIT_AS, unlimited)
    assert (values["state"], values["reason"]) == ("LOST", "OUT_OF_MEMORY")
    # Told by the estimate, before anything was taken.
    assert "images of 1280x960 pixels take about 720 MB with drcn" in values["detail"]
    assert "going on at 0.5 of the image's size" in values["detail"]
    assert tracks(camera, kit)
    assert shown(camera, kit, kit.texture())["working_scale"] == "0.500"
