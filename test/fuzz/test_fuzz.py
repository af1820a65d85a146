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
# The same cases in every run of the suite, however fast the machine; FUZZ_SECONDS makes it longer.
CASES = {
    "bags": 150, "rosbag1": 200, "folders": 100, "images": 150, "calibrations": 150,
    "parameters": 80, "weights": 120, "results": 150, "truths": 200, "commands": 20,
}  # fmt: skip
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))


@pytest.mark.parametrize("kind", CASES)
def test_damaged_files_are_read_or_refused(kind: str, tmp_path: Path):
    numbers = [CASES[kind], FIRST, SECONDS]
    command = [sys.executable, str(WORKER), kind, str(tmp_path), *map(str, numbers)]
    with (tmp_path / "errors").open("wb") as errors:
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    print(ended.stdout)
    case = (tmp_path / "case").read_text()
    words = (tmp_path / "errors").read_text(errors="replace")[-3000:]
    assert ended.returncode == 0, f"{kind} case {case} ended with {ended.returncode}\n{ended.stdout}\n{words}"
