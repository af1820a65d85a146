# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The documents lead where they say, and tell what is so."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

import pytest
import yaml

from drcn_ros.cli.main import COMMANDS
from drcn_ros.configuration import flatten
from drcn_ros.odometry.states import Reason, State
from drcn_ros.ros.config import NodeConfig

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("[a-z]*/**/README.md")]
    if not path.relative_to(ROOT).parts[0].startswith((".", "build", "install", "log"))
)
TESTS = ["/" + path.relative_to(ROOT).with_suffix("").as_posix() for path in (ROOT / "test").rglob("*.py")]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def anchors(document: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ +(.+?) *$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


def test_what_a_reader_wants_is_one_step_away() -> None:
    page = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for document in (ROOT / "docs").glob("[a-z]*.md"):
        told = document.name == "index.md" or f"({document.name}" in page
        # Pages that another page leads on to.
        assert told or document.name in {"add_a_matcher.md", "add_an_input.md", "accuracy_tables.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_that_are_named_are_there(document: Path) -> None:
    for name in re.findall(r"`([\w/]*test_[a-z][\w]*)(?:\.py)?`", document.read_text(encoding="utf-8")):
        assert any(test.endswith(f"/{name}") for test in TESTS), f"there is no {name}.py"


def test_each_reason_is_told_with_its_state() -> None:
    text = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| `([A-Z_]+)` \|", text, flags=re.MULTILINE))
    assert set(told) == {reason.name for reason in Reason}
    assert set(told.values()) == {state.name for state in State}


def test_defaults_of_the_first_page_are_those_of_the_node() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## Parameters") : text.index("## Command line")]
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| *`?([^`|]*?)`? *\|", table, flags=re.MULTILINE))
    defaults = flatten(NodeConfig())
    assert len(told) > 10
    assert {name: yaml.safe_load(value) or "" for name, value in told.items()} == {
        name: defaults[name] or "" for name in told
    }


def options(command: str) -> set[str]:
    """Return the options of a command or benchmark by its name as typed."""
    parser = argparse.ArgumentParser()
    importlib.import_module(f"drcn_ros.cli.{command.replace('-', '_').replace(' ', '_')}").configure(parser)
    return set(parser._option_string_actions)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_have_the_options_that_are_shown(document: Path) -> None:
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    for line in "".join(blocks).splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "drcn" or words[1] == "weights":
            continue
        command = " ".join(words[1:3]) if words[1] == "bench" else words[1]
        assert words[1] in COMMANDS
        shown = {word.split("=")[0] for word in words if word.startswith("--")}
        assert shown <= options(command), line
