# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One sequence of the demo: played to the real node over DDS, judged, drawn."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drcn_ros.cli.progress import progress
from drcn_ros.configuration import flatten
from drcn_ros.errors import DrcnError
from drcn_ros.evaluation.evaluate import evaluate
from drcn_ros.evaluation.metrics_file import RunInfo
from drcn_ros.evaluation.report.match_picture import SHORT_KEY, draw_matches
from drcn_ros.evaluation.runner import Step
from drcn_ros.foreign.images import write_image
from drcn_ros.matching.device import in_force
from drcn_ros.results.replacing import claim, whole_file
from drcn_ros.ros.config import NodeConfig
from drcn_ros.sequences import ImageSequence, Selection

if TYPE_CHECKING:
    from drcn_ros.ros.session.live import LiveRun

_RUN = "run"
_MATCHES = "matches.png"
_LOG = "node.log"


@dataclass(frozen=True)
class DemoRun:
    """What became of a sequence.

    Attributes:
        title: what the sequence is, for people.
        live: what was published and answered.
        answered: frames that the node gave a status of.
        content: of `metrics.json`.
        folder: of the run: report, pictures, paths.
        matches: picture of the matches of two frames, or None where no two adjacent ones were matched.
    """

    title: str
    live: LiveRun
    answered: int
    content: Mapping[str, Any]
    folder: Path
    matches: Path | None


def reserve(out: Path) -> None:
    """Enter what a sequence leaves in a folder besides its run into that folder's list.

    Raises:
        InputError: the folder holds such files of somebody else, or cannot be written to.
    """
    claim(out, (_MATCHES, _LOG))


def run_sequence(
    title: str, source: str, sequence: ImageSequence, chosen: Selection, config: NodeConfig, out: Path
) -> DemoRun:
    """Play a sequence to the node, judge its answers, and write the results into `out`.

    Args:
        title: what the sequence is, for people.
        source: what the user calls it.
        sequence: of frames.
        chosen: which of them.
        config: of the node.
        out: folder of the results.

    Raises:
        DrcnError: the node does not start, gives no answer, or the results cannot be written.
    """
    reserve(out)
    if sequence.camera is None:
        print("note: no calibration, so there are no poses; give one with --camera FILE", file=sys.stderr)
    live = _play(title, sequence, chosen, config, out)
    answered = sum(bool(record.status) for record in live.frames.values())
    if not answered:
        msg = f"the node answered none of {len(live.published)} frames; its output is in {out / _LOG}"
        raise DrcnError(msg)
    content, matches = _judge(source, sequence, chosen, config, live, out)
    for note in sequence.notes.lines:
        print(f"note: {note}", file=sys.stderr)
    return DemoRun(title, live, answered, content, out / _RUN, matches)


def _play(title: str, sequence: ImageSequence, chosen: Selection, config: NodeConfig, out: Path) -> LiveRun:
    from drcn_ros.ros.session.live import live_session
    from drcn_ros.ros.share import fast_dds_profile

    say(f"{title}: starting vo_node with matcher {config.matcher.name}")
    with live_session(sequence.camera, flatten(config), out / _LOG, fast_dds_profile()) as session:
        say(f"{title}: playing it over DDS at a pace that this machine keeps up with")
        with progress(sequence.expected(chosen), "play") as bar:
            rate = session.play_as_camera(sequence.frames(chosen), bar.update)
        return session.run(rate)


def _judge(
    source: str,
    sequence: ImageSequence,
    chosen: Selection,
    config: NodeConfig,
    live: LiveRun,
    out: Path,
) -> tuple[Mapping[str, Any], Path | None]:
    """Write the run's folder and the picture of matches; return the metrics and the picture's path."""
    from drcn_ros.ros.session.live_steps import live_steps

    best = _BestMatches()

    def info() -> RunInfo:
        return RunInfo(
            source,
            sequence.kind,
            config.matcher.name,
            in_force(config.matcher),
            f"live at {live.rate_hz or 0.0:.1f} frames/s",
            chosen,
            flatten(config),
            sequence.notes.lines,
        )

    steps = best.watch(live_steps(sequence.frames(chosen), live.frames))
    content = evaluate(steps, sequence, info, out / _RUN)
    return content, best.write(out / _MATCHES)


class _BestMatches:
    """Remembers the pair of adjacent frames with the largest parallax, for the picture."""

    def __init__(self) -> None:
        self._last: Step | None = None
        self._pair: tuple[Step, Step] | None = None
        self._parallax = 0.0

    def watch(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Pass the steps through."""
        for step in steps:
            last, self._last = self._last, step
            # The images of older references are not kept.
            adjacent = last is not None and last.frame.stamp_ns == step.estimate.reference_stamp_ns
            parallax = step.estimate.parallax_px or 0.0
            if last is not None and adjacent and step.matches is not None and parallax >= self._parallax:
                self._pair, self._parallax = (last, step), parallax
            yield step

    def write(self, path: Path) -> Path | None:
        """Draw the pair and return the file, or None where there was no pair.

        Raises:
            InputError: the file cannot be written.
        """
        if self._pair is None or self._pair[1].matches is None:
            return None
        reference, current = self._pair
        estimate = current.estimate
        agree = f"{estimate.inliers} of {estimate.matches} matches agree ({SHORT_KEY})"
        caption = f"{estimate.state.value}: {agree}"
        assert current.matches is not None
        picture = draw_matches(reference.frame.image, current.frame.image, current.matches, caption)
        with whole_file(path) as temporary:
            write_image(temporary, picture)
        return path


def say(line: str) -> None:
    """Tell a person what goes on."""
    print(line, file=sys.stderr, flush=True)
