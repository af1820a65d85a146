# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Features of a GPU without the keypoints that only fill up."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from drcn_ros.matching.types import Features, Keypoints, packed

FeaturesT = TypeVar("FeaturesT", bound=Features)


def trimmed(features: FeaturesT) -> FeaturesT:
    """Return features without the last keypoints, whose score is 0, see `strongest_maxima`.

    On a CPU there are none. Elsewhere the host waits for their number, which it learns together with the
    keypoints themselves: these are then on the host.
    """
    if features.points.device.type == "cpu":
        return features
    rows = packed(features.points.float(), features.scores.float(), features.scales.float())
    count = int((rows[:, 2] > 0).sum())
    kept = replace(
        features,
        points=features.points[:count],
        scores=features.scores[:count],
        scales=features.scales[:count],
        descriptors=None if features.descriptors is None else features.descriptors[:count],
    )
    # What `on_host` would ask for anew.
    kept.__dict__["on_host"] = Keypoints.of_rows(rows[:count])
    return kept
