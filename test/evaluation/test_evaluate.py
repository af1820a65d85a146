# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A run from input to folder: the same numbers from every kind of input, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drcn_ros.configuration import build
from drcn_ros.errors import InputError
from drcn_ros.evaluation.compare import FinishedRun, compare, differences, names_of, read_run
from drcn_ros.evaluation.evaluate import JudgedRun, evaluate, judge
from drcn_ros.evaluation.metrics_file import HEADINGS, RunInfo, markdown_table, read_metrics, text_table
from drcn_ros.evaluation.run_log import LogOptions
from drcn_ros.evaluation.runner import run_direct
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import in_force
from drcn_ros.odometry import OdometryConfig
from drcn_ros.sequences import ImageSequence, Selection, open_sequence
from drcn_ros.sequences.bags.writer import Storage, write_bag
from drcn_ros.sequences.folders.tum_writer import write_tum
from drcn_ros.sequences.trajectories.files import read_trajectory

UNTIMED = LogOptions(timing=False)
SAME_ERRORS = {"rotation_error_deg": None, "direction_error_deg": None, "moved_m": None}


def info(sequence: ImageSequence, matcher: str, selection: Selection) -> RunInfo:
    parameters = {"matcher.name": matcher}
    used = in_force(MatcherConfig(name=matcher, device="cpu"))
    return RunInfo(
        "clip", sequence.kind, matcher, used, "direct", selection, parameters, sequence.notes.lines
    )


def judged(
    sequence: ImageSequence,
    folder: Path,
    selection: Selection | None = None,
    options: LogOptions = UNTIMED,
) -> JudgedRun:
    """Judge a run without drawing its report."""
    chosen = selection or Selection()
    folder.mkdir(exist_ok=True)
    steps = run_direct(sequence, chosen, build(OdometryConfig, {"matcher.name": "sift"}))
    return judge(steps, sequence, lambda: info(sequence, "sift", chosen), folder, options)


def evaluated(
    sequence: ImageSequence,
    folder: Path,
    matcher: str = "sift",
    selection: Selection | None = None,
    options: LogOptions = UNTIMED,
    on_step: Callable[[Any], None] | None = None,
) -> dict[str, Any]:
    chosen = selection or Selection()
    steps = run_direct(sequence, chosen, build(OdometryConfig, {"matcher.name": matcher}))
    return evaluate(steps, sequence, lambda: info(sequence, matcher, chosen), folder, options, on_step)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, clip: Any) -> Path:
    """The folder of a run over the clip."""
    folder: Path = tmp_path_factory.mktemp("finished") / "run"
    evaluated(clip, folder, options=LogOptions(matches_every=2))
    return folder


def test_a_run_writes_everything_and_its_numbers_are_good(finished: Path, clip):
    content = read_metrics(finished)
    assert {
        "metrics.json",
        "frames.csv",
        "trajectory.tum",
        "trajectory.kitti",
        "report.html",
        "trajectory.png",
        "drift.png",
        "errors.png",
        "states.png",
        "counts.png",
        "latency.png",
        "worst_1.jpg",
    } <= set(contents(finished))
    assert content["frames"]["total"] == len(clip)
    assert content["frames"]["valid"] == len(clip) - 1
    assert content["relative_pose"]["pairs"] == len(clip) - 1
    assert content["relative_pose"]["rotation_deg"]["median"] < 0.3
    assert content["relative_pose"]["direction_deg"]["median"] < 5
    assert content["latency_ms"]["total"]["median"] > 0
    assert len((finished / "trajectory.kitti").read_text().splitlines()) == len(clip)
    assert len(read_trajectory(finished / "trajectory.tum")) == len(clip)
    assert sorted(path.name for path in (finished / "matches").iterdir()) == [
        f"{index:06d}.jpg" for index in range(0, len(clip), 2)
    ]


def test_the_metrics_have_the_promised_layout(finished: Path):
    content = read_metrics(finished)
    assert {"input", "matcher", "step"} <= set(content)
    assert {"total", "valid", "states"} <= set(content["frames"])
    assert {"pairs", "rotation_deg", "direction_deg", "auc"} <= set(content["relative_pose"])
    assert {"median", "p90"} == set(content["relative_pose"]["rotation_deg"])
    assert {"pairs", "median", "p90"} <= set(content["relative_pose"]["direction_deg"])
    assert {"5", "10", "20"} == set(content["relative_pose"]["auc"])
    assert {"rmse_m", "percent_of_path", "path_m"} <= set(content["ate_sim3"])
    assert {"first", "last", "worst"} == set(content["scale_drift"])
    assert {"value", "unit", "part_m", "parts", "mean_deg"} == set(content["rotation_drift"])
    assert {"median", "p95"} == set(content["latency_ms"]["total"])


