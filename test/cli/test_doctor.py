# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn doctor` tells what a bug report needs, on any installation."""

from __future__ import annotations

import re
import subprocess
import sys

import torch

from drcn_ros.doctor.demo_frames import demo_frames
from drcn_ros.doctor.installation import PROFILE_VARIABLES
from drcn_ros.matching import memory
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.odometry import OdometryConfig

SMALL = (320, 240)


def test_it_prints_versions_use_and_frames(drcn, monkeypatch):
    monkeypatch.setattr("drcn_ros.doctor.demo_frames.SIZES", (SMALL,))
    for name in PROFILE_VARIABLES:
        monkeypatch.setenv(name, "/nowhere/profile.xml")
    answer = drcn("doctor", "--matcher", "orb")
    assert answer.error == ""
    assert re.search(rf"^torch +{re.escape(torch.__version__)}", answer.out, re.MULTILINE)
    for name in (
        "drcn_ros",
        "Python",
        "OpenCV",
        "PoseLib",
        "ROS 2",
        "middleware",
        "free memory",
        "processor",
    ):
        assert re.search(rf"^{name} +\S", answer.out, re.MULTILINE), name
    assert re.search(r"^matcher +orb on cpu, precision none$", answer.out, re.MULTILINE)
    assert re.search(
        r"^320x240 +(\d+\.\d +){4}[0-9a-f]{8} [0-9a-f]{8}  [A-Z_]+: \d+ keypoints, ", answer.out, re.MULTILINE
    )
    # A fault that this test made, whatever else there is.
    assert answer.code == 1
    assert "- the Fast DDS profile /nowhere/profile.xml does not exist\n  remedy: unset FASTDDS" in answer.out


def test_a_matcher_that_cannot_be_made_and_memory_that_is_short_are_told(drcn, monkeypatch):
    answer = drcn("doctor", "--no-frames", "--matcher", "drcn", "--set", "matcher.weights=/nowhere.pt")
    assert "matcher        drcn on" in answer.out
    monkeypatch.setattr(memory, "free_memory", lambda: 5e6)
    answer = drcn("doctor", "--matcher", "drcn", "--set", "matcher.device=cpu")
    assert answer.code == 1
    assert "- images of 320x240 pixels take about 30 MB with drcn, 5 MB are free\n  remedy: " in answer.out


def test_where_packages_are_missing_it_says_which(tmp_path):
    code = "import sys\nfor name in ('torch', 'cv2', 'rclpy'): sys.modules[name] = None\n"
    code += "from drcn_ros.cli.main import main\nsys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    assert re.search(r"^torch +missing$", done.stdout, re.MULTILINE)
    assert "- module cv2 is missing\n  remedy: pip install opencv-python-headless" in done.stdout
    assert "- no ROS 2: rclpy is missing" in done.stdout


def test_the_same_frame_has_the_same_digests_and_another_matcher_another():
    def frame(name: str):
        (found,) = demo_frames(OdometryConfig(matcher=MatcherConfig(name=name)), [SMALL])
        return found

    first, second, other = frame("orb"), frame("orb"), frame("sift")
    assert (first.image, first.result) == (second.image, second.result)
    assert first.image == other.image
    assert first.result != other.result
