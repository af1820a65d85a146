# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Each room of the package imports only from the floors below it in the picture of docs/architecture.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "drcn_ros"

# Rooms that serve all others on floors above theirs.
SERVING = {"errors", "foreign", "configuration", "allocation", "children", "results"}
# Each room with those it may import besides itself and the serving ones; "ros" is what lies in no room of it.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "allocation": set(),
    "children": set(),
    "moved": set(),
    "foreign": set(),
    "results": set(),
    "configuration": set(),
    "networks": set(),
    "matching": {"networks"},
    "geometry": set(),
    "odometry": {"matching", "geometry"},
    "scenes": {"geometry"},
    "conversion": {"geometry"},
    "sequences": {"geometry", "odometry", "scenes", "conversion"},
    "mapping": {"geometry", "odometry", "sequences"},
    "ros": {"odometry", "conversion"},
    "ros.messages": {"ros", "geometry", "odometry"},
    "evaluation": {"matching", "geometry", "odometry", "sequences"},
    "training": {"networks", "matching", "geometry", "scenes", "sequences", "evaluation"},
    "ros.node": {"ros", "ros.messages", "matching", "geometry", "odometry", "conversion", "evaluation"},
    "ros.session": {"ros", "ros.messages", "geometry", "odometry", "conversion", "sequences", "evaluation"},
}
_BELOW = set(ROOMS)
_TOP: dict[str, set[str]] = {
    "benchmarks": _BELOW,
    "doctor": _BELOW,
    "ros.mapping": _BELOW - {"scenes", "evaluation", "training"},
}
ROOMS |= {**_TOP, "cli": _BELOW | set(_TOP)}


def floors() -> list[list[str]]:
    """Return the rooms of the picture, the lowest floor first."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^ *\d+ +\|([^|]+)\|", text, re.MULTILINE)
    return [re.findall(r"[a-z][a-z_.]*", row) for row in reversed(rows)]


def room_of(module: str) -> str | None:
    """Return the room of a module by its dotted name below the package; None of the package itself."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in names if name in ROOMS), None)


def modules() -> Iterator[tuple[str, Path]]:
    """Yield all modules by their dotted names below the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


NAMES = dict(modules())


def imported(path: Path, when_run: bool = False) -> Iterator[str]:
    """Yield the modules of the package that a file imports; on demand without those for types alone."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    checked = [
        node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    skipped = {id(node) for block in checked for node in block.body} if when_run else set()
    for node in nodes:
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name.removeprefix("drcn_ros.") in NAMES else node.module for name in names]
        else:
            continue
        yield from (name.removeprefix("drcn_ros.") for name in names if name.startswith("drcn_ros."))


def files_of(room: str) -> list[Path]:
    """Return the files of a room."""
    return [path for name, path in NAMES.items() if room_of(name) == room]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    allowed = ROOMS[room] | SERVING | {room}
    assert files_of(room)
    for path in files_of(room):
        for name in imported(path):
            assert room_of(name) in allowed, f"{path.relative_to(ROOT)} imports drcn_ros.{name}"


def test_every_module_has_its_room() -> None:
    assert [name for name in NAMES if room_of(name) is None] == ["", "__main__"]


def test_the_picture_has_each_room_once_and_no_import_leads_up() -> None:
    picture = floors()
    assert sorted(room for floor in picture for room in floor) == sorted(ROOMS)
    below: set[str] = set()
    for floor in picture:
        for room in floor:
            assert ROOMS[room] <= below, f"{room} may import what the picture does not show below it"
            served = {room_of(name) for path in files_of(room) for name in imported(path)}
            assert served & SERVING <= below | {room}
        below |= set(floor)


def test_no_module_imports_itself_around_a_corner() -> None:
    graph = {name: set(imported(path, when_run=True)) - {name} for name, path in NAMES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(NAMES)
