# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The documents lead where they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drcn_ros.odometry.states import Reason, State

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
