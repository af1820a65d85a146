# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How a command ends: by a signal at any moment, by a full disk, by numbers that mean nothing."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from drcn_ros.children import module_command
from drcn_ros.evaluation.evaluate import RUN_FILES
from drcn_ros.results.replacing import OWN_FILES


def _start(*words: object, **options: object) -> subprocess.Popen[str]:
    command = [*module_command("drcn_ros"), *map(str, words)]
    # A shell's background jobs ignore SIGINT, and hand that on.
    listens = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    options = {"stderr": subprocess.PIPE, "text": True, "preexec_fn": listens, **options}
    return subprocess.Popen(command, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize("importing", [True, False], ids=["importing", "running"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_with_one_code_and_a_word(
    recording: Path, tmp_path: Path, number: int, importing: bool
):
    out = tmp_path / "run"
    process = _start("evaluate", recording, "--out", out, "--matcher", "sift", "--baseline", "orb,drcn,d2net")
    # The libraries that a process has loaded tell that it imports; the folder, that it works.
    libraries = Path(f"/proc/{process.pid}/maps")
    while not ("numpy" in libraries.read_text() if importing else list(tmp_path.iterdir())):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 128 + number
    assert error.strip().splitlines()[-1] == f"drcn evaluate: ended by {signal.Signals(number).name}"
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_a_full_disk_behind_the_output_is_one_line():
    with Path("/dev/full").open("w") as full:
        process = _start("weights", "list", stdout=full)
        _, error = process.communicate(timeout=300)
    assert process.returncode == 2
    assert error == "drcn weights: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--matches", "-3"], "--matches -3: must be at least 0"),
        (["--min-motion", "nan"], "--min-motion nan"),
        (["--min-motion", "-1"], "--min-motion -1"),
        (["--start", "inf"], "start inf"),
        (["--duration", "nan"], "duration nan"),
        (["--fps", "inf"], "rate inf"),
        (["--rate", "nan", "--live"], "--rate nan"),
    ],
)
def test_a_number_that_means_nothing_is_refused_at_once(drcn, recording, tmp_path, words, message):
    answer = drcn("evaluate", recording, "--out", tmp_path / "run", "--matcher", "orb", *words)
    assert answer.code == 2
    assert message in answer.error
    assert not list(tmp_path.iterdir())


def test_a_picture_of_no_known_kind_is_refused_before_the_images_are_read(drcn):
    answer = drcn("match", "nowhere.png", "nowhere.png", "-o", "out.txt")
    assert answer.code == 2
    assert "name it *.png or *.jpg" in answer.error


def test_a_folder_of_somebody_else_is_refused_before_the_work(drcn, recording: Path, tmp_path: Path):
    (tmp_path / "metrics.json").write_text("mine")
    answer = drcn("evaluate", recording, "--out", tmp_path, "--matcher", "drcn")
    assert answer.code == 2
    assert "is no earlier result" in answer.error
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
    answer = drcn("demo", recording, "--out", tmp_path, "--matcher", "orb", "--set", "matcher.name=nonsense")
    (tmp_path / "node.log").write_text("mine")
    assert drcn("demo", recording, "--out", tmp_path, "--matcher", "orb").code == 2
    assert (tmp_path / "node.log").read_text() == "mine"


def test_a_file_in_the_way_in_a_result_is_refused_before_the_work(drcn, recording: Path, tmp_path: Path):
    words = ["evaluate", recording, "--out", tmp_path / "run", "--matches", "1"]
    assert drcn(*words, "--matcher", "orb").code == 0
    # Weights that are not there are found by the work alone.
    work = ["--matcher", "drcn", "--set", "matcher.weights=nowhere"]
    written = {path.relative_to(tmp_path / "run") for path in (tmp_path / "run").rglob("*.*")}
    assert [path for path in written if not any(path.match(name) for name in (*RUN_FILES, OWN_FILES))] == []
    (tmp_path / "run" / "worst_99.jpg").write_text("mine")
    answer = drcn(*words, *work)
    assert answer.code == 2
    assert "holds worst_99.jpg, which is no file of an earlier result" in answer.error
    (tmp_path / "run" / "worst_99.jpg").unlink()
    (tmp_path / "run" / "baseline_sift").mkdir()
    (tmp_path / "run" / "baseline_sift" / "frames.csv").write_text("mine")
    answer = drcn(*words, "--baseline", "sift", *work)
    assert "baseline_sift holds frames.csv, which is no file of an earlier result" in answer.error
    assert "does not exist" in drcn(*words, *work).error


@pytest.mark.parametrize("megabytes", [300, 700, 1100])
def test_too_little_address_space_is_one_line(megabytes: int):
    words = " ".join(shlex.quote(word) for word in [*module_command("drcn_ros"), "weights", "list"])
    limited = f"ulimit -v {megabytes * 1024}; exec {words}"
    ended = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert f"the address space is limited to {megabytes} MB" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_package_that_is_missing_is_one_line(tmp_path: Path):
    (tmp_path / "torch.py").write_text("raise ImportError('No module named torch')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "drcn_ros", "match", "a.png", "b.png"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "drcn match: a package is missing or cannot be loaded: No module named torch\n"
