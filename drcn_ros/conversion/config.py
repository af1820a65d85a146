# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of how messages of a camera are read."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.configuration import parameter


@dataclass(frozen=True)
class CameraConfig:
    """How a camera's messages are meant."""

    binning: str = parameter(
        "as_given",
        "Region of interest and binning in camera_info: as_given leads from the sensor that K describes to "
        "the image; ignore is for drivers whose K belongs to the image as received.",
        choices=("as_given", "ignore"),
    )
    readout_time: float = parameter(
        0.0,
        "Time from the first row's exposure to the last one's (rolling shutter), seconds; what it may change "
        "at the speed of the image goes into the covariances. 0 is a global shutter.",
        minimum=0.0,
        maximum=0.5,
        live=True,
    )
