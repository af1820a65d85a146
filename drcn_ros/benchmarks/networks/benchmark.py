# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks' cost by stage, beside plain routes with the same result, each case in its own process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.benchmarks.machine import in_fresh_process, peak_memory_mb
from drcn_ros.benchmarks.networks.d2net import measure_d2net, run_d2net
from drcn_ros.benchmarks.networks.drcn import image_pair, measure_drcn, run_drcn
from drcn_ros.benchmarks.networks.timing import Stage, fastest, total
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.factory import create_matcher

NETWORKS = {
    "drcn256": "resnet101fpn_3_256_4",
    "drcn1024": "resnet101fpn_3_1024_4",
    "d2net": "",
    "embedded": "",
}
_MATCHERS = ("drcn", "anchored", "d2net", "sift", "orb")


@dataclass(frozen=True)
class Case:
    """One network at one size.

    Attributes:
        network: name in `NETWORKS`.
        width, height: of the image, pixels.
        repetitions: runs of each stage, of which the fastest counts.
        threads: of torch.
        with_plain: whether the plain route is run as well.
    """

    network: str
    width: int
    height: int
    repetitions: int
    threads: int
    with_plain: bool


@dataclass(frozen=True)
class Outcome:
    """What a case took and whether both routes agree.

    Attributes:
        case: what was run.
        stages: one after the other, and their sum where they make up a frame.
        memory_mb: largest resident memory of a process that runs this project's route alone, interpreter and
            weights included.
        notes: what was found, in words.
    """

    case: Case
    stages: tuple[Stage, ...]
    memory_mb: float
    notes: tuple[str, ...]


def run_cases(cases: list[Case]) -> Iterator[Outcome]:
    """Yield the outcome of each case, one after the other, each measured in fresh processes."""
    for case in cases:
        memory = in_fresh_process(_peak_memory, case)
        stages, notes = in_fresh_process(_measure, case)
        yield Outcome(case, stages, memory, notes)


def _peak_memory(case: Case) -> float:
    torch.set_num_threads(case.threads)
    if case.network == "embedded":
        matcher = create_matcher(MatcherConfig(device="cpu"))
        matcher.match(*(matcher.extract(image) for image in _pictures(case)))
    elif case.network == "d2net":
        run_d2net(case.width, case.height)
    else:
        run_drcn(NETWORKS[case.network], case.width, case.height)
    return peak_memory_mb()


def _measure(case: Case) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    torch.set_num_threads(case.threads)
    if case.network == "embedded":
        return _measure_matchers(case)
    if case.network == "d2net":
        return _measure_d2net(case)
    return _measure_drcn(case)


def _measure_drcn(case: Case) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    measured = measure_drcn(
        NETWORKS[case.network], case.width, case.height, case.repetitions, case.with_plain
    )
    stages = measured.stages
    frame = total("frame", stages)
    windows = Stage("fine search, windows only", measured.windows_only, stages[-1].plain)
    other = total("frame, windows only", [*stages[:-1], windows])
    dense = stages[-1].plain
    others = [Stage(f"fine search, {name}", time, dense) for name, time in measured.sharpness.items()]
    notes = [f"{measured.matches} matches"]
    if measured.same is not None:
        notes.append(f"{measured.same:.1%} the same as by the plain route")
    notes.append(f"{measured.windows_same:.1%} of them with windows only")
    return (*stages, frame, windows, other, *others), tuple(notes)


def _measure_d2net(case: Case) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    measured = measure_d2net(case.width, case.height, case.repetitions, case.with_plain)
    note = f"{measured.keypoints} keypoints"
    if measured.same is not None:
        note += f", {measured.same:.1%} of them and {measured.extra} more found"
    return (*measured.stages, total("frame", measured.stages)), (note,)


def _measure_matchers(case: Case) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    """Time the matchers as the node runs them, with the weights inside the package."""
    images = _pictures(case)
    stages: list[Stage] = []
    notes = []
    for name in _MATCHERS:
        matcher = create_matcher(MatcherConfig(name=name, device="cpu"))
        # At the second image of a size the network is recorded, which is no frame's cost.
        kept, _ = (matcher.extract(images[0]) for _ in range(2))
        time_extract, new = fastest(lambda: matcher.extract(images[1]), case.repetitions)  # noqa: B023
        time_match, matches = fastest(lambda: matcher.match(kept, new), case.repetitions)  # noqa: B023
        stages += [Stage(f"{name}: extract", time_extract), Stage(f"{name}: match", time_match)]
        notes.append(f"{name} {len(new)} keypoints, {len(matches)} matches")
    return tuple(stages), tuple(notes)


def _pictures(case: Case) -> list[NDArray[np.uint8]]:
    pair = image_pair(case.width, case.height)
    return [(255 * image[0].permute(1, 2, 0).numpy()).astype(np.uint8) for image in pair]
