# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A map as a folder: poses in TUM format and as g2o graph, points as PLY, and all of it in one archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array
from drcn_ros.mapping.keyframes import Keyframe
from drcn_ros.mapping.types import FramePoints, Loop
from drcn_ros.mapping.views import MapPath, PointsView
from drcn_ros.results.replacing import replaced_folder
from drcn_ros.sequences.trajectories.files import tum_lines
from drcn_ros.sequences.trajectories.quaternions import quaternions_from_rotations
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# The archive comes last: a folder without it holds no map.
ARCHIVE = "map.npz"
_VERSION = 1


@dataclass(frozen=True)
class MapState:
    """All that a map consists of.

    Attributes:
        keyframes: of the map.
        frames: stamp, keyframe and pose in the keyframe's axes and unit of each frame.
        open: keyframes with which segments begin that no loop joins to what was before.
        estimates: S_map_keyframe.
        steps: to each keyframe but the first, with covariances.
        loops, holds: all loops, and whether each holds.
    """

    keyframes: Sequence[Keyframe]
    frames: Sequence[tuple[int, int, Array]]
    open: Sequence[int]
    estimates: Sequence[Similarity]
    steps: Sequence[tuple[Similarity, Array]]
    loops: Sequence[Loop]
    holds: Sequence[bool]


def write_map(folder: Path, state: MapState, path: MapPath, points: PointsView) -> None:
    """Write a folder, which appears whole; errors are those of `Mapper.save`."""
    if not state.keyframes:
        msg = f"the map has no keyframe yet, so nothing is written to {folder}"
        raise InputError(msg)
    with replaced_folder(folder, ARCHIVE) as temporary:
        lines = tum_lines(Trajectory.from_poses(path.stamps_ns, path.poses))
        (temporary / "keyframes.tum").write_text("".join(lines), encoding="utf-8")
        (temporary / "graph.g2o").write_text("".join(_g2o_lines(state, path)), encoding="utf-8")
        _write_ply(temporary / "points.ply", points.points)
        with (temporary / ARCHIVE).open("wb") as file:
            np.savez(file, **_arrays(state))


def read_map(folder: Path) -> MapState:
    """Return the map of a folder; errors are those of `Mapper.load`."""
    archive = folder / ARCHIVE
    try:
        with np.load(archive, allow_pickle=False) as file:
            arrays = dict(file)
        if int(arrays["version"]) != _VERSION:
            msg = f"{archive} is of version {int(arrays['version'])}, this reads version {_VERSION}"
            raise InputError(msg)
        return _state(arrays)
    except FileNotFoundError:
        msg = f"{folder} holds no map: {ARCHIVE} is missing; give a folder that `drcn slam` or map_node wrote"
        raise InputError(msg) from None
    except (OSError, KeyError, ValueError, IndexError, EOFError, BadZipFile) as error:
        msg = f"{archive} is damaged ({type(error).__name__}: {error}); save the map again"
        raise InputError(msg) from None


def _arrays(state: MapState) -> dict[str, Any]:
    keyframes, loops = state.keyframes, state.loops
    points = [keyframe.points for keyframe in keyframes]
    arrays: dict[str, Any] = {
        "version": np.array(_VERSION),
        "stamps_ns": np.array([keyframe.stamp_ns for keyframe in keyframes], np.int64),
        "segments": np.array([keyframe.segment for keyframe in keyframes], np.int64),
        "metric": np.array([keyframe.metric for keyframe in keyframes], bool),
        "odometry": np.array([keyframe.pose for keyframe in keyframes]),
        "point_counts": np.array([len(part) for part in points], np.int64),
        "open": np.array(state.open, np.int64),
        "frame_stamps_ns": np.array([stamp for stamp, _, _ in state.frames], np.int64),
        "frame_keyframes": np.array([number for _, number, _ in state.frames], np.int64),
        "frame_poses": np.array([pose for _, _, pose in state.frames]).reshape(-1, 4, 4),
        "step_covariances": np.array([covariance for _, covariance in state.steps]).reshape(-1, 7, 7),
        "loop_pairs": np.array([(loop.first, loop.second) for loop in loops], np.int64).reshape(-1, 2),
        "loop_inliers": np.array([loop.inliers for loop in loops], np.int64),
        "loop_holds": np.array(state.holds, bool),
        "loop_covariances": np.array([loop.covariance for loop in loops]).reshape(-1, 7, 7),
    }
    for name in _POINT_FIELDS:
        arrays[f"point_{name}"] = np.concatenate([getattr(part, name) for part in points])
    for name, places in (
        ("places", state.estimates),
        ("steps", [step for step, _ in state.steps]),
        ("loops", [loop.similarity for loop in loops]),
    ):
        arrays[f"{name}_rotation"] = np.array([place.rotation for place in places]).reshape(-1, 3, 3)
        arrays[f"{name}_translation"] = np.array([place.translation for place in places]).reshape(-1, 3)
        arrays[f"{name}_scale"] = np.array([place.scale for place in places])
    return arrays


