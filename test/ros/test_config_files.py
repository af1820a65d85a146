# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The files for other packages: they name topics that exist and have the form that is read."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

CONFIG = Path(__file__).resolve().parents[2] / "config"
SOURCES = Path(__file__).resolve().parents[2] / "drcn_ros" / "ros" / "node"


@pytest.fixture(scope="module")
def topics() -> set[str]:
    """The topics that the node's publishers are made for."""
    text = "".join((SOURCES / name).read_text() for name in ("outputs.py", "motion_outputs.py"))
    return {"/diagnostics", *(f"/vo_node/{name}" for name in re.findall(r'"~/([\w/]+)"', text))}


@pytest.mark.parametrize("file", ["vo.rviz", "foxglove.json", "ekf_angular_only.yaml", "ekf_scaled.yaml"])
def test_every_topic_that_is_named_exists(file: str, topics: set[str]) -> None:
    named = set(re.findall(r"/vo_node/(?:match_image/compressed|\w+)", (CONFIG / file).read_text()))
    assert named
    assert named <= topics


def test_the_layouts_can_be_read() -> None:
    layout = json.loads((CONFIG / "foxglove.json").read_text())
    panels = re.findall(r'"(?:first|second)": "([^"]+)"', json.dumps(layout["layout"]))
    assert sorted(panels) == sorted(layout["configById"])
    displays = yaml.safe_load((CONFIG / "vo.rviz").read_text())["Visualization Manager"]["Displays"]
    assert {"Path", "Pose", "Points", "Matches"} <= {display["Name"] for display in displays}


@pytest.mark.parametrize(
    ("file", "sensor", "used"),
    [
        ("ekf_angular_only.yaml", "twist0", {"vroll", "vpitch", "vyaw"}),
        ("ekf_scaled.yaml", "odom0", {"vx", "vy", "vz", "vroll", "vpitch", "vyaw"}),
    ],
)
def test_the_filters_use_the_axes_that_are_true(file: str, sensor: str, used: set[str]) -> None:
    axes = [
        "x",
        "y",
        "z",
        "roll",
        "pitch",
        "yaw",
        "vx",
        "vy",
        "vz",
        "vroll",
        "vpitch",
        "vyaw",
        "ax",
        "ay",
        "az",
    ]
    parameters = yaml.safe_load((CONFIG / file).read_text())["ekf_filter_node"]["ros__parameters"]
    switches = parameters[f"{sensor}_config"]
    assert len(switches) == 15
    assert {axis for axis, switch in zip(axes, switches, strict=True) if switch} == used


def test_the_detector_for_rtabmap_gives_the_arrays_that_it_reads(kit: Any) -> None:
    functions = runpy.run_path(str(CONFIG / "rtabmap_detector.py"))
    functions["init"](False)
    image = kit.texture(320, 240)
    keypoints, descriptors = functions["detect"](image)
    assert keypoints.dtype == descriptors.dtype == np.float32
    assert keypoints.shape[1] == 3
    assert len(keypoints) == len(descriptors) > 50
    assert (keypoints[:, 0] < 320).all()
    empty, none = functions["detect"](np.zeros((240, 320), np.uint8))
    assert len(empty) == len(none)
    assert none.ndim == 2
