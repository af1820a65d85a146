# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drcn_ros.errors import DrcnError
from drcn_ros.ros.session import domain
from drcn_ros.ros.session.domain import private_domain

HOLD = "import sys; from drcn_ros.ros.session.domain import private_domain\n"
HOLD += "with private_domain() as given: print(given, flush=True); sys.stdin.read()"


def test_no_two_processes_have_the_same_domain_at_once() -> None:
    pipe = subprocess.PIPE
    with private_domain() as ours:
        other = subprocess.Popen([sys.executable, "-c", HOLD], stdin=pipe, stdout=pipe, text=True)
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        with private_domain() as third:
            assert len({ours, theirs, third}) == 3
        other.communicate()
    assert min(ours, theirs, third) > 0


def test_a_domain_is_free_again_after_its_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with private_domain() as first:
        pass
    with private_domain() as second:
        assert second == first


def test_when_all_are_taken_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(domain, "_DOMAINS", range(1, 3))
    with private_domain(), private_domain(), pytest.raises(DrcnError, match="all 2 DDS domains are taken"):
        private_domain().__enter__()


def test_links_and_pipes_that_lie_in_the_way_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "drcn_ros_domain_1.lock").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "drcn_ros_domain_2.lock")
    with private_domain() as given:
        assert given == 3
    assert not (tmp_path / "target").exists()
    assert not (tmp_path / "drcn_ros_domain_3.lock").exists()
