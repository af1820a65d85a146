# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A child process imports nothing from the folder that it is started in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from drcn_ros.children import module_command


def test_a_file_in_the_working_directory_is_not_run(tmp_path: Path) -> None:
    for name in ("numpy", "yaml", "runpy", "cv2", "drcn_ros"):
        (tmp_path / f"{name}.py").write_text("open('was_run', 'w'); raise SystemExit(3)")
    command = [*module_command("drcn_ros"), "evaluate", "no_such_input", "--out", "result"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert not (tmp_path / "was_run").exists()
    assert ended.returncode == 2
    assert "no_such_input" in ended.stderr
    assert "Traceback" not in ended.stderr
