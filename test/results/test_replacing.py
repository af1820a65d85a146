# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing is ever half there."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

from drcn_ros.cli.interrupts import Ended
from drcn_ros.errors import InputError
from drcn_ros.results import unfinished as unfinished_module
from drcn_ros.results.replacing import OWN_FILES, claim, replaced_folder, whole_file, whole_folder


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
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InputError, match="exists already"), whole_folder(tmp_path):
        pass


def _result(target: Path, name: str) -> None:
    with replaced_folder(target, "mark") as temporary:
        (temporary / "mark").write_text(name)
        (temporary / name).mkdir()
        (temporary / name / "file").write_text("")


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_an_earlier_result_is_replaced_as_a_whole(tmp_path: Path):
    target = tmp_path / "run"
    for name in ("first", "second"):
        _result(target, name)
    assert _files(target) == [OWN_FILES, "mark", "second/file"]
    assert not (target / "first").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_somebody_put_into_a_result_stays(tmp_path: Path):
    target = tmp_path / "run"
    _result(target, "first")
    (target / "notes.txt").write_text("mine")
    (target / "first" / "more.txt").write_text("mine too")
    _result(target / "baseline", "other")
    _result(target, "second")
    assert (target / "notes.txt").read_text() == "mine"
    assert (target / "first" / "more.txt").read_text() == "mine too"
    assert (target / "baseline" / "mark").read_text() == "other"
    assert not (target / "first" / "file").exists()


def test_a_project_with_a_file_of_the_same_name_is_no_result(tmp_path: Path):
    (tmp_path / "mark").write_text("somebody's metrics")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.c").write_text("int main")
    with pytest.raises(InputError, match="is no earlier result"), replaced_folder(tmp_path, "mark"):
        pass
    assert _files(tmp_path) == ["mark", "src/main.c"]


def test_a_foreign_file_in_the_way_is_named_and_everything_stays(tmp_path: Path):
    target = tmp_path / "run"
    _result(target, "first")
    (target / "second").mkdir()
    (target / "second" / "file").write_text("mine")
    with pytest.raises(InputError, match="second/file"):
        _result(target, "second")
    assert (target / "second" / "file").read_text() == "mine"
    assert (target / "mark").read_text() == "first"


def test_a_list_cannot_name_files_elsewhere(tmp_path: Path):
    target = tmp_path / "run"
    _result(target, "first")
    outside = tmp_path / "outside"
    outside.write_text("mine")
    with (target / OWN_FILES).open("a") as listed:
        listed.write(f"../outside\n{outside}\n")
    _result(target, "second")
    assert outside.read_text() == "mine"


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


def test_results_below_come_into_place_with_the_whole(tmp_path: Path):
    target = tmp_path / "run"

    def write(name: str) -> None:
        with replaced_folder(target, "mark") as temporary:
            _result(temporary, name)
            _result(temporary / "baseline", name)
            assert not (target / name).exists()

    write("first")
    assert _files(target) == [
        OWN_FILES, f"baseline/{OWN_FILES}", "baseline/first/file", "baseline/mark", "first/file", "mark",
    ]  # fmt: skip
    write("second")
    assert not (target / "baseline" / "first").exists()
    # A run without the result below leaves it.
    _result(target, "third")
    assert (target / "baseline" / "second" / "file").is_file()


def test_an_interrupt_between_two_results_leaves_the_earlier_ones(tmp_path: Path):
    target = tmp_path / "run"
    _result(target, "first")

    def interrupted() -> None:
        with replaced_folder(target, "mark") as temporary:
            _result(temporary, "second")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert _files(target) == [OWN_FILES, "first/file", "mark"]


def test_the_working_directory_can_be_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "run"
    target.mkdir()
    monkeypatch.chdir(target)
    _result(Path(), "first")
    assert _files(target) == [OWN_FILES, "first/file", "mark"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_of_two_runs_into_one_place_the_second_is_refused(tmp_path: Path):
    target = tmp_path / "run"
    with replaced_folder(target, "mark") as temporary:
        with pytest.raises(InputError, match="is being written by another run"):
            _result(target, "second")
        (temporary / "mark").write_text("first")
    assert (target / "mark").read_text() == "first"
    with whole_file(target / "file") as temporary:
        with pytest.raises(InputError, match="is being written by another run"), whole_file(target / "file"):
            pass
        temporary.write_text("")


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path):
    target = tmp_path / "run"
    code = "import os, sys\nfrom pathlib import Path\n"
    code += "from drcn_ros.results.replacing import replaced_folder\n"
    code += "with replaced_folder(Path(sys.argv[1]), 'mark') as place:\n"
    code += "    (place / 'mark').write_text('half')\n    os.kill(os.getpid(), 9)\n"
    ended = subprocess.run([sys.executable, "-c", code, target], timeout=60, check=False)
    assert ended.returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    somebodys = tmp_path / ".run.12345678"
    somebodys.mkdir()
    _result(target, "second")
    assert sorted(path.name for path in tmp_path.iterdir()) == [somebodys.name, "run"]


def test_a_signal_between_any_two_steps_leaves_nothing_behind(tmp_path: Path):
    place, steps = tmp_path / "run", 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal steps
        if event in ("call", "c_return") and frame.f_code.co_filename == unfinished_module.__file__:
            steps -= 1
            if steps == 0:
                raise Ended(signal.SIGINT)

    def interrupted(step: int) -> bool:
        """Make a folder; a signal comes at a step. Return whether there were so many."""
        nonlocal steps
        steps = step
        try:
            sys.setprofile(count)
            with unfinished_module.unfinished(place, tmp_path) as folder:
                (folder / "file").write_text("half")
        except Ended:
            return True
        finally:
            sys.setprofile(None)
        return False

    step = 1
    while interrupted(step):
        gc.collect()
        assert list(tmp_path.iterdir()) == []
        step += 1
    assert step > 20


def test_what_is_no_plain_file_is_written_to_and_stays(tmp_path: Path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with whole_file(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"

    def fill() -> None:
        with whole_file(Path("/dev/full")) as temporary:
            temporary.write_text("new")

    with pytest.raises(InputError, match="/dev/full: No space left"):
        fill()
    assert Path("/dev/full").is_char_device()


def test_files_that_somebody_else_made_are_not_claimed(tmp_path: Path):
    claim(tmp_path, ["a", "b"])
    (tmp_path / "a").write_text("ours")
    claim(tmp_path, ["a", "c"])
    (tmp_path / "d").write_text("mine")
    with pytest.raises(InputError, match="holds d, which is no file of an earlier result"):
        claim(tmp_path, ["a", "d"])
    assert (tmp_path / OWN_FILES).read_text().split() == ["a", "b", "c"]
