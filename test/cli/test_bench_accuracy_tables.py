# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench accuracy_tables` judges the sets of the suite and goes on where it was cut."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from drcn_ros.benchmarks.accuracy.suite import suite
from drcn_ros.benchmarks.image_pairs import PairSet
from drcn_ros.cli.bench_accuracy_tables import configure, run
from drcn_ros.errors import ConfigurationError, InputError
from drcn_ros.scenes.hard_views import HARD_VIEWS


def parse(*arguments: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args([str(argument) for argument in arguments])


def test_sets_that_are_not_there_are_told_and_all_others_have_their_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drcn_ros.benchmarks.accuracy.suite.HARD_VIEWS", HARD_VIEWS[3:5])
    sets = list(suite(tmp_path))
    lacking = [pairs for pairs, _ in sets if not isinstance(pairs, PairSet)]
    assert any(text.startswith("road@1: ") for text in lacking)
    kinds = {pairs.name: kind for pairs, kind in sets if isinstance(pairs, PairSet)}
    assert kinds["views:facades"] == "bad"
    assert kinds["scene street@6"] == "wide"
    assert kinds["scene orbit@5"] == "easy"
    assert all(len(pairs.pairs) > 5 for pairs, _ in sets if isinstance(pairs, PairSet))


def test_tables_are_written_and_what_is_known_is_not_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("drcn_ros.benchmarks.accuracy.suite.HARD_VIEWS", ())
    json_file, markdown = tmp_path / "accuracy.json", tmp_path / "tables.md"
    asked = [tmp_path, "--json", json_file, "--markdown", markdown, "--seeds", 1, "--max-keypoints", 300]
    assert run(parse(*asked, "--matchers", "orb", "--sets", "photographs")) == 0
    text = markdown.read_text()
    assert "## Views of photographs" in text
    assert "| AUC@10 of pairs of | pairs | orb |" in text
    assert "- Not judged: `hololens_office@6`: " in text
    known = json.loads(json_file.read_text())
    assert list(known["orb"]) == ["photographs@warps"]
    known["orb"]["photographs@warps"]["matches"] = 4321.0
    json_file.write_text(json.dumps(known))
    capsys.readouterr()
    assert run(parse(*asked, "--matchers", "orb", "--sets", "photographs", "--go-on")) == 0
    assert "4321 (" in markdown.read_text()
    assert "orb on" not in capsys.readouterr().err
    json_file.write_text("[1]")
    with pytest.raises(InputError, match="no results of this command"):
        run(parse(*asked, "--matchers", "orb", "--sets", "photographs", "--go-on"))
    with pytest.raises(ConfigurationError, match="fog"):
        run(parse(*asked, "--sets", "fog"))
