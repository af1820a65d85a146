# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Messages whose fields hold anything, and bytes that are none, to a running node: it answers and goes on."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistWithCovarianceStamped
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

pytestmark = pytest.mark.dds

# The same cases in every run of the suite, however fast the machine; FUZZ_SECONDS makes it longer.
CASES = 200
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
STATUS = "/vo_node/status"
RAW_PART = 0.2


def _mutations() -> Any:
    path = Path(__file__).resolve().parents[2] / "fuzz" / "mutations.py"
    spec = importlib.util.spec_from_file_location("mutations", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Attack:
    """A node, and what it is sent."""

    def __init__(self, setup: Any, kit: Any, compressed: bool) -> None:
        self.setup, self.kit = setup, kit
        self.topic = "/image/compressed" if compressed else "/image"
        self.kind = CompressedImage if compressed else Image
        self.mutations = _mutations()
        setup.listener.listen(STATUS, DiagnosticStatus)
        setup.camera.advertise(self.topic, self.kind)
        setup.camera.advertise("/camera_info", CameraInfo)
        setup.camera.advertise("/twist", TwistWithCovarianceStamped)

    def image(self, shift: float) -> Any:
        pixels = self.kit.texture(160, 120, shift)
        if self.kind is Image:
            return self.kit.image(pixels, self.setup.next_stamp())
        stamp = self.kit.image(pixels, self.setup.next_stamp()).header
        suffix = ".png" if int(shift) % 2 else ".jpg"
        data = cv2.imencode(suffix, pixels)[1].tobytes()
        return CompressedImage(header=stamp, format=suffix[1:], data=data)

    def case(self, number: int) -> None:
        """Send one damaged message of each kind; the node must answer the image."""
        random = np.random.default_rng([number, 77])
        camera_info, twist = self.kit.camera_info(160, 120), TwistWithCovarianceStamped()
        image = self.image(float(number % 50))
        for topic, message in (("/camera_info", camera_info), ("/twist", twist)):
            if random.random() < 0.5:
                self.mutations.mutated_fields(message, random)
            self.setup.camera.publish(topic, message)
        if random.random() < RAW_PART:
            # The middleware refuses what it cannot take apart, or makes some message of it.
            data = self.mutations.mutated_bytes(bytes(serialize_message(image)), random)
            # After a payload of no bytes at all Fast DDS delivers nothing more from that publisher.
            self.setup.camera.order("publish", self.topic, data or b"\0\1\0\0")
            image = self.image(float(number % 50))
        else:
            self.mutations.mutated_fields(image, random)
        seen = len(self.statuses())
        self.setup.camera.publish(self.topic, image)
        self.kit.wait_until(lambda: len(self.statuses()) > seen, f"no answer to case {number}")

    def statuses(self) -> list[Any]:
        messages: list[Any] = self.setup.listener.messages(STATUS)
        return messages

    def check_that_it_tracks(self) -> None:
        """Show good frames with a good calibration, until the motion of one is known."""
        states = []
        for number in range(20):
            self.setup.camera.publish("/camera_info", self.kit.camera_info(160, 120))
            values = self.kit.values(self.setup.show(self.image(4.0 * number), self.topic))
            if values["state"] in ("TRACKING", "ROTATION_ONLY"):
                return
            states.append((values["state"], values["reason"], values["detail"]))
        pytest.fail(f"no motion known in {len(states)} good frames: {states}")


@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "compressed"])
def test_the_node_answers_damaged_messages_and_goes_on(start: Any, kit: Any, compressed: bool) -> None:
    setup = start(
        image_transport="compressed" if compressed else "raw",
        processing="every_frame",
        scale__source="twist_topic",
        matcher__max_keypoints=200,
    )
    attack = Attack(setup, kit, compressed)
    attack.check_that_it_tracks()
    end = time.monotonic() + SECONDS
    number = FIRST
    while number < FIRST + CASES or time.monotonic() < end:
        attack.case(number)
        setup.node.check()
        number += 1
    reasons = [kit.values(status)["reason"] for status in attack.statuses()]
    print(f"{number - FIRST} cases: { {reason: reasons.count(reason) for reason in sorted(set(reasons))} }")
    broken = [kit.values(status)["detail"] for status in attack.statuses()]
    assert [text for text, reason in zip(broken, reasons, strict=True) if reason == "INTERNAL_ERROR"] == []
    attack.check_that_it_tracks()
    log = setup.log.read_text(errors="replace")
    assert "Traceback" not in log
    assert "cannot publish" not in log
