# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged files of every kind end in a result or one line, in bounded time and memory, and touch no other.

`make fuzz` runs longer and from another case on: FUZZ_SECONDS for each kind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("worker.py")
SECONDS = float(os.environ.get("FUZZ_SECONDS", "2.5"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
KINDS = (
    "bags", "rosbag1", "folders", "images", "calibrations", "parameters", "weights", "results",
    "truths", "commands",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(kind: str, tmp_path: Path):
    command = [sys.executable, str(WORKER), kind, str(tmp_path), str(SECONDS), str(FIRST)]
    with (tmp_path / "errors").open("wb") as errors:
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    print(ended.stdout)
    case = (tmp_path / "case").read_text()
    words = (tmp_path / "errors").read_text(errors="replace")[-3000:]
    assert ended.returncode == 0, f"{kind} case {case} ended with {ended.returncode}\n{ended.stdout}\n{words}"
