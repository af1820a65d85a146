# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What came of a soak run, and whether it is as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

MOST_GROWTH_MB = 20.0


@dataclass(frozen=True)
class Sample:
    """What the node's process uses: resident memory in MB (10^6 bytes), threads, open files."""

    frame: int
    memory_mb: float
    threads: int
    files: int


@dataclass(frozen=True)
class SoakReport:
    """What came of a run.

    Attributes:
        published: images sent.
        received, processed, dropped: by the node's own count.
        statuses: that reached this subscriber; one that is kept from reading for long loses some.
        last_number: of the frames, by the last status: the node counts them for itself.
        samples: the first when the node had settled.
        seconds: wall time.
    """

    published: int
    received: int
    processed: int
    dropped: int
    statuses: int
    last_number: int
    samples: tuple[Sample, ...]
    seconds: float

    @property
    def growth_mb(self) -> float:
        """Growth of the resident memory since the node had settled, MB.

        Between the medians of the first and the last quarter of the samples: the buffers of one frame come
        and go by tens of megabytes.
        """
        quarter = max(1, len(self.samples) // 4)
        first, last = (
            median(sample.memory_mb for sample in part)
            for part in (self.samples[:quarter], self.samples[-quarter:])
        )
        return last - first

    def complaints(self) -> list[str]:
        """Return what was not as it should be."""
        first, last = self.samples[0], self.samples[-1]
        found = []
        if self.growth_mb > MOST_GROWTH_MB:
            found.append(f"memory grew by {self.growth_mb:.1f} MB, allowed are {MOST_GROWTH_MB:.0f}")
        if last.threads > first.threads:
            found.append(f"threads grew from {first.threads} to {last.threads}")
        if last.files > first.files:
            found.append(f"open files grew from {first.files} to {last.files}")
        if self.received != self.processed + self.dropped:
            counted = f"{self.processed} processed and {self.dropped} dropped"
            found.append(f"{self.received} frames received, but {counted}")
        if self.last_number != self.processed:
            found.append(
                f"{self.processed} frames processed, but the last status has number {self.last_number}"
            )
        return found
