# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""All sets of pairs that docs/accuracy.md tells of: recorded ones, rendered ones, views of photographs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from drcn_ros.benchmarks.accuracy.report import BAD, EASY, WIDE
from drcn_ros.benchmarks.image_pairs import VIEWS_OF, WARPS, PairSet, open_pairs, sequence_pairs
from drcn_ros.errors import InputError, MissingDependencyError
from drcn_ros.scenes.hard_views import HARD_VIEWS
from drcn_ros.scenes.photographs import PICTURES, folder
from drcn_ros.scenes.scenarios import scenario
from drcn_ros.scenes.sequence import Sensor
from drcn_ros.sequences.rendered import Rendered

# Recorded sequences: kind, folder, steps, and which pair of so many is taken.
_RECORDED: tuple[tuple[str, str, tuple[int, ...], int], ...] = (
    (EASY, "tum_fr2_desk", (1, 5), 1),
    (EASY, "tum_fr3_office", (1, 2), 1),
    (EASY, "hololens_office", (1, 3), 9),
    (EASY, "road", (1, 3), 17),
    (WIDE, "tum_fr3_office", (4, 5), 1),
    (WIDE, "hololens_office", (6, 8, 10, 12), 9),
    (WIDE, "road", (5, 8), 17),
)
# Rendered ones, in the same order, with what the sensor does to them and how many frames at 10 Hz there are.
_RENDERED: tuple[tuple[str, str, tuple[int, ...], int, int, Sensor | None], ...] = (
    (EASY, "demo", (1,), 2, 40, Sensor(noise=3, shutter_s=0.02)),
    (EASY, "orbit", (1, 5), 2, 48, Sensor(noise=3)),
    (EASY, "bare", (2,), 4, 120, None),
    (EASY, "street", (1,), 4, 120, None),
    (WIDE, "street", (6,), 4, 120, None),
    (WIDE, "demo", (20,), 1, 40, Sensor(noise=3, shutter_s=0.02)),
)
_WIDE_VIEWS = ("around", "rolled", "nearer")


def suite(data: Path) -> Iterator[tuple[PairSet | str, str]]:
    """Yield each set with its kind, or the reason why it cannot be had.

    Args:
        data: folder with the recorded sequences.
    """
    for kind, name, steps, every in _RECORDED:
        for step in steps:
            title = f"{name}@{step}"
            try:
                yield _named(open_pairs(str(data / title), every), title), kind
            except InputError as error:
                yield f"{title}: {error}", kind
    for kind, name, steps, every, frames, sensor in _RENDERED:
        rate = None if sensor is None else 10.0
        for step in steps:
            pairs = sequence_pairs(Rendered(scenario(name, frames, rate=rate, sensor=sensor), name), step)
            yield PairSet(f"scene {name}@{step}", pairs.pairs[::every]), kind
    for name in HARD_VIEWS:
        yield open_pairs(f"{VIEWS_OF}{name}"), WIDE if name in _WIDE_VIEWS else BAD
    try:
        wanted = folder()
    except MissingDependencyError as error:
        yield f"{WARPS}: {error}", WIDE
        return
    views = open_pairs(f"{wanted}@{WARPS}")
    chosen = tuple(pair for pair in views.pairs if pair.reference.rpartition(" view ")[0] in PICTURES)
    yield PairSet(f"photographs@{WARPS}", chosen), WIDE


def _named(pairs: PairSet, name: str) -> PairSet:
    return dataclasses.replace(pairs, name=name)
