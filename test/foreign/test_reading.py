# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files are read whole, but none without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from drcn_ros.errors import InputError
from drcn_ros.foreign.reading import is_file, read_bytes, read_text


def test_a_file_without_an_end_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("drcn_ros.foreign.reading._LARGEST_BYTES", 1 << 20)
    with pytest.raises(InputError, match="/dev/zero holds more than 1 MB"):
        read_bytes(Path("/dev/zero"))


def test_marks_and_line_ends_of_any_system_are_understood(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert read_text(tmp_path / "a") == "a\nb\nc\n"


@pytest.mark.parametrize("name", ["nowhere", "9" * 400, "a\0b", ""])
def test_what_cannot_be_a_name_is_no_file(name: str):
    assert not is_file(name)


def test_a_long_polygon_is_no_name_of_a_file():
    from drcn_ros.odometry.mask import read_mask

    corners = " ".join(f"{0.5 + 0.001 * number:.4f},{number % 2}" for number in range(60))
    assert read_mask(corners) is not None
