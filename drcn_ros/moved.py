# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Says where modules lie that older programs import from where they lay before 0.2."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

# By their old package: old name to new module, both below `drcn_ros`; what lay in a package
# that has moved is found there.
MOVED: Mapping[str, Mapping[str, str]] = {
    "evaluation": {
        "accuracy": "evaluation.metrics.accuracy",
        "accuracy_benchmark": "benchmarks.accuracy.benchmark",
        "accuracy_report": "benchmarks.accuracy.report",
        "alignment": "evaluation.metrics.alignment",
        "bag_writer": "sequences.bags.writer",
        "calibrations": "sequences.calibrations",
        "corruptions": "benchmarks.accuracy.corruptions",
        "d2net_benchmark": "benchmarks.networks.d2net",
        "demo_frames": "doctor.demo_frames",
        "drcn_benchmark": "benchmarks.networks.drcn",
        "drift": "evaluation.metrics.drift",
        "drift_picture": "evaluation.report.plots",
        "estimator_benchmark": "benchmarks.estimators.benchmark",
        "estimators": "benchmarks.estimators.estimators",
        "figures": "evaluation.report.figures",
        "geometry_benchmark": "benchmarks.geometry.benchmark",
        "geometry_stages": "benchmarks.geometry.stages",
        "gpu": "benchmarks.gpu",
        "html": "evaluation.report.html",
        "image_pairs": "benchmarks.image_pairs",
        "inspection": "sequences.inspection",
        "machine": "benchmarks.machine",
        "match_picture": "evaluation.report.match_picture",
        "network_benchmark": "benchmarks.networks.benchmark",
        "network_report": "benchmarks.networks.report",
        "odometry_benchmark": "benchmarks.odometry",
        "pair_judge": "benchmarks.accuracy.pair_judge",
        "plots": "evaluation.report.plots",
        "point_pairs": "benchmarks.point_pairs",
        "pose_errors": "evaluation.metrics.pose_errors",
        "prefetch": "sequences.prefetch",
        "pretended_device": "benchmarks.gpu.pretended_device",
        "profile": "benchmarks.profile.frame",
        "profile_picture": "benchmarks.profile.picture",
        "quaternions": "sequences.trajectories.quaternions",
        "replacing": "results.replacing",
        "rim": "evaluation.metrics.rim",
        "run_data": "evaluation.frame_rows",
        "sources": "sequences",
        "speed_benchmark": "benchmarks.speed.benchmark",
        "speed_frames": "benchmarks.speed.frames",
        "speed_report": "benchmarks.speed.report",
        "timing": "benchmarks.networks.timing",
        "trajectory": "sequences.trajectories.trajectory",
        "trajectory_files": "sequences.trajectories.files",
        "truths": "sequences.ground_truth",
        "tum_writer": "sequences.folders.tum_writer",
        "unfinished": "results.unfinished",
        "verdict": "evaluation.metrics_file",
        "warped_views": "benchmarks.warped_views",
        "work": "benchmarks.roofline",
        "yardsticks": "benchmarks.accuracy.yardsticks",
    },
    "geometry": {
        "closed_lens": "geometry.closed_form_lens",
        "columns": "geometry.batched_algebra",
        "points": "geometry.triangulation",
        "start": "geometry.ransac",
    },
    "odometry": {
        "doubts": "odometry.outlier_history",
        "places": "odometry.image_cells",
        "readout": "odometry.rolling_shutter",
        "verdict": "odometry.outcome",
    },
    "ros": {
        "activity": "ros.node.activity",
        "budget": "ros.node.budget",
        "camera_publisher": "ros.session.camera_publisher",
        "clouds": "ros.messages.clouds",
        "complaints": "doctor.complaints",
        "domain": "ros.session.domain",
        "drawing": "ros.node.drawing",
        "failures": "ros.node.failures",
        "inputs": "ros.node.inputs",
        "installation": "doctor.installation",
        "live": "ros.session.live",
        "live_steps": "ros.session.live_steps",
        "logs": "ros.session.logs",
        "motion_outputs": "ros.node.motion_outputs",
        "node_process": "ros.session.node_process",
        "outputs": "ros.node.outputs",
        "parameters": "ros.node.parameters",
        "path_buffer": "ros.messages.path_buffer",
        "player": "ros.session.player",
        "poses": "ros.messages.poses",
        "processor": "ros.node.processor",
        "publishers": "ros.node.publishers",
        "rays": "ros.messages.rays",
        "recorder": "ros.session.recorder",
        "shell_benchmark": "benchmarks.node",
        "soak": "ros.session.soak",
        "soak_report": "ros.session.soak_report",
        "stamp_watch": "ros.node.clock_check",
        "statistics": "ros.node.statistics",
        "tally": "ros.node.statistics",
        "transforms": "ros.node.transforms",
        "vins": "ros.messages.vins",
        "vo_node": "ros.node.vo_node",
        "warm_up": "ros.node.warm_up",
        "watch": "ros.node.problem_log",
        "wire": "ros.messages.cdr",
        "worker": "ros.node.worker",
        "working_size": "ros.node.working_size",
    },
    "training": {
        "ahead": "training.prefetch",
        "throughput": "benchmarks.gpu.training",
    },
}
# Functions and classes of such modules whose own names have changed.
RENAMED = {
    "evaluation.sources": "open_source is open_sequence, SourceOptions is SequenceOptions",
    "evaluation.prefetch": "ahead is prefetched",
}


class MovedModules:
    """Refuses the import of a module by its old name; other names are none of its business."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return nothing.

        Raises:
            ModuleNotFoundError: the module has moved.
        """
        package, _, below = name.partition(".")
        room, _, module = below.rpartition(".")
        place = MOVED.get(room, {}).get(module) if package == "drcn_ros" else None
        if place is None:
            return None
        renamed = f"; in it {RENAMED[below]}" if below in RENAMED else ""
        msg = f"{name} has moved: import drcn_ros.{place} instead{renamed}"
        raise ModuleNotFoundError(msg, name=name)


def tell() -> None:
    """Let imports by old names end in the new one.

    Before all other finders, since a folder that git left behind with caches in it would pass for the old
    package.
    """
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())
