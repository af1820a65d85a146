# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from drcn_ros.ros.session.logs import new_log


def test_logs_do_not_gather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    logs = [new_log() for _ in range(12)]
    left = [path for path in logs if path.exists()]
    assert left == logs[-5:]
    assert left[0].parent.stat().st_mode & 0o77 == 0
