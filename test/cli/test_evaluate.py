# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn evaluate` from a recording to a verdict, and one clear line where that cannot be."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.sequences.trajectories.files import read_trajectory


def test_a_recording_becomes_a_verdict(drcn, recording: Path, tmp_path: Path):
    film = tmp_path / "walk.gif"
    answer = drcn("evaluate", recording, "--out", tmp_path / "run", "--matcher", "sift", "--film", film)
    assert answer.code == 0
    assert f"film:   {film}" in answer.out
    assert film.read_bytes().startswith(b"GIF89a")
    assert re.search(r"^sift +6 +83\.3 %", answer.out, re.MULTILINE)
    content = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert content["matcher"] == "sift"
    assert content["relative_pose"]["rotation_deg"]["median"] < 0.5
    assert content["relative_pose"]["direction_deg"]["median"] < 10


def test_baselines_run_on_the_same_frames_and_are_compared(drcn, recording: Path, tmp_path: Path):
    out = tmp_path / "run"
    arguments = ("--matcher", "sift", "--baseline", "orb,sift", "--step", "2", "--no-timing")
    answer = drcn("evaluate", recording, "--out", out, *arguments)
    assert answer.code == 0
    assert re.search(r"^sift +3 .*\norb +3 ", answer.out, re.MULTILINE)
    assert (out / "comparison.html").is_file()
    assert json.loads((out / "baseline_orb" / "metrics.json").read_text())["matcher"] == "orb"
    answer = drcn("evaluate", "--compare", out, out / "baseline_orb", "--out", tmp_path / "both")
    assert answer.code == 0
    assert "baseline_orb" in answer.out
    assert (tmp_path / "both" / "comparison.png").is_file()
    assert "note:" not in answer.out
    assert drcn("evaluate", recording, "--out", tmp_path / "all", *arguments[:2], "--no-timing").code == 0
    answer = drcn("evaluate", "--compare", out, tmp_path / "all", "--out", tmp_path / "unlike")
    assert answer.code == 0
    assert "note: 'run' and 'all' are not of the same frames: 3 and 6, 3 in common; evaluate" in answer.out


def test_parameters_come_from_file_and_command_line(drcn, recording: Path, tmp_path: Path):
    params = tmp_path / "vo.yaml"
    text = "/**:\n  ros__parameters:\n    use_sim_time: true\n    matcher: {name: orb, max_keypoints: 300}\n"
    params.write_text(text + "camera:\n  ros__parameters: {matcher: {max_keypoints: 20}}\n")
    answer = drcn(
        "evaluate", recording, "--out", tmp_path / "run", "--params", params, "--set", "two_view.seed=7"
    )
    assert answer.code == 0
    assert "parameters of ROS itself have no effect here: use_sim_time" in answer.error
    content = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (content["device"], content["precision"]) == ("cpu", "none")
    assert "matcher orb on cpu, every" in (tmp_path / "run" / "report.html").read_text()
    parameters = content["parameters"]
    assert parameters["matcher.name"] == "orb"
    assert parameters["matcher.max_keypoints"] == 300
    assert parameters["two_view.seed"] == 7


def test_a_poor_verdict_says_what_the_user_can_do(drcn, recording: Path, tmp_path: Path):
    copy = tmp_path / "walk"
    shutil.copytree(recording, copy)
    (copy / "calib.yaml").unlink()
    (copy / "groundtruth.txt").unlink()
    answer = drcn("evaluate", copy, "--out", tmp_path / "run", "--matcher", "orb")
    assert answer.code == 0
    first, rest = answer.out.split("\n", 1)
    assert first.startswith("note: no calibration, so there are no poses; give one with --camera FILE")
    assert first.endswith(f"type: drcn evaluate {copy} --fov 65")
    assert "no calibration" not in rest
    assert "no ground truth, so nothing is judged; give one with --gt FILE" in answer.out


def test_a_guessed_camera_gives_a_first_look_that_is_called_one(drcn, recording: Path, tmp_path: Path):
    answer = drcn(
        "evaluate", recording / "rgb", "--fov", "67.4", "--out", tmp_path / "run", "--matcher", "sift"
    )
    assert answer.code == 0
    assert answer.out.startswith(
        "note: the camera is a guess: 67.4 degrees across the longer side (fx 179.9)"
    )
    assert "the camera is a guess" in (tmp_path / "run" / "report.html").read_text()
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["frames"]["states"]["TRACKING"] > 0


