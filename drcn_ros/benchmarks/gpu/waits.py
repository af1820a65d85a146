# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How often the host waits for the device in one frame, and where."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from drcn_ros.benchmarks.gpu.inputs import frames_file, sizes, weights_file
from drcn_ros.benchmarks.gpu.parts import Cell, Row, Settings, attempt
from drcn_ros.benchmarks.speed.benchmark import matcher_config
from drcn_ros.benchmarks.speed.frames import load_frames
from drcn_ros.matching import create_matcher
from drcn_ros.matching.device import choose_device

_CASES = (
    ("compact", "drcn"),
    ("compact", "d2net"),
    ("compact", "anchored"),
    ("d2net", "d2net"),
    ("drcn256", "drcn"),
    ("drcn256", "anchored"),
)
_LISTED = 40


def rows(settings: Settings) -> Iterator[Row]:
    """Count the waits of an extraction, of its keypoints on the host, and of a match."""
    if choose_device(settings.device).type != "cuda":
        yield Row("waits", {"note": "only CUDA counts them"})
    for network, matcher in _CASES:
        case = {"network": network, "matcher": matcher}
        yield from attempt(case, lambda: _counted(settings, network, matcher))  # noqa: B023


def _counted(settings: Settings, network: str, name: str) -> Iterator[Row]:
    frames, _ = load_frames(frames_file(settings, sizes(settings)[0]))
    weights = weights_file(settings, network)
    matcher = create_matcher(matcher_config(name, device=settings.device, weights=weights, compile="off"))
    reference, current = (matcher.extract(frame.image) for frame in frames[:2])
    matcher.match(reference, current)
    image = frames[2].image
    steps: dict[str, Callable[[], object]] = {
        "extract": lambda: matcher.extract(image),
        "match": lambda: matcher.match(reference, current),
        "keypoints": lambda: current.keypoints(),
    }
    for step, run in steps.items():
        places = host_waits(run)
        case: dict[str, Cell] = {"network": network, "matcher": name, "stage": step}
        yield Row("waits", {**case, "waits": sum(places.values())})
        for place, count in places.most_common(_LISTED):
            yield Row("where the host waits", {**case, "where": place, "waits": count})


def host_waits(run: Callable[[], object]) -> Counter[str]:
    """Return the lines of code at which a call waits for CUDA, and how often; none without CUDA."""
    if not torch.cuda.is_available():
        run()
        return Counter()
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return Counter(
        f"{Path(warning.filename).name}:{warning.lineno}"
        for warning in found
        if "synchroniz" in str(warning.message)
    )
