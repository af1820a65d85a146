# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn evaluate-all` gives a row for each input, keeps failures apart, and goes on where it stopped."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from drcn_ros.errors import InputError
from drcn_ros.evaluation.batch import read_tasks


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture
def listed(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECORDINGS", str(recording.parent))
    file = tmp_path / "list.txt"
    file.write_text(
        "# what is there\n"
        "$RECORDINGS/walk --matcher orb   # the first\n"
        "\n"
        "$RECORDINGS/walk --matcher sift --step 2\n"
        "nowhere\n"
    )
    return file


def test_each_input_has_a_row_failures_their_reason_and_what_is_done_stays_done(drcn, listed, tmp_path):
    out = tmp_path / "out"
    answer = drcn("evaluate-all", listed, "--out", out, "--workers", "2", "--options=--no-timing")
    assert answer.code == 1
    table = rows(out / "table.csv")
    assert [(row["matcher"], row["step"], row["frames"]) for row in table] == [
        ("orb", "1", "6"),
        ("sift", "2", "3"),
    ]
    assert float(table[1]["rotation_median_deg"]) < 1
    assert table[0]["latency_median_ms"] == ""
    failed = rows(out / "failures.csv")
    assert len(failed) == 1
    assert failed[0]["reason"] == f"drcn evaluate: input {tmp_path / 'nowhere'} does not exist"
    assert (out / "table.md").read_text().splitlines()[2].startswith("| walk, orb | 6 |")

    # As after a cut: one result is missing, the others are not made again.
    kept, lost = (out / row["folder"] for row in table)
    before = (kept / "metrics.json").stat().st_mtime_ns
    shutil.rmtree(lost)
    listed.write_text(listed.read_text().replace("nowhere\n", ""))
    answer = drcn("evaluate-all", listed, "--out", out, "--options=--no-timing")
    assert answer.code == 0
    assert "1 of 2 are done already" in answer.error
    assert (kept / "metrics.json").stat().st_mtime_ns == before
    assert rows(out / "table.csv") == table
    assert not (out / "failures.csv").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_with_its_processes_and_leaves_no_half_result(
    listed, tmp_path, number
):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "drcn_ros", "evaluate-all", str(listed), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not out.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(1)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert not any(psutil.pid_exists(child) for child in children)
    assert "Traceback" not in errors
    for folder in (path for path in out.iterdir() if path.is_dir() and not path.name.startswith(".")):
        assert (folder / "report.html").is_file()


def test_a_ray_instance_gives_the_same_rows(drcn, listed, tmp_path):
    reason = "Ray is optional and listens on all network interfaces: pip install ray where that does no harm"
    pytest.importorskip("ray", reason=reason)
    for place in (("--workers", "1"), ("--ray", "local")):
        answer = drcn("evaluate-all", listed, "--out", tmp_path / place[0], *place, "--options=--no-timing")
        assert answer.code == 1, answer.error
    here, there = tmp_path / "--workers", tmp_path / "--ray"
    for file in ("table.csv", "failures.csv"):
        assert rows(here / file) == rows(there / file)
    for row in rows(here / "table.csv"):
        for name in ("trajectory.tum", "frames.csv", "report.html"):
            assert (here / row["folder"] / name).read_bytes() == (there / row["folder"] / name).read_bytes()


def test_without_ray_the_extra_is_named(drcn, listed, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    answer = drcn("evaluate-all", listed, "--out", tmp_path / "out", "--ray", "local")
    assert answer.code == 2
    assert "pip install ray" in answer.error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("# nothing\n", "names no input"),
        ("a 'b\n", "line 1: No closing quotation"),
        ("a\n a \n", "line 2: 'a' is there twice"),
        ("$NOT_SET_AT_ALL/a\n", r"a variable in '\$NOT_SET_AT_ALL/a' is not set"),
    ],
)
def test_a_damaged_list_is_one_clear_line(tmp_path, content, message):
    file = tmp_path / "list.txt"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=message):
        read_tasks(file)


def test_the_name_of_a_task_depends_on_its_words_alone(tmp_path):
    (tmp_path / "a.txt").write_text("x --step 2\n/y\n")
    (tmp_path / "b.txt").write_text("/y\nx --step 2\n")
    first, second = (read_tasks(tmp_path / name) for name in ("a.txt", "b.txt"))
    assert {task.name for task in first} == {task.name for task in second}
    assert first[0].words[0] == str(tmp_path / "x")


def test_no_workers_is_refused(drcn, listed, tmp_path):
    answer = drcn("evaluate-all", listed, "--out", tmp_path / "out", "--workers", "0")
    assert answer.code == 2
    assert os.listdir(tmp_path) == ["list.txt"]