def test_two_runs_give_the_same_bytes_and_timing_changes_no_pose(tmp_path: Path, clip, finished: Path):
    for name in ("a", "b"):
        evaluated(clip, tmp_path / name, options=LogOptions(timing=False, matches_every=2))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a" / "matches") == contents(finished / "matches")
    for file in ("trajectory.tum", "trajectory.kitti", "groundtruth.tum"):
        assert (tmp_path / "a" / file).read_bytes() == (finished / file).read_bytes()
    assert read_metrics(tmp_path / "b")["latency_ms"]["total"] == {"median": None, "p95": None}


def test_mcap_sqlite_and_folder_give_the_numbers_of_the_clip(tmp_path: Path, clip):
    write_bag(clip, tmp_path / "mcap")
    write_bag(clip, tmp_path / "sqlite", storage=Storage.SQLITE3)
    write_tum(clip, tmp_path / "tum")
    expected = judged(clip, tmp_path / "run")
    for name in ("mcap", "sqlite", "tum"):
        run = judged(open_sequence(tmp_path / name), tmp_path / f"run_{name}")
        assert np.array_equal(run.path.every, expected.path.every)
        for ours, theirs in zip(run.log.rows, expected.log.rows, strict=True):
            assert replace(ours, **SAME_ERRORS) == replace(theirs, **SAME_ERRORS)
        # The ground truth went through quaternions.
        ours, theirs = run.content["relative_pose"], expected.content["relative_pose"]
        assert ours["rotation_deg"]["median"] == pytest.approx(theirs["rotation_deg"]["median"], rel=1e-9)
        assert ours["direction_deg"]["p90"] == pytest.approx(theirs["direction_deg"]["p90"], rel=1e-9)


def test_each_step_is_judged_against_its_own_reference(tmp_path: Path, clip):
    run = judged(clip, tmp_path, Selection(step=2))
    content, rows = run.content, run.log.rows
    assert content["frames"]["total"] == len(clip) // 2
    assert [row.stamp for row in rows] == clip.stamps_ns[::2]
    positions = clip.ground_truth.positions
    assert rows[1].moved_m == pytest.approx(np.linalg.norm(positions[2] - positions[0]))
    assert content["relative_pose"]["rotation_deg"]["median"] < 0.3


def test_frames_that_hardly_move_have_no_direction_and_are_counted(tmp_path: Path, clip):
    content = judged(clip, tmp_path, options=LogOptions(min_motion=10.0)).content
    direction = content["relative_pose"]["direction_deg"]
    assert direction["pairs"] == 0
    assert direction["median"] is None
    assert direction["unmoved"] == content["relative_pose"]["pairs"]


class Without(ImageSequence):
    """The clip without what is said."""

    def __init__(self, clip: ImageSequence, camera: bool = True, truth: bool = True) -> None:
        super().__init__("clip", "clip")
        self.camera = clip.camera if camera else None
        self.ground_truth = clip.ground_truth if truth else None
        self._clip = clip

    def __len__(self) -> int:
        return len(self._clip)

    def shots(self):
        return self._clip.shots()


def test_without_ground_truth_there_is_a_run_and_no_verdict(tmp_path: Path, clip):
    content = evaluated(Without(clip, truth=False), tmp_path / "run")
    assert content["relative_pose"]["rotation_deg"] == {"median": None, "p90": None}
    assert content["ate_sim3"]["rmse_m"] is None
    assert content["frames"]["valid"] > 0
    assert not (tmp_path / "run" / "groundtruth.tum").exists()


def test_without_a_calibration_every_frame_waits_for_one(tmp_path: Path, clip):
    content = judged(Without(clip, camera=False), tmp_path).content
    assert content["frames"]["states"] == {"WAITING_FOR_CALIBRATION": len(clip)}
    assert content["relative_pose"]["pairs"] == 0


def test_black_frames_are_lost_and_count_as_failed(tmp_path: Path, clip):
    images = list(clip.images)
    clip.images[4] = np.zeros_like(images[4])
    try:
        content = judged(clip, tmp_path).content
    finally:
        clip.images[:] = images
    assert content["frames"]["states"]["LOST"] >= 1
    assert content["relative_pose"]["failed"] >= 1
    assert content["relative_pose"]["auc"]["20"] < 100 * 6.5 / 7