_POINT_FIELDS = ("pixels", "rays", "ids", "descriptors", "depths", "deviations")


def _state(arrays: dict[str, Any]) -> MapState:
    ends = np.cumsum(arrays["point_counts"])
    starts = ends - arrays["point_counts"]
    keyframes = [
        Keyframe(
            int(stamp),
            int(segment),
            bool(metric),
            pose,
            FramePoints(*(arrays[f"point_{name}"][start:end] for name in _POINT_FIELDS)),
        )
        for stamp, segment, metric, pose, start, end in zip(
            arrays["stamps_ns"],
            arrays["segments"],
            arrays["metric"],
            arrays["odometry"],
            starts,
            ends,
            strict=True,
        )
    ]
    frames = zip(arrays["frame_stamps_ns"], arrays["frame_keyframes"], arrays["frame_poses"], strict=True)
    loops = zip(
        arrays["loop_pairs"],
        _places(arrays, "loops"),
        arrays["loop_covariances"],
        arrays["loop_inliers"],
        strict=True,
    )
    state = MapState(
        keyframes,
        [(int(stamp), int(number), pose) for stamp, number, pose in frames],
        [int(number) for number in arrays["open"]],
        _places(arrays, "places"),
        list(zip(_places(arrays, "steps"), arrays["step_covariances"], strict=True)),
        [Loop(int(a), int(b), place, spread, int(count)) for (a, b), place, spread, count in loops],
        [bool(holds) for holds in arrays["loop_holds"]],
    )
    if not len(keyframes) == len(state.estimates) == len(state.steps) + 1:
        msg = f"{len(keyframes)} keyframes, {len(state.estimates)} places and {len(state.steps)} steps"
        raise ValueError(msg)
    return state


def _places(arrays: dict[str, Any], name: str) -> list[Similarity]:
    parts = (arrays[f"{name}_{part}"] for part in ("rotation", "translation", "scale"))
    return [Similarity(turn, place, float(scale)) for turn, place, scale in zip(*parts, strict=True)]


def _g2o_lines(state: MapState, path: MapPath) -> list[str]:
    """Return a rigid pose graph in units of the map: vertices, steps, and the loops that hold."""
    lines = [f"VERTEX_SE3:QUAT {number} {_numbers(pose)}\n" for number, pose in enumerate(path.poses)]
    lines.append("FIX 0\n")
    edges = [(n, n + 1, step, spread) for n, (step, spread) in enumerate(state.steps)]
    edges += [
        (loop.first, loop.second, loop.similarity, loop.covariance)
        for loop, holds in zip(state.loops, state.holds, strict=True)
        if holds
    ]
    for first, second, step, spread in edges:
        scale = state.estimates[first].scale
        pose = step.pose()
        pose[:3, 3] *= scale
        lines.append(f"EDGE_SE3:QUAT {first} {second} {_numbers(pose)} {_information(step, spread, scale)}\n")
    return lines


def _numbers(pose: Array) -> str:
    turn = quaternions_from_rotations(pose[None, :3, :3])[0]
    return " ".join(f"{value:.9g}" for value in (*pose[:3, 3], *turn))


def _information(step: Similarity, spread: Array, scale: float) -> str:
    """Return the upper triangle of the information of translation and half angles in the second's axes."""
    turned = np.zeros((6, 6))
    turned[:3, :3] = scale * step.rotation.T
    turned[3:, 3:] = 0.5 * step.rotation.T
    information = np.linalg.inv(turned @ spread[:6, :6] @ turned.T)
    return " ".join(f"{value:.6g}" for value in information[np.triu_indices(6)])


def _write_ply(path: Path, points: Array) -> None:
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header\n"
    path.write_bytes(header.encode() + points.astype("<f4").tobytes())
