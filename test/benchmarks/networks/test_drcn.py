# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from drcn_ros.benchmarks.machine import describe_machine
from drcn_ros.benchmarks.networks.benchmark import Case, Outcome, run_cases
from drcn_ros.benchmarks.networks.drcn import calibrated_network, image_pair, measure_drcn
from drcn_ros.benchmarks.networks.report import as_table, summary
from drcn_ros.benchmarks.networks.timing import Seconds, Stage, fastest, total


def test_both_routes_find_the_same_matches() -> None:
    measured = measure_drcn("resnet20fpn_3_64_4", 160, 128, repetitions=1)
    assert measured.matches > 100
    assert measured.same == 1.0
    assert 0.5 < measured.windows_same <= 1.0
    assert [stage.name for stage in measured.stages] == [
        "other image",
        "backbone",
        "correlation",
        "consensus",
        "fine search",
    ]
    assert all(stage.plain is not None for stage in measured.stages)
    assert list(measured.sharpness) == ["flat masks", "masks squared", "masks to the fourth"]


def test_the_plain_route_can_be_left_out() -> None:
    measured = measure_drcn("resnet20fpn_3_64_4", 96, 64, repetitions=1, with_plain=False)
    assert measured.same is None
    assert all(stage.plain is None for stage in measured.stages)


@torch.inference_mode()
def test_random_weights_match_what_was_moved() -> None:
    first, second = image_pair(192, 160)
    assert torch.allclose(first[..., 32:, 32:], second[..., :-32, :-32], atol=0.15)
    network = calibrated_network("resnet20fpn_3_64_4", first)
    matches = network.match(network(first), network(second))[0]
    moved = matches.source - matches.target
    assert ((moved - 32).abs() <= 4).all(dim=1).float().mean() > 0.7


def test_durations_are_the_shortest_of_some_runs() -> None:
    results = iter(range(9))
    seconds, last = fastest(lambda: next(results), 4)
    assert last == 3
    assert seconds.cpu >= 0
    assert seconds.wall > 0


def test_a_total_is_compared_only_where_all_stages_were() -> None:
    both, one = Stage("a", Seconds(1, 2), Seconds(3, 4)), Stage("b", Seconds(5, 6))
    assert total("frame", [both, both]) == Stage("frame", Seconds(2, 4), Seconds(6, 8))
    assert total("frame", [both, one]) == Stage("frame", Seconds(6, 8))


@pytest.mark.slow
def test_the_embedded_network_is_measured_in_a_process_of_its_own() -> None:
    case = Case("embedded", 160, 128, 1, 1, with_plain=False)
    (outcome,) = run_cases([case])
    assert {"drcn: extract", "drcn: match", "sift: extract"} <= {stage.name for stage in outcome.stages}
    assert 100 < outcome.memory_mb < 4000


def test_the_table_shows_how_many_times_faster_in_the_processor() -> None:
    case = Case("drcn256", 320, 240, 1, 1, with_plain=True)
    stages = (Stage("fine search", Seconds(0.5, 0.4), Seconds(3.0, 2.0)), Stage("frame", Seconds(1.0, 1.0)))
    text = as_table([Outcome(case, stages, 512.3, ("7 matches",))])
    assert "| drcn256 | 320x240 | fine search | 0.500 (0.400) | 3.000 (2.000) | 5.0 |" in text
    assert "drcn256 320x240: 512 MB; 7 matches." in text


def test_the_machine_is_described() -> None:
    machine = describe_machine(2)
    assert machine["threads"] == 2
    assert all(name in machine for name in ("date", "processor", "torch", "commit", "version"))


def test_the_summary_shows_frames_and_how_the_search_grows() -> None:
    outcomes = []
    for width, height, factor in ((320, 240, 1.0), (640, 480, 4.0)):
        search = Stage("fine search", Seconds(factor, factor), Seconds(4 * factor, factor**2))
        frame = Stage("frame", Seconds(2.0, 2.0), Seconds(9.0, 8.0))
        case = Case("drcn256", width, height, 1, 1, with_plain=True)
        outcomes.append(Outcome(case, (search, frame), 500.0, ("7 matches",)))
    text = summary(outcomes)
    assert "| drcn256 | 320x240 | 2.000 (2.000) | 9.000 (8.000) | 4.0 | 500 MB | 7 matches |" in text
    assert "| fine search | 1.00 | 4.00 | 1.00 |" in text
    assert "| plain route, any masks | 1.00 | 16.00 | 2.00 |" in text
    assert "power" not in summary(outcomes[:1])
