# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of what the networks cost beside their plain routes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from drcn_ros.benchmarks.networks.benchmark import Outcome
from drcn_ros.benchmarks.networks.timing import Seconds, Stage

_SEARCH = "fine search"


def as_json(machine: dict[str, Any], outcomes: list[Outcome]) -> dict[str, Any]:
    """Return everything as plain data."""
    return {"machine": machine, "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes]}


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return a table of frames, and one of the fine search's growth where several sizes were run."""
    lines = [
        "| network | size | frame, s (CPU) | plain route | times cheaper | memory | result |",
        "|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        frame = _stage(outcome, "frame")
        if frame is None:
            continue
        head = (
            f"| {outcome.case.network} | {outcome.case.width}x{outcome.case.height} | {_format(frame.fast)}"
        )
        lines.append(
            f"{head} | {_plain(frame)} | {_ratio(frame)} | {outcome.memory_mb:.0f} MB "
            f"| {'; '.join(outcome.notes)} |"
        )
    return "\n".join([*lines, "", *_growth(outcomes)])


def as_table(outcomes: Sequence[Outcome]) -> str:
    """Return a table of all stages: seconds by the clock, in brackets those of the processor."""
    lines = [
        "| network | size | stage | seconds (CPU) | plain route | times faster |",
        "|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        head = f"{outcome.case.network} | {outcome.case.width}x{outcome.case.height}"
        for row in outcome.stages:
            lines.append(f"| {head} | {row.name} | {_format(row.fast)} | {_plain(row)} | {_ratio(row)} |")
    for outcome in outcomes:
        head = f"{outcome.case.network} {outcome.case.width}x{outcome.case.height}"
        lines += ["", f"{head}: {outcome.memory_mb:.0f} MB; {'; '.join(outcome.notes)}."]
    return "\n".join(lines)


def _format(seconds: Seconds) -> str:
    return f"{seconds.wall:.3f} ({seconds.cpu:.3f})"


def _growth(outcomes: Sequence[Outcome]) -> list[str]:
    """Return how the search's processor time grows with the pixels, for each network and kind of masks."""
    lines = []
    for network in dict.fromkeys(outcome.case.network for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.case.network == network]
        own.sort(key=lambda outcome: outcome.case.width * outcome.case.height)
        pixels = [outcome.case.width * outcome.case.height for outcome in own]
        if len(own) < 2 or _stage(own[0], _SEARCH) is None:
            continue
        sizes = [f"{outcome.case.width}x{outcome.case.height}" for outcome in own]
        lines += [
            f"| {network}, CPU s | {' | '.join(sizes)} | grows with pixels to the power |",
            "|---" * (len(sizes) + 2) + "|",
        ]
        names = [stage.name for stage in own[0].stages if stage.name.startswith(_SEARCH)]
        rows = {name: [_stage(outcome, name) for outcome in own] for name in names}
        times = {name: [stage.fast.cpu for stage in row if stage is not None] for name, row in rows.items()}
        plain = [stage.plain.cpu for stage in rows[_SEARCH] if stage is not None and stage.plain is not None]
        for name, row in [*times.items(), ("plain route, any masks", plain)]:
            if len(row) == len(sizes) and min(row) > 0:
                power = math.log(row[-1] / row[0]) / math.log(pixels[-1] / pixels[0])
                lines.append(f"| {name} | {' | '.join(f'{time:.2f}' for time in row)} | {power:.2f} |")
        lines.append("")
    return lines


def _stage(outcome: Outcome, name: str) -> Stage | None:
    return next((stage for stage in outcome.stages if stage.name == name), None)


def _plain(stage: Stage) -> str:
    return "" if stage.plain is None else _format(stage.plain)


def _ratio(stage: Stage) -> str:
    return "" if stage.plain is None or stage.fast.cpu <= 0 else f"{stage.plain.cpu / stage.fast.cpu:.1f}"
