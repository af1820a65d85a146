# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import threading
import time

import pytest

from drcn_ros.training.prefetch import Prefetch


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_steps_get_their_own_in_order(workers: int) -> None:
    def make(step: int) -> int:
        # Later steps are ready before earlier ones.
        time.sleep(0.02 if step % 2 else 0.0)
        return step * step

    ahead = Prefetch(make, workers, 4, 12)
    assert [ahead.take(step) for step in range(4, 12)] == [step * step for step in range(4, 12)]
    ahead.close()


def test_work_goes_on_while_a_step_runs() -> None:
    made = threading.Event()

    def make(step: int) -> int:
        if step == 1:
            made.set()
        return step

    ahead = Prefetch(make, 1, 0, 3)
    ahead.take(0)
    assert made.wait(5)
    ahead.close()


def test_what_fails_in_a_thread_fails_the_step() -> None:
    def make(step: int) -> int:
        msg = f"step {step}"
        raise ValueError(msg)

    ahead = Prefetch(make, 2, 0, 5)
    with pytest.raises(ValueError, match="step 0"):
        ahead.take(0)
    ahead.close()
