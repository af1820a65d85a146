# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a sequence as a folder in TUM RGB-D layout."""

from __future__ import annotations

from pathlib import Path

from drcn_ros.foreign.images import write_image
from drcn_ros.results.replacing import whole_folder
from drcn_ros.sequences.base import ALL, ImageSequence, Selection
from drcn_ros.sequences.calibrations import calibration_text
from drcn_ros.sequences.trajectories.files import format_stamp, tum_lines


def write_tum(sequence: ImageSequence, path: Path, selection: Selection = ALL) -> None:
    """Write images as PNG, with `rgb.txt`, `calib.yaml` and `groundtruth.txt`.

    Raises:
        InputError: the folder exists or cannot be written to, or the input is damaged.
    """
    with whole_folder(path) as temporary:
        images = temporary / "rgb"
        images.mkdir(parents=True)
        lines = ["# timestamp filename\n"]
        for frame in sequence.frames(selection):
            name = f"{format_stamp(frame.stamp_ns)}.png"
            write_image(images / name, frame.image)
            lines.append(f"{format_stamp(frame.stamp_ns)} rgb/{name}\n")
        (temporary / "rgb.txt").write_text("".join(lines), encoding="utf-8")
        if sequence.camera is not None:
            (temporary / "calib.yaml").write_text(calibration_text(sequence.camera), encoding="utf-8")
        if sequence.ground_truth is not None:
            header = "# timestamp tx ty tz qx qy qz qw\n"
            text = header + "".join(tum_lines(sequence.ground_truth))
            (temporary / "groundtruth.txt").write_text(text, encoding="utf-8")
