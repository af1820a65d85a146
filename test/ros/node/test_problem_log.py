# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from drcn_ros.ros.node.problem_log import ProblemLog, Throttle


def told(log: ProblemLog, problems: dict[str, str], seconds: range) -> dict[int, list[str]]:
    return {second: lines for second in seconds if (lines := log.due(problems, float(second)))}


def test_a_problem_is_told_after_five_seconds_and_every_ten() -> None:
    assert told(ProblemLog(), {"image": "no publisher"}, range(100, 130)) == {
        105: ["no publisher"],
        115: ["no publisher"],
        125: ["no publisher"],
    }


def test_a_problem_that_passes_starts_its_time_anew() -> None:
    log = ProblemLog()
    assert told(log, {"image": "gone"}, range(4)) == {}
    assert told(log, {}, range(4, 5)) == {}
    assert told(log, {"image": "gone"}, range(5, 12)) == {10: ["gone"]}


def test_a_problem_whose_text_changes_is_still_the_same() -> None:
    log = ProblemLog()
    log.due({"image": "no publisher"}, 0.0)
    assert log.due({"image": "wrong type"}, 5.0) == ["wrong type"]
    assert log.lasting(5.0) == ("image",)


def test_a_throttle_lets_one_line_per_key_through() -> None:
    throttle = Throttle()
    assert [throttle.allows("a", now) for now in (0.0, 1.0, 9.9, 10.0)] == [True, False, False, True]
    assert throttle.allows("b", 1.0)
