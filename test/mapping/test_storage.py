# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError, MissingDependencyError
from drcn_ros.mapping import Mapper, TrackedFrame
from drcn_ros.sequences.trajectories.files import read_trajectory

Frames = Callable[..., list[TrackedFrame]]
Circle = Callable[..., np.ndarray]


@pytest.fixture
def made(world: Frames, circle: Circle) -> Mapper:
    mapper = Mapper()
    for frame in world(circle(70, turns=1.25)):
        mapper.add(frame)
    mapper.finish()
    assert len(mapper.graph().loops) > 0
    return mapper


def same(one: Mapper, two: Mapper) -> bool:
    parts = [(m.path(), m.keyframe_path(), m.graph(), m.points()) for m in (one, two)]
    return all(
        np.array_equal(getattr(left, name), getattr(right, name))
        for left, right in zip(*parts, strict=True)
        for name in vars(left)
    )


def test_a_saved_map_is_loaded_equal_and_goes_on(
    made: Mapper, world: Frames, circle: Circle, tmp_path: Path
) -> None:
    made.save(tmp_path / "map")
    loaded = Mapper.load(tmp_path / "map")
    assert same(made, loaded)
    # The odometry has started anew, and its place is found again.
    true = circle(70, turns=1.25)
    for frame in world(true[10:40], segment=3):
        loaded.add(frame)
    loaded.finish()
    assert np.abs(loaded.path().poses[-1] - true[39]).max() < 0.3


def test_the_files_are_what_others_read(made: Mapper, tmp_path: Path) -> None:
    made.save(tmp_path / "map")
    read = read_trajectory(tmp_path / "map" / "keyframes.tum")
    assert read.poses == pytest.approx(made.keyframe_path().poses, abs=1e-6)
    lines = (tmp_path / "map" / "graph.g2o").read_text().splitlines()
    graph = made.graph()
    assert sum(line.startswith("VERTEX_SE3:QUAT") for line in lines) == len(made)
    edges = [line.split() for line in lines if line.startswith("EDGE_SE3:QUAT")]
    assert len(edges) == len(graph.odometry) + len(graph.loops)
    assert all(len(edge) == 1 + 2 + 7 + 21 for edge in edges)
    head, _, body = (tmp_path / "map" / "points.ply").read_bytes().partition(b"end_header\n")
    assert f"element vertex {len(made.points())}\n".encode() in head
    assert np.frombuffer(body, "<f4").reshape(-1, 3) == pytest.approx(
        made.points().points, rel=1e-5, abs=1e-5
    )


def test_gtsam_reads_the_graph(made: Mapper, tmp_path: Path) -> None:
    import gtsam

    made.save(tmp_path / "map")
    graph, values = gtsam.readG2o(str(tmp_path / "map" / "graph.g2o"), True)
    assert values.size() == len(made)
    assert graph.error(values) < 5 * graph.size()


_KILLED = """
import sys
from pathlib import Path
import numpy as np
from drcn_ros.mapping import Mapper
mapper = Mapper.load(Path(sys.argv[1]))
def endless(*args, **kwargs):
    args[0].write(b"half of it")
    args[0].flush()
    print("writing", flush=True)
    import time
    time.sleep(60)
np.savez = endless
mapper.save(Path(sys.argv[1]))
"""


def test_a_process_killed_while_it_saves_leaves_the_last_map(made: Mapper, tmp_path: Path) -> None:
    folder = tmp_path / "map"
    made.save(folder)
    child = subprocess.Popen([sys.executable, "-c", _KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "writing\n"
        os.kill(child.pid, signal.SIGKILL)
        child.wait(timeout=30)
    assert same(made, Mapper.load(folder))
    made.save(folder)
    assert same(made, Mapper.load(folder))


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_damaged_map_is_told_in_one_line(made: Mapper, tmp_path: Path, size: int) -> None:
    made.save(tmp_path / "map")
    archive = tmp_path / "map" / "map.npz"
    archive.write_bytes(archive.read_bytes()[:size])
    with pytest.raises(InputError, match=r"map\.npz is damaged") as caught:
        Mapper.load(tmp_path / "map")
    assert "\n" not in str(caught.value)


def test_what_is_no_map_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no map"):
        Mapper.load(tmp_path)
    with pytest.raises(InputError, match="no keyframe yet"):
        Mapper().save(tmp_path / "map")


def test_without_gtsam_one_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gtsam", None)
    with pytest.raises(MissingDependencyError, match=r"pip install gtsam==") as caught:
        Mapper()
    assert "\n" not in str(caught.value)
