# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs through the real node in a process of its own, for `drcn evaluate --live`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from drcn_ros.configuration import flatten
from drcn_ros.evaluation.metrics.summary import LatencyMetrics
from drcn_ros.evaluation.runner import Step
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.session.logs import new_log
from drcn_ros.sequences import ImageSequence, Selection
from drcn_ros.sequences.prefetch import prefetched

if TYPE_CHECKING:
    from drcn_ros.ros.session.live import LiveRun, LiveSession


@contextmanager
def live_run(sequence: ImageSequence, chosen: Selection, config: NodeConfig) -> Iterator[Iterator[Step]]:
    """Give the steps of a run in which each frame is played when the last one was answered.

    Raises:
        DrcnError: the node does not start, ends, or does not answer.
    """
    from drcn_ros.ros.session.live_steps import answered_steps

    # The same frames as a direct run: none may be dropped on the way.
    with _session(sequence, config, "every_frame") as session, prefetched(sequence.frames(chosen)) as frames:
        yield answered_steps(session, frames)


def live_run_at_rate(
    sequence: ImageSequence, chosen: Selection, config: NodeConfig, rate: float
) -> tuple[Iterator[Step], dict[str, Any]]:
    """Play at `rate` times real time without waiting; return the answered steps and what was lost.

    Raises:
        DrcnError: the node does not start, or ends.
    """
    from drcn_ros.ros.session.live_steps import live_steps

    with _session(sequence, config, "live") as session, prefetched(sequence.frames(chosen)) as frames:
        run = session.run(session.play_at_rate(frames, rate, lambda: None))
    return live_steps(sequence.frames(chosen), run.frames), _summary(run, rate)


def _summary(run: LiveRun, rate: float) -> dict[str, Any]:
    answered = sum(bool(record.status) for record in run.frames.values())
    latency = LatencyMetrics.of(run.latencies_ms())
    return {
        "rate": rate,
        "published": len(run.published),
        "published_hz": None if run.rate_hz is None else float(np.round(run.rate_hz, 3)),
        "answered": answered,
        "dropped": len(run.published) - answered,
        "latency_ms": {"median": latency.median, "p95": latency.p95},
    }


@contextmanager
def _session(sequence: ImageSequence, config: NodeConfig, processing: str) -> Iterator[LiveSession]:
    from drcn_ros.ros.session.live import live_session
    from drcn_ros.ros.share import fast_dds_profile

    parameters = {**flatten(config), "processing": processing}
    # The log stays where an error message points to it, and goes when all went well.
    log = new_log()
    with live_session(sequence.camera, parameters, log, fast_dds_profile()) as session:
        yield session
    log.unlink()