def test_no_frame_left_is_one_clear_line_and_no_folder(tmp_path: Path, clip):
    with pytest.raises(InputError, match="not one frame was left to process; check --start"):
        evaluated(clip, tmp_path / "run", selection=Selection(start_s=99))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_nothing(tmp_path: Path, clip):
    def stop(step: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluated(clip, tmp_path / "run", on_step=stop)
    assert list(tmp_path.iterdir()) == []


def test_the_report_is_one_file_that_loads_nothing(finished: Path):
    page = (finished / "report.html").read_text()
    assert page.count("data:image/png;base64,") >= 4
    assert "data:image/jpeg;base64," in page
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "http" not in page
    assert "<script" not in page


def test_every_picture_of_a_run_shows_something(finished: Path):
    for file in (*finished.glob("*.png"), *finished.glob("*.jpg")):
        image = cv2.imread(str(file))
        assert image is not None, file
        assert image.std() > 5, file


def test_the_worst_frames_are_kept_with_their_pictures(tmp_path: Path, clip):
    run = judged(clip, tmp_path)
    errors = [max(row.rotation_error_deg or 0, row.direction_error_deg or 0) for row in run.log.rows]
    worst = run.log.worst()
    assert [frame.row.frame for frame in worst] == np.argsort(errors)[::-1][: len(worst)].tolist()
    assert all(frame.picture.shape[1] > 2 * 320 for frame in worst)


def test_runs_are_compared_in_a_table_a_picture_and_a_page(tmp_path: Path, clip, finished: Path):
    evaluated(clip, tmp_path / "orb", "orb")
    runs = {"orb": read_run(tmp_path / "orb"), "sift": read_run(finished)}
    table = compare(runs, tmp_path / "both")
    assert [row[0] for row in table[1:]] == ["orb", "sift"]
    assert sorted(contents(tmp_path / "both")) == [".drcn_files", "comparison.html", "comparison.png"]
    assert cv2.imread(str(tmp_path / "both" / "comparison.png")).std() > 5


def test_runs_that_are_not_of_the_same_thing_are_told(tmp_path: Path, clip, finished: Path):
    run = read_run(finished)
    rows, paths = run.rows, run.paths

    def told(other: FinishedRun) -> list[str]:
        return differences({"a": run, "b": other})

    def renamed(name: str, least: float = 0.01) -> dict[str, Any]:
        direction = {**run.metrics["relative_pose"]["direction_deg"], "min_motion_m": least}
        relative = {**run.metrics["relative_pose"], "direction_deg": direction}
        return {**run.metrics, "input": name, "relative_pose": relative}

    assert told(run) == []
    # The same recording under another name is the same; its truth shows it.
    assert told(replace(run, metrics=renamed("elsewhere/other"))) == []
    later = [replace(row, stamp=row.stamp + 10**12) for row in rows]
    assert told(replace(run, rows=later)) == [
        "'a' and 'b' are of different sequences, clip and clip: no frame in common, so compare none of it"
    ]
    (line,) = told(replace(run, rows=rows[::2]))
    assert f"not of the same frames: {len(rows)} and {len(rows[::2])}, {len(rows[::2])} in common" in line
    truth = paths.truth.copy()
    truth[:, 0, 3] += 0.01
    assert told(replace(run, paths=replace(paths, truth=truth))) == [
        "'a' and 'b' have different ground truth at the same stamps: clip and clip"
    ]
    unknown = replace(run, metrics=renamed("other"), paths=replace(paths, truth=np.zeros((0, 4, 4))))
    assert told(unknown) == [
        "'a' and 'b' are of clip and other; nothing tells whether these are the same frames"
    ]
    assert told(replace(run, metrics=renamed("clip", 0.05))) == [
        "'a' and 'b' were judged with --min-motion 0.01 and 0.05"
    ]
    compare({"a": run, "b": unknown}, tmp_path / "both")
    assert "nothing tells whether" in (tmp_path / "both" / "comparison.html").read_text()


def test_runs_are_named_by_what_tells_them_apart(tmp_path: Path):
    assert names_of([Path("/x/a"), Path("/x/b")]) == ["a", "b"]
    assert names_of([Path("/x/a/run"), Path("/x/b/run")]) == ["a/run", "b/run"]
    with pytest.raises(InputError, match="named twice"):
        names_of([Path("/x/a"), Path("/x/a")])


@pytest.mark.parametrize("content", [None, "{", "{}", "[]", '{"frames": 3}'])
def test_what_is_no_run_cannot_be_compared(tmp_path: Path, content):
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(InputError, match=r"no result of|not as this version of `drcn evaluate` writes it"):
        read_run(tmp_path)


def test_tables_for_terminals_and_for_documents_hold_the_same_cells():
    rows = [list(HEADINGS), [str(index) for index in range(len(HEADINGS))]]
    assert text_table(rows).splitlines()[2].split() == rows[1]
    assert markdown_table(rows).splitlines()[2].strip("| ").split(" | ") == rows[1]
