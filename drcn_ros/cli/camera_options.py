# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line options that say what camera took the images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from drcn_ros.errors import InputError
from drcn_ros.sequences.calibrations import GUESSED_DEG

GUESS = "guess"


def add_camera_options(group: Any) -> None:
    """Add `--camera` and `--fov` to a parser or a group of its arguments."""
    group.add_argument(
        "--camera",
        metavar="FILE",
        help=f"calibration (FILE:NAME of several cameras), or '{GUESS}' for a first look",
    )
    group.add_argument(
        "--fov", type=float, metavar="DEG", help="no calibration: angle of view across the longer side"
    )


def calibration_file(arguments: argparse.Namespace) -> Path | None:
    """Return the calibration file that was given, if any.

    Raises:
        InputError: an angle of view was given too.
    """
    if arguments.camera is not None and arguments.fov is not None:
        msg = f"--camera {arguments.camera} and --fov {arguments.fov:g}: give one of them"
        raise InputError(msg)
    return None if arguments.camera in (None, GUESS) else Path(arguments.camera)


def angle_of_view(arguments: argparse.Namespace) -> float | None:
    """Return the angle of view that was given or is to be guessed, degrees, or None."""
    return GUESSED_DEG if arguments.camera == GUESS else arguments.fov
