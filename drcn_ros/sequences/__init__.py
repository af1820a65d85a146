# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs of every kind as one: `open_sequence(path)` looks at the content and returns an `ImageSequence`."""

from drcn_ros.sequences.base import ALL, ImageSequence, Selection, Shot
from drcn_ros.sequences.recognise import SequenceOptions, open_sequence

__all__ = ["ALL", "ImageSequence", "Selection", "SequenceOptions", "Shot", "open_sequence"]