def test_frames_that_are_far_apart_in_time_are_explained(drcn, recording: Path, tmp_path: Path):
    answer = drcn(
        "evaluate", recording, "--out", tmp_path / "run", "--matcher", "orb", "--set", "max_gap=0.05"
    )
    assert "tracking started anew at 5 frames that came more than 0.05 s after the last" in answer.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "input nowhere does not exist"),
        ([], "name an INPUT to evaluate, or --compare"),
        (["RECORDING", "--step", "0"], "step 0"),
        (["RECORDING", "--start", "100"], "not one frame was left"),
        (["RECORDING", "--baseline", "surf"], "--baseline surf: known are drcn"),
        (["RECORDING", "--gt", "nowhere.txt"], "nowhere.txt: No such file"),
        (["RECORDING", "--camera", "nowhere.yaml"], "nowhere.yaml: No such file"),
        (["RECORDING", "--set", "matcher.name=surf"], "choose one of drcn"),
        (["RECORDING", "--film", "walk.png"], "film walk.png: name it *.gif"),
        (["--compare", "a", "b"], "a is no result of"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(drcn, recording, tmp_path, arguments, message):
    words = [str(recording) if word == "RECORDING" else word for word in arguments]
    matcher = [] if "--set" in words else ["--matcher", "orb"]
    answer = drcn("evaluate", *words, "--out", tmp_path / "run", *matcher)
    assert answer.code == 2
    assert message in answer.error
    assert len(answer.error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_is_not_overwritten(drcn, recording, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    answer = drcn("evaluate", recording, "--out", tmp_path, "--matcher", "orb")
    assert answer.code == 2
    assert "is no earlier result" in answer.error
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_calibration_for_another_size_is_explained(drcn, recording, tmp_path):
    text = (recording / "calib.yaml").read_text().replace("width: 240", "width: 640")
    (tmp_path / "calib.yaml").write_text(text)
    answer = drcn(
        "evaluate",
        recording,
        "--out",
        tmp_path / "run",
        "--matcher",
        "orb",
        "--camera",
        tmp_path / "calib.yaml",
    )
    assert answer.code == 0
    assert "6 frames without a pose: image is 240x180, its calibration is for 640x180 pixels" in answer.out


@pytest.fixture
def judged(drcn, recording: Path, tmp_path: Path):
    """Judges the recording by ground truth as people have it; returns the answer and its numbers."""

    def run(text: str, *options: str):
        (tmp_path / "truth.csv").write_text(text)
        arguments = ("--matcher", "sift", "--gt", tmp_path / "truth.csv", *options)
        answer = drcn("evaluate", recording, "--out", tmp_path / "run", *arguments)
        content = None
        if answer.code == 0:
            content = json.loads((tmp_path / "run" / "metrics.json").read_text())
        return answer, content

    return run


def lines(recording: Path, pattern: str, shift_ns: int = 0) -> str:
    truth = read_trajectory(recording / "groundtruth.txt")
    rows = []
    for stamp, place, turn in zip(truth.stamps_ns, truth.positions, truth.quaternions, strict=True):
        x, y, z = place
        a, b, c, d = turn
        rows.append(pattern.format(t=int(stamp) + shift_ns, x=x, y=y, z=z, a=a, b=b, c=c, d=d))
    return "\n".join(rows) + "\n"


TUM_NS = "{t} {x} {y} {z} {a} {b} {c} {d}"


def test_stamps_in_nanoseconds_judge_as_those_in_seconds(judged, recording):
    answer, content = judged(lines(recording, TUM_NS))
    assert answer.code == 0
    assert content["relative_pose"]["rotation_deg"]["median"] < 0.5
    assert content["ground_truth"] == {"frames": 6, "known": 6, "in_gaps": 0, "outside": 0}
    assert "note: stamps of truth.csv are taken as nanoseconds" in answer.out


def test_a_table_with_names_is_read_by_them(judged, recording):
    text = "qw;qx;qy;qz;z;y;x;time [ns]\n" + lines(recording, "{d};{a};{b};{c};{z};{y};{x};{t}")
    answer, content = judged(text)
    assert answer.code == 0
    assert content["relative_pose"]["rotation_deg"]["median"] < 0.5
    assert content["relative_pose"]["direction_deg"]["median"] < 10


def test_truth_of_another_hour_is_told_and_an_offset_brings_it_back(judged, recording):
    text = lines(recording, TUM_NS, 3_600_000_000_000)
    answer, content = judged(text)
    assert answer.code == 0
    assert content["relative_pose"]["pairs"] == 0
    assert "images and ground truth have no time in common" in answer.out
    assert "type --gt-offset -3600.000" in answer.out
    answer, content = judged(text, "--gt-offset", "-3600")
    assert content["relative_pose"]["pairs"] == 5
    assert "no time in common" not in answer.out


def test_positions_alone_judge_the_path_only(judged, recording):
    answer, content = judged(lines(recording, "{t},{x},{y},{z}"))
    assert answer.code == 0
    assert content["ate_sim3"]["poses"] == 6
    assert content["relative_pose"]["pairs"] == 0
    assert content["rotation_drift"]["value"] is None
    assert content["kitti"]["parts"] == 0
    assert "positions alone" in answer.out
    assert np.isfinite(content["ground_truth"]["known"])


def test_slow_truth_is_not_interpolated_and_that_is_said(judged, recording):
    text = "".join(lines(recording, TUM_NS, 20_000_000).splitlines(keepends=True)[::3])
    answer, content = judged(text)
    assert content["ground_truth"]["known"] == 0
    assert "only 0 of 6 frames have ground truth" in answer.out
    assert "3 frames in gaps of the ground truth longer than 0.12 s" in answer.out
    _, content = judged(text, "--gt-max-gap", "0.5")
    assert content["ground_truth"]["known"] == 3
