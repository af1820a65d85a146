# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from drcn_ros.cli.main import main


@pytest.mark.parametrize("arguments", [["--frames", "1"], ["--rate", "0"], ["--size", "63x480"]])
def test_a_run_that_cannot_be_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", *arguments]) == 2
    assert " ".join(arguments) in capsys.readouterr().err


@pytest.mark.dds
def test_a_short_run_of_the_real_node_grows_nowhere_and_loses_no_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "soak.json"
    arguments = [
        "--frames",
        "300",
        "--rate",
        "40",
        "--size",
        "320x240",
        "--json",
        str(file),
    ]
    status = main(["soak", *arguments, "--set", "matcher.name=orb"])
    assert status == 0, capsys.readouterr().out
    content = json.loads(file.read_text())
    assert content["received"] == content["processed"] + content["dropped"]
    assert content["last_number"] == content["processed"] > 0


@pytest.mark.dds
def test_a_run_that_is_terminated_takes_its_node_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drcn_ros", "soak", "--set", "matcher.name=orb", "--size", "320x240"]
    with subprocess.Popen([*command, "--log", str(tmp_path / "node.log")]) as running:
        parent = psutil.Process(running.pid)
        end = time.monotonic() + 60.0
        while not (nodes := parent.children()):
            assert time.monotonic() < end
            time.sleep(0.1)
        running.terminate()
        assert running.wait(60.0) == 143
    assert not any(node.is_running() for node in nodes)
