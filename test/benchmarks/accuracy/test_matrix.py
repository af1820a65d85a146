# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of `drcn bench accuracy_tables`."""

from __future__ import annotations

from drcn_ros.benchmarks.accuracy.matrix import matrix


def test_a_mean_is_told_only_of_those_that_have_all_sets() -> None:
    entry = {
        "kind": "wide",
        "pairs": 30,
        "auc": {"5": 40.0, "10": 60.0, "20": 80.0},
        "auc_interval": {"10": [50.0, 70.0]},
        "within_1px": 0.5,
        "within_3px": 0.75,
        "matches": 120.0,
        "ms": 80.0,
    }
    text = matrix({"drcn": {"a@1": entry, "b@1": entry}, "sift": {"a@1": entry}}, {"xfeat": "not there"})
    assert "| a@1 | 30 | 60.0 (50 to 70) | 60.0 (50 to 70) |" in text
    assert "| b@1 | 30 | 60.0 (50 to 70) |  |" in text
    assert "| **mean AUC@10** |  | 60.0 |  |" in text
    assert "| a@1 | 120 (0.50, 0.75, 80) | 120 (0.50, 0.75, 80) |" in text
    assert text.endswith("- Not judged: `xfeat`: not there\n")
