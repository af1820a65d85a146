# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of many evaluations: one row each, and the failures apart with their reasons."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drcn_ros.evaluation.batch import Task, is_done
from drcn_ros.evaluation.metrics_file import HEADINGS, markdown_table, read_metrics, table_row
from drcn_ros.results.replacing import whole_file

TABLE, DOCUMENT, FAILURES = "table.csv", "table.md", "failures.csv"

_COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("input", ("input",)),
    ("matcher", ("matcher",)),
    ("mode", ("mode",)),
    ("step", ("step",)),
    ("frames", ("frames", "total")),
    ("valid", ("frames", "valid")),
    ("pairs", ("relative_pose", "pairs")),
    ("failed", ("relative_pose", "failed")),
    ("rotation_median_deg", ("relative_pose", "rotation_deg", "median")),
    ("rotation_p90_deg", ("relative_pose", "rotation_deg", "p90")),
    ("direction_pairs", ("relative_pose", "direction_deg", "pairs")),
    ("direction_median_deg", ("relative_pose", "direction_deg", "median")),
    ("direction_p90_deg", ("relative_pose", "direction_deg", "p90")),
    ("auc_5", ("relative_pose", "auc", "5")),
    ("auc_10", ("relative_pose", "auc", "10")),
    ("auc_20", ("relative_pose", "auc", "20")),
    ("ate_rmse_m", ("ate_sim3", "rmse_m")),
    ("ate_percent_of_path", ("ate_sim3", "percent_of_path")),
    ("scale_drift_first", ("scale_drift", "first")),
    ("scale_drift_last", ("scale_drift", "last")),
    ("scale_drift_worst", ("scale_drift", "worst")),
    ("rotation_drift", ("rotation_drift", "value")),
    ("rotation_drift_unit", ("rotation_drift", "unit")),
    ("kitti_t_rel_percent", ("kitti", "t_rel_percent")),
    ("kitti_r_rel_deg_per_100m", ("kitti", "r_rel_deg_per_100m")),
    ("latency_median_ms", ("latency_ms", "total", "median")),
)


def write_tables(tasks: Sequence[Task], failures: Mapping[str, str], folder: Path) -> None:
    """Write all tables anew from the folders of the finished tasks.

    Args:
        tasks: all of the list, in its order.
        failures: reasons by the name of the task.
        folder: of the results.

    Raises:
        InputError: a table cannot be written, or a finished folder is damaged.
    """
    finished = [(task, read_metrics(folder / task.name)) for task in tasks if is_done(task, folder)]
    names = [name for name, _ in _COLUMNS]
    rows = [[task.name, *(_value(content, keys) for _, keys in _COLUMNS)] for task, content in finished]
    _write(folder / TABLE, _csv([["folder", *names], *rows]))
    document = [list(HEADINGS), *(table_row(_label(content), content) for _, content in finished)]
    _write(folder / DOCUMENT, markdown_table(document) + "\n")
    failing = [task for task in tasks if task.name in failures]
    failed = [[task.name, shlex.join(task.words), failures[task.name]] for task in failing]
    if failed:
        _write(folder / FAILURES, _csv([["folder", "arguments", "reason"], *failed]))
    else:
        (folder / FAILURES).unlink(missing_ok=True)


def _label(content: Mapping[str, Any]) -> str:
    step = f", step {content['step']}" if content["step"] > 1 else ""
    return f"{Path(content['input']).name}, {content['matcher']}{step}"


def _value(content: Mapping[str, Any], keys: Sequence[str]) -> str:
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
