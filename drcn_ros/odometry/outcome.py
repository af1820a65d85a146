# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What matching a frame with an earlier one came to: state, reason, and both in words."""

from __future__ import annotations

from dataclasses import dataclass

from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import Failure, TwoView
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.local_map import Placed
from drcn_ros.odometry.path import StepLength
from drcn_ros.odometry.states import Reason, State
from drcn_ros.odometry.view import View

_FAILURES = {
    Failure.FEW_MATCHES: Reason.FEW_MATCHES,
    Failure.FEW_INLIERS: Reason.FEW_INLIERS,
    Failure.CHANCE: Reason.FEW_INLIERS,
    Failure.DEGENERATE: Reason.DEGENERATE,
    Failure.PLANAR: Reason.PLANAR_AMBIGUITY,
}
_MODELS = {
    Model.GENERAL: (State.TRACKING, Reason.OK),
    Model.ROTATION: (State.ROTATION_ONLY, Reason.LOW_PARALLAX),
    Model.IDENTITY: (State.STATIONARY, Reason.NO_MOTION),
}


@dataclass(frozen=True)
class Attempt:
    """A frame matched with an earlier one.

    Attributes:
        reference: the earlier one.
        matches: of both.
        two_view: what they tell, or None without a calibration that fits.
        placed: where the local map has the frame, or None where there is no map, or it disagrees.
    """

    reference: View
    matches: Matches
    two_view: TwoView | None
    placed: Placed | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the local map has placed the frame, and not the two views alone."""
        return self.placed is not None and not self.placed.alone


@dataclass(frozen=True)
class Outcome:
    """What is known of a frame.

    Attributes:
        state, reason: of the frame.
        detail: the same in words and numbers.
        attempt: what it rests on, or None where nothing was matched.
        step: the translation's length in the path, where there is one.
    """

    state: State
    reason: Reason
    detail: str
    attempt: Attempt | None = None
    step: StepLength | None = None


def judge(attempt: Attempt, needed: int, in_map: bool = False) -> Outcome:
    """Return what an attempt with two views tells.

    Args:
        attempt: to judge.
        needed: how many matches must agree.
        in_map: whether a local map must have placed the frame.
    """
    two_view = attempt.two_view
    assert two_view is not None
    count, all_count = int(two_view.inliers.sum()), len(attempt.matches)
    dropped = f", {two_view.dropped} outside the lens model" if two_view.dropped else ""
    if two_view.failure is not None:
        few = two_view.failure in (Failure.FEW_MATCHES, Failure.FEW_INLIERS)
        problem = f"need {needed} that agree" if few else two_view.failure.value
        detail = f"{all_count} matches{dropped}, {problem}"
        return Outcome(State.LOST, _FAILURES[two_view.failure], detail, attempt)
    assert two_view.model is not None
    state, reason = _MODELS[two_view.model]
    detail = (
        f"{count} of {all_count} matches agree{dropped}, noise {two_view.noise_px:.2f} px, "
        f"parallax {two_view.parallax_px:.2f} px"
    )
    if in_map and attempt.placed is None:
        detail = f"the landmarks do not agree with the motion; {detail}"
        return Outcome(State.LOST, Reason.MAP_DISAGREES, detail, attempt)
    if attempt.placed is not None and attempt.placed.alone:
        detail = f"the landmarks do not agree, the last motion does, and the map begins anew; {detail}"
        return Outcome(state, Reason.MAP_DISAGREES, detail, attempt)
    return Outcome(state, reason, detail, attempt)
