# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing is ever half there."""

from __future__ import annotations

from pathlib import Path

import pytest

from drcn_ros.errors import InputError
from drcn_ros.evaluation.replacing import replaced_folder, whole_file, whole_folder


def test_a_file_appears_when_it_is_whole(tmp_path: Path):
    target = tmp_path / "deep" / "a.txt"
    with whole_file(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_after_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write() -> None:
        with whole_file(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_an_existing_folder_is_not_overwritten(tmp_path: Path):
    with pytest.raises(InputError, match="exists already"), whole_folder(tmp_path):
        pass


def test_an_earlier_result_is_replaced_as_a_whole(tmp_path: Path):
    target = tmp_path / "run"
    for name in ("first", "second"):
        with replaced_folder(target, "mark") as temporary:
            (temporary / "mark").write_text(name)
            (temporary / name).write_text("")
    assert sorted(path.name for path in target.iterdir()) == ["mark", "second"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_failed_run_leaves_the_earlier_result(tmp_path: Path):
    target = tmp_path / "run"
    with replaced_folder(target, "mark") as temporary:
        (temporary / "mark").write_text("good")
    with pytest.raises(RuntimeError), replaced_folder(target, "mark"):
        raise RuntimeError
    assert (target / "mark").read_text() == "good"


def test_somebody_elses_folder_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is no earlier result"), replaced_folder(tmp_path, "mark"):
        pass
    assert (tmp_path / "thesis.tex").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "run"
    with pytest.raises(InputError, match=r"cannot write .*file/run"), replaced_folder(target, "mark"):
        pass
