# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What must hold of the package as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import drcn_ros
from drcn_ros.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("drcn_ros", "examples", "launch", "test")
SOURCES = [ROOT / "setup.py", *sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))]
HEADER = "# Copyright 2026 The drcn_ros Authors\n# SPDX-License-Identifier: Apache-2.0\n"


def test_version_is_the_same_everywhere() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    setup = re.search(r'version="([^"]+)"', (ROOT / "setup.py").read_text())
    assert setup is not None
    assert manifest.findtext("version") == setup.group(1) == drcn_ros.__version__


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_file_starts_with_its_licence(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(HEADER)


def test_core_runs_without_ros() -> None:
    blocked = ["rclpy", "sensor_msgs", "geometry_msgs", "nav_msgs", "std_msgs", "cv_bridge"]
    code = f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
    code += "import drcn_ros.odometry, drcn_ros.matching, drcn_ros.evaluation.evaluate, drcn_ros.scenes\n"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_command_explains_itself(command: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "drcn_ros", command, "--help"], capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == 0
    assert f"drcn {command}" in finished.stdout


def test_unknown_command_ends_with_code_two_and_the_list() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "drcn_ros", "fly"], capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 2
    assert "evaluate" in finished.stderr
    assert "Traceback" not in finished.stderr
