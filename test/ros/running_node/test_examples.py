# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The example that subscribes reads what a running node publishes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sensor_msgs.msg import CameraInfo

pytestmark = pytest.mark.dds
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "keypoints_and_matches.py"


def test_keypoints_and_matches_are_read_over_dds(
    start: Callable[..., Any], kit: SimpleNamespace, tmp_path: Path
) -> None:
    setup = start()
    setup.camera.advertise("/camera_info", CameraInfo)
    environment = {**os.environ, "ROS_DOMAIN_ID": str(setup.domain_id)}
    output = tmp_path / "example.txt"
    with (
        output.open("wb") as file,
        subprocess.Popen(
            [sys.executable, EXAMPLE], env=environment, stdout=file, stderr=subprocess.STDOUT
        ) as example,
    ):

        def read(pattern: str) -> list[Any]:
            assert example.poll() is None, output.read_text()
            # Until both sides know of each other nothing is received.
            stamp = setup.next_stamp()
            setup.camera.publish("/camera_info", kit.camera_info(stamp_ns=stamp))
            setup.show(kit.image(kit.texture(shift=6.0 * read.frames), stamp))
            read.frames += 1
            return re.findall(pattern, output.read_text())

        read.frames = 0
        moved = kit.wait_until(lambda: read(r"matches: (\d+) of (\d+) agree, moved ([\d.]+) px"))
        lasting = kit.wait_until(lambda: read(r"keypoints: (\d+), ([1-9]\d*) of them"))
        example.terminate()
    good, matches, pixels = map(float, moved[-1])
    assert 0 < good <= matches
    assert pixels > 1.0
    assert int(lasting[-1][0]) >= int(lasting[-1][1])
