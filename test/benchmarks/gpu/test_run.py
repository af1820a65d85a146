# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a run on a GPU: each in its process, within its time, and what is done stays written."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from drcn_ros.benchmarks.gpu import inputs
from drcn_ros.benchmarks.gpu.agreement import difference
from drcn_ros.benchmarks.gpu.parts import FAILURES, Part, Settings
from drcn_ros.benchmarks.gpu.report import JSON, MARKDOWN, table
from drcn_ros.benchmarks.gpu.run import run_parts
from drcn_ros.benchmarks.speed.benchmark import matcher_config
from drcn_ros.benchmarks.speed.frames import load_frames, save_frames
from drcn_ros.cli.bench_gpu import PARTS
from drcn_ros.cli.main import main
from drcn_ros.errors import InputError
from drcn_ros.odometry import OdometryConfig, VisualOdometry

# What the processes of their own run; without torch they are there at once.
MODULE = "gpu_parts_of_a_test"
PARTS_OF_A_TEST = """
import os, time
from drcn_ros.benchmarks.gpu.parts import Row, attempt

def good(settings):
    yield Row("numbers", {"device": settings.device, "ms": 1.25})
    yield from attempt({"case": "bad"}, lambda: 1 / 0)
    yield Row("numbers", {"device": "again", "ms": None})

def failing(settings):
    yield Row("numbers", {"before": 1})
    raise RuntimeError("this part has failed")

def endless(settings):
    yield Row("numbers", {"process": os.getpid()})
    time.sleep(600)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with parts that a process of its own can import."""
    (tmp_path / f"{MODULE}.py").write_text(PARTS_OF_A_TEST)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return MODULE


def _settings(folder: Path) -> Settings:
    return Settings("cpu", folder / "out", folder, small=False)


def test_failing_and_endless_parts_leave_their_rows_and_others_go_on(module: str, tmp_path: Path) -> None:
    seconds = {"failing": 60.0, "endless": 6.0, "good": 60.0}
    parts = [Part(name, f"part {name}", f"{module}:{name}", limit) for name, limit in seconds.items()]
    ended = run_parts(parts, _settings(tmp_path), 100.0)
    assert [one.state for one in ended] == ["failed", "out of time", "done"]
    assert "RuntimeError: this part has failed" in ended[0].reason
    content = json.loads((tmp_path / "out" / JSON).read_text())["parts"]
    assert content[0]["tables"] == {"numbers": [{"before": 1}]}
    assert content[2]["tables"]["numbers"][0] == {"device": "cpu", "ms": 1.25}
    assert "ZeroDivisionError" in content[2]["tables"][FAILURES][0]["error"]
    with pytest.raises(ProcessLookupError):
        os.kill(content[1]["tables"]["numbers"][0]["process"], 0)
    text = (tmp_path / "out" / MARKDOWN).read_text()
    assert "| cpu | 1.25 |" in text
    assert "this part has failed" in text


def test_parts_for_which_no_time_is_left_are_told(tmp_path: Path) -> None:
    (ended,) = run_parts([Part("good", "a part", f"{MODULE}:good", 60.0)], _settings(tmp_path), 1.0)
    assert ended.state == "not run"
    assert "not run" in (tmp_path / "out" / MARKDOWN).read_text()


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="--out"):
        run_parts([], _settings(tmp_path), 60.0)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_is_there(part: Part) -> None:
    module, _, name = part.rows.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_a_table_has_a_column_for_every_name() -> None:
    assert table([{"a": 1.0, "b": "x|y"}, {"b": None, "c": 1234.5}]) == [
        "| a | b | c |",
        "|---|---|---|",
        "| 1 | x/y |  |",
        "|  |  | 1234 |",
    ]


def test_frames_go_there_and_back(tmp_path: Path) -> None:
    images = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 5), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, stamps=np.array([10, 20, 30]), camera=np.ones(4))
    inputs.there_and_back(tmp_path / "a.npz", 6, tmp_path / "b.npz")
    frames, _ = load_frames(tmp_path / "b.npz")
    assert [int(frame.image[0, 0]) for frame in frames] == [0, 1, 2, 1, 0, 1]
    assert [frame.stamp_ns for frame in frames] == [10, 20, 30, 40, 50, 60]


def test_a_run_differs_from_itself_in_nothing_and_from_less_precision_in_little(tmp_path: Path) -> None:
    save_frames(tmp_path / "frames.npz", 160, 120, 3)
    frames, camera = load_frames(tmp_path / "frames.npz")
    runs = []
    for precision in ("float32", "bfloat16"):
        config = matcher_config("drcn", device="cpu", precision=precision, compile="off")
        odometry = VisualOdometry(OdometryConfig(matcher=config), camera)
        runs.append([odometry.process(frame) for frame in frames])
    same = difference(runs[0], runs[0])
    assert (same.keypoints, same.matches, same.same_reference) == (1.0, 1.0, 1.0)
    assert same.change_px.max() == same.rotation_deg.max() == 0.0
    other = difference(*runs)
    assert 0.8 < other.matches <= 1.0
    assert 0.0 < np.median(other.change_px) < 0.1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_without_cuda_it_says_so_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "gpu", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "finds no CUDA device" in error
    assert "--device cpu" in error
    assert len(error.splitlines()) == 1


def test_an_unknown_part_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "gpu", "--out", str(tmp_path), "--device", "cpu", "--parts", "speed,fly"]) == 2
    assert "fly" in capsys.readouterr().err
