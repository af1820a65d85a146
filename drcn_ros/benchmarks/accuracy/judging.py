# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matchers judged one after the other on sets of pairs, those of others' packages as far as these work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from drcn_ros.benchmarks.accuracy.benchmark import run_pairs, summarise
from drcn_ros.benchmarks.accuracy.yardsticks import PUBLISHED, YARDSTICKS, create_judged
from drcn_ros.benchmarks.image_pairs import PairSet
from drcn_ros.errors import DrcnError, MissingDependencyError
from drcn_ros.foreign.guard import first_line
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.config import MatcherConfig


@dataclass(frozen=True)
class Job:
    """A set of pairs and how it is judged.

    Attributes:
        pairs: what is matched.
        kind: one of `report.KINDS`.
        corruption: done to all images, see `corruptions.corrupt`.
    """

    pairs: PairSet
    kind: str
    corruption: str = ""

    @property
    def name(self) -> str:
        """Name in reports."""
        return f"{self.pairs.name} {self.corruption}".strip()


def maker_of(text: str, device: str, max_keypoints: int) -> Callable[[], Matcher[Any]]:
    """Return what makes a matcher from its name on the command line, NAME or NAME=WEIGHTS."""
    name, _, weights = text.partition("=")
    config = MatcherConfig(
        name="drcn" if name in YARDSTICKS else name,
        weights=weights,
        device=device,
        max_keypoints=max_keypoints,
    )
    return partial(create_judged, name, config)


def judged(
    text: str, maker: Callable[[], Matcher[Any]], jobs: Sequence[Job], two_view: TwoViewConfig, seeds: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the summary of each job, with its kind; what is judged is told as it comes.

    Args:
        text: name of the matcher on the command line.
        maker: makes it.
        jobs: what it is judged on.
        two_view: the estimator.
        seeds: its runs per pair.

    Raises:
        MissingDependencyError: it is somebody else's, and its package is missing or fails.
    """
    try:
        matcher = maker()
        for job in jobs:
            print(f"{text} on {job.name}", file=sys.stderr, flush=True)
            results = run_pairs(matcher, job.pairs, job.corruption, seeds, two_view)
            yield job.name, {"kind": job.kind, **summarise(results)}
    except DrcnError:
        raise
    except Exception as error:
        if text not in PUBLISHED:
            raise
        msg = f"its package failed: {first_line(error)}"
        raise MissingDependencyError(msg) from None
