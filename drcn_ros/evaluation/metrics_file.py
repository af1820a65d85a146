# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`metrics.json`: everything that a run is judged by, and what it was a run of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drcn_ros import __version__
from drcn_ros.configuration import Value
from drcn_ros.errors import InputError
from drcn_ros.evaluation.estimates import STAGES
from drcn_ros.evaluation.frame_rows import FrameRow, column
from drcn_ros.evaluation.metrics.drift import Drift, RotationDrift, scale_drift
from drcn_ros.evaluation.metrics.pose_errors import PoseError
from drcn_ros.evaluation.metrics.rim import RimCheck
from drcn_ros.evaluation.metrics.summary import (
    AlignedPaths,
    LatencyMetrics,
    ate_metrics,
    kitti_metrics,
    relative_pose_metrics,
)
from drcn_ros.matching.device import InForce
from drcn_ros.odometry.states import State
from drcn_ros.sequences import Selection
from drcn_ros.sequences.ground_truth.check import TruthCoverage

FILE = "metrics.json"

# States in which the motion against the reference frame is known.
_VALID = (State.TRACKING.value, State.ROTATION_ONLY.value, State.STATIONARY.value)


@dataclass(frozen=True)
class RunInfo:
    """What a run is a run of.

    Attributes:
        input, kind: name of the input and what it is.
        matcher: as in `MatcherConfig.name`.
        in_force: where it ran and in which precision.
        mode: "direct", "live", or "live at 1.0x".
        selection: which frames.
        parameters: all of them, by dotted name.
        notes: what a person should know of the input.
        live: what was published, answered and dropped, and how late, in a run that did not wait.
    """

    input: str
    kind: str
    matcher: str
    in_force: InForce
    mode: str = "direct"
    selection: Selection = field(default_factory=Selection)
    parameters: Mapping[str, Value] = field(default_factory=dict)
    notes: Sequence[str] = ()
    live: Mapping[str, Any] | None = None


def metrics_content(
    info: RunInfo,
    rows: Sequence[FrameRow],
    errors: Sequence[PoseError],
    paths: AlignedPaths,
    drifts: tuple[Drift, RotationDrift],
    rim: RimCheck,
    covered: TruthCoverage,
    min_motion: float,
) -> dict[str, Any]:
    """Return the content of `metrics.json`."""
    relative = relative_pose_metrics(errors, min_motion)
    kitti = kitti_metrics(paths)
    return {
        "input": info.input,
        "kind": info.kind,
        "matcher": info.matcher,
        "device": info.in_force.device,
        "precision": info.in_force.precision,
        "mode": info.mode,
        "step": info.selection.step,
        "start_s": info.selection.start_s,
        "duration_s": info.selection.duration_s,
        "version": __version__,
        "frames": {
            "total": len(rows),
            "valid": sum(row.state in _VALID for row in rows),
            "states": dict(sorted(Counter(row.state for row in rows).items())),
            "reasons": dict(sorted(Counter(row.reason for row in rows).items())),
            "segments": len({row.segment for row in rows}),
        },
        "ground_truth": asdict(covered),
        "relative_pose": {
            "pairs": relative.pairs,
            "failed": relative.failed,
            "rotation_deg": asdict(relative.rotation_deg),
            "direction_deg": {
                "pairs": relative.direction_pairs,
                "unmoved": relative.unmoved,
                "min_motion_m": min_motion,
                **asdict(relative.direction_deg),
            },
            "auc": dict(relative.auc),
        },
        "scale_drift": asdict(scale_drift(drifts[0])),
        "rotation_drift": asdict(drifts[1]),
        "rim": {**asdict(rim), "rings_px": list(rim.rings_px)},
        "ate_sim3": asdict(ate_metrics(paths)),
        "kitti": {**asdict(kitti), "lengths_m": list(kitti.lengths_m)},
        "latency_ms": {stage: asdict(_latency(rows, stage)) for stage in STAGES},
        "live": None if info.live is None else dict(info.live),
        "parameters": dict(info.parameters),
        "notes": list(info.notes),
    }


