# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of speeds, how they grow with the size of the image, and ratios to an earlier run."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drcn_ros.benchmarks.speed.benchmark import STAGES, SpeedOutcome
from drcn_ros.errors import InputError

Key = tuple[str, str, str, str]


def as_json(machine: Mapping[str, Any], outcomes: Sequence[SpeedOutcome]) -> dict[str, Any]:
    """Return everything as plain data."""
    return {
        "machine": dict(machine),
        "growth": growth(outcomes),
        "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes],
    }


def growth(outcomes: Sequence[SpeedOutcome]) -> dict[str, tuple[float, float]]:
    """Return the powers of the pixel count that wall and CPU time of a matcher's frame grow with, by matcher.

    They are the slopes between the smallest and the largest size; a matcher with one size has none.
    """
    frames: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for outcome in outcomes:
        wall = outcome.stages["frame"].median_ms
        frames[outcome.matcher].append((outcome.width * outcome.height, wall, outcome.cpu_ms))
    powers = {}
    for name, sizes in frames.items():
        small, large = min(sizes), max(sizes)
        if large[0] > small[0]:
            pixels, *times = (math.log(b / a) for a, b in zip(small, large, strict=True))
            powers[name] = (times[0] / pixels, times[1] / pixels)
    return powers


def table(outcomes: Sequence[SpeedOutcome], earlier: Mapping[Key, float] | None = None) -> str:
    """Return the durations as tables in Markdown, with ratios to an earlier run where one is given."""
    columns = ["matcher", "size", "extract, ms", "match, ms", "geometry, ms", "frame, ms", "95 %", "CPU, ms"]
    columns += ["frames/s", "overlapped", "memory, MB", "keypoints, matches"]
    columns += ["times faster"] if earlier is not None else []
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for outcome in outcomes:
        stages = outcome.stages
        cells = [outcome.matcher, _size(outcome), *(f"{stages[name].median_ms:.1f}" for name in STAGES)]
        cells += [f"{stages['frame'].p95_ms:.1f}", f"{outcome.cpu_ms:.1f}"]
        cells += [f"{1e3 / stages['frame'].median_ms:.1f}", f"{1e3 / outcome.overlapped_ms:.1f}"]
        cells.append(_memory(outcome))
        cells.append(f"{outcome.keypoints:.0f}, {outcome.matches:.0f}")
        if earlier is not None:
            before = earlier.get(_key(dataclasses.asdict(outcome)))
            cells.append("" if before is None else f"{before / stages['frame'].median_ms:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", _limits(outcomes), ""]
    lines += [
        f"{name}: a frame's time grows with the pixel count to the power {wall:.2f} (CPU {cpu:.2f})."
        for name, (wall, cpu) in growth(outcomes).items()
    ]
    return "\n".join(lines)


def read_earlier(path: Path) -> dict[Key, float]:
    """Return the median frames of an earlier run's file, in milliseconds.

    Raises:
        InputError: the file cannot be read or is no such file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            _key(outcome): float(outcome["stages"]["frame"]["median_ms"]) for outcome in content["outcomes"]
        }
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise InputError(msg) from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        msg = f"{path} was not written by `drcn bench speed --json` ({type(error).__name__}: {error})"
        raise InputError(msg) from None


def _limits(outcomes: Sequence[SpeedOutcome]) -> str:
    """Return how far each stage is from what the device could do."""
    lines = [
        "| matcher | size | stage | GFLOP | MB moved | least, ms | measured, ms | of the limit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        for name, stage in outcome.stages.items():
            if stage.work is None or stage.least_ms is None:
                continue
            share = stage.least_ms / stage.median_ms if stage.median_ms > 0 else 0.0
            lines.append(
                f"| {outcome.matcher} | {_size(outcome)} | {name} | {stage.work.gflop:.2f} "
                f"| {stage.work.mbyte:.0f} | {stage.least_ms:.1f} | {stage.median_ms:.1f} | {share:.0%} |"
            )
    ceilings = [outcome.ceilings for outcome in outcomes]
    flops = [ceiling.gflop_per_s for ceiling in ceilings]
    copies = [ceiling.gbyte_per_s for ceiling in ceilings]
    lines += [
        "",
        f"Ceilings, measured with each case: a large matrix product {min(flops):.0f} to {max(flops):.0f} "
        f"GFLOP/s, a large copy {min(copies):.1f} to {max(copies):.1f} GB/s.",
    ]
    return "\n".join(lines)


def _key(outcome: Mapping[str, Any]) -> Key:
    size = f"{outcome['width']}x{outcome['height']}"
    return outcome["matcher"], size, outcome["device"], outcome["precision"]


def _size(outcome: SpeedOutcome) -> str:
    return f"{outcome.width}x{outcome.height}"


def _memory(outcome: SpeedOutcome) -> str:
    on_gpu = f" + {outcome.device_memory_mb:.0f}" if outcome.device_memory_mb else ""
    return f"{outcome.memory_mb:.0f}{on_gpu}"