def _latency(rows: Sequence[FrameRow], stage: str) -> LatencyMetrics:
    values = column(rows, f"{stage}_ms")
    # A stage that a frame did not reach took no time and says nothing about how long it takes.
    return LatencyMetrics.of(values[np.isfinite(values) & (values > 0)].tolist())


def write_metrics(content: Mapping[str, Any], folder: Path) -> None:
    """Write `metrics.json`."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read the `metrics.json` of an earlier run.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # All that readers of a result look at.
        table_row("", content)
        Path(content["input"]), content["matcher"] + "", content["step"] > 1, content["rim"]["rings_px"]
        content["live"], list(content["notes"])
        format(content["relative_pose"]["direction_deg"]["min_motion_m"], "g")
    except OSError:
        msg = f"{folder} is no result of `drcn evaluate`: it has no {FILE}"
        raise InputError(msg) from None
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        msg = f"{path} is not as this version of `drcn evaluate` writes it; evaluate the input again"
        raise InputError(msg) from None
    return dict(content)


HEADINGS = (
    "run",
    "frames",
    "valid",
    "rotation [deg] median / p90",
    "direction [deg] median / p90",
    "AUC@5 / 10 / 20",
    "ATE [m] (% of path)",
    "scale first / last / worst tenth",
    "rotation drift",
    "KITTI t_rel [%] / r_rel [deg/100 m]",
    "ms a frame",
)


def table_row(name: str, content: Mapping[str, Any]) -> list[str]:
    """Return the cells of one run under `HEADINGS`."""
    frames, relative = content["frames"], content["relative_pose"]
    rotation, direction, auc = relative["rotation_deg"], relative["direction_deg"], relative["auc"]
    ate, kitti = content["ate_sim3"], content["kitti"]
    valid = f"{100 * frames['valid'] / frames['total']:.1f} %" if frames["total"] else "-"
    return [
        name,
        str(frames["total"]),
        valid,
        f"{number(rotation['median'], 3)} / {number(rotation['p90'], 3)}",
        f"{number(direction['median'], 2)} / {number(direction['p90'], 2)}",
        " / ".join(number(auc[limit], 1) for limit in ("5", "10", "20")),
        f"{number(ate['rmse_m'], 3)} ({number(ate['percent_of_path'], 2)})",
        scale_text(content["scale_drift"]),
        rotation_drift_text(content["rotation_drift"]),
        f"{number(kitti['t_rel_percent'], 2)} / {number(kitti['r_rel_deg_per_100m'], 2)}",
        number(content["latency_ms"]["total"]["median"], 1),
    ]


def scale_text(scale: Mapping[str, Any]) -> str:
    """Return the drift of the scale for people: first, last, worst."""
    return " / ".join(number(scale[name], 3) for name in ("first", "last", "worst"))


def rotation_drift_text(rotation: Mapping[str, Any]) -> str:
    """Return the drift of the rotation for people, with its unit where there is one."""
    return "-" if rotation["value"] is None else f"{rotation['value']:.2f} {rotation['unit']}"


def rim_text(rim: Mapping[str, Any]) -> str:
    """Return what the residuals say of the calibration at the rim, for people."""
    rings = ", ".join(number(ring, 2) for ring in rim["rings_px"])
    text = f"{rings} px from the centre to the rim"
    if rim["percent"] is None:
        return f"{text}; too few frames turn or go sideways to judge the calibration"
    # Adding 0 turns -0.0 into 0.0.
    percent = round(rim["percent"], 2) + 0.0
    return (
        f"{text}; smallest with rays at the rim changed by {percent:+.2f} % "
        f"(deviation {rim['deviation_percent']:.2f}, {rim['frames']} frames)"
    )


def number(value: float | None, digits: int) -> str:
    """Return a number for people, a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells, the first one the headings, as aligned text."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells, the first one the headings, as Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
