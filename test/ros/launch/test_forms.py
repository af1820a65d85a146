# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files in XML and YAML ask for the same as those in Python.

The packages launch_xml and launch_yaml are in no package registry of Python, so a small reader stands in for
them. It knows the elements and attributes that those take, and refuses all others as they do; taken from the
sources of ros2/launch (launch_xml at 632fbb1, launch_yaml at 266c2b9, launch at dcc3487) and ros2/launch_ros
(node.py at eb66680, set_parameters_from_file.py at fd27b94).
"""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# Attributes and kinds of children of each element; a group holds actions.
ELEMENTS = {
    "launch": (set(), {"arg", "set_env", "group", "include"}),
    "arg": ({"name", "default", "description"}, {"choice"}),
    "choice": ({"value"}, set()),
    "set_env": ({"name", "value"}, set()),
    "group": (set(), {"set_parameters_from_file", "set_parameter", "node"}),
    "set_parameters_from_file": ({"filename", "if"}, set()),
    "set_parameter": ({"name", "value", "if"}, set()),
    "node": ({"pkg", "exec", "name", "namespace", "output", "args"}, {"param", "remap"}),
    "param": ({"name", "value"}, set()),
    "remap": ({"from", "to"}, set()),
    "include": ({"file"}, set()),
}
FORMS = [path.name for path in sorted((ROOT / "launch").glob("*.launch.*")) if path.suffix != ".py"]


@dataclass
class Element:
    kind: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)

    def all(self, *kinds: str) -> list[Element]:
        return [child for child in self.children if child.kind in kinds]


def read(path: Path) -> Element:
    if path.suffix == ".xml":
        return from_xml(ElementTree.parse(path).getroot())
    ((kind, content),) = yaml.safe_load(path.read_text()).items()
    return from_yaml(kind, content)


def with_includes(root: Element) -> Element:
    """Put the actions of included files in the place of those that include them."""
    actions: list[Element] = []
    for action in root.children:
        if action.kind == "include":
            name = action.attributes["file"].removeprefix("$(find-pkg-share drcn_ros)/launch/")
            actions += with_includes(read(ROOT / "launch" / name)).children
        else:
            actions.append(action)
    return Element(root.kind, root.attributes, actions)


def from_xml(node: ElementTree.Element) -> Element:
    return checked(Element(node.tag, dict(node.attrib), [from_xml(child) for child in node]))


def from_yaml(kind: str, content: Any) -> Element:
    """A list holds actions of one key each; in a mapping, lists are children of the kind of their key."""
    element = Element(kind)
    if isinstance(content, list):
        for child in content:
            ((name, inner),) = child.items()
            element.children.append(from_yaml(name, inner))
        return checked(element)
    for name, value in content.items():
        if isinstance(value, list):
            element.children += [from_yaml(name, entry) for entry in value]
        else:
            assert isinstance(value, str), f"{kind}.{name} is {value!r}, and YAML's values are not converted"
            element.attributes[name] = value
    return checked(element)


def checked(element: Element) -> Element:
    attributes, children = ELEMENTS[element.kind]
    assert set(element.attributes) <= attributes
    assert {child.kind for child in element.children} <= children
    return element


class Context:
    """Gives the values of substitutions."""

    def __init__(self, root: Element, given: dict[str, str], share: str) -> None:
        self._share = share
        self.arguments: dict[str, str] = {}
        for entry in root.all("arg"):
            name = entry.attributes["name"]
            value = self.arguments.get(name, given.get(name, entry.attributes.get("default")))
            assert value is not None, f"argument {name} has no default and is not given"
            choices = [choice.attributes["value"] for choice in entry.all("choice")]
            if choices and value not in choices:
                msg = f"{name}: {value!r} is none of {choices}"
                raise RuntimeError(msg)
            self.arguments[name] = value

    def value(self, text: str) -> str:
        """Replace substitutions, the innermost first."""
        while match := re.search(r"\$\((var|find-pkg-share|eval) ([^$()]*)\)", text):
            kind, content = match.groups()
            if kind == "var":
                found = self.arguments[content]
            elif kind == "find-pkg-share":
                assert content == "drcn_ros"
                found = self._share
            else:
                assert (content[0], content[-1]) == ('"', '"')
                found = str(eval(content[1:-1], {}))
            text = text[: match.start()] + found + text[match.end() :]
        return text

    def holds(self, element: Element) -> bool:
        if "if" not in element.attributes:
            return True
        return {"true": True, "false": False}[self.value(element.attributes["if"]).lower()]

    def attribute(self, element: Element, name: str) -> str:
        return self.value(element.attributes[name])


def asked_for(root: Element, context: Context) -> list[dict[str, Any]]:
    """Return what each node is started with."""
    nodes = []
    for group in root.all("group"):
        files: list[str] = []
        values: dict[str, Any] = {}
        for element in group.children:
            if not context.holds(element):
                continue
            if element.kind == "set_parameters_from_file":
                assert not values, "a file after a value would replace it"
                files.append(context.attribute(element, "filename"))
            elif element.kind == "set_parameter":
                values[context.attribute(element, "name")] = context.attribute(element, "value")
            else:
                own = {
                    context.attribute(entry, "name"): context.attribute(entry, "value")
                    for entry in element.all("param")
                }
                nodes.append(
                    {
                        "package": context.attribute(element, "pkg"),
                        "executable": context.attribute(element, "exec"),
                        "name": context.attribute(element, "name"),
                        "namespace": context.attribute(element, "namespace"),
                        "output": context.attribute(element, "output"),
                        "arguments": shlex.split(context.attribute(element, "args")),
                        "files": list(files),
                        "values": {**values, **own},
                        "remappings": [
                            (context.attribute(entry, "from"), context.attribute(entry, "to"))
                            for entry in element.all("remap")
                        ],
                    }
                )
    return nodes


def asked_for_in_python(actions: dict[str, list[Any]]) -> list[dict[str, Any]]:
    nodes = []
    for node in actions["Node"]:
        named = dict(node.named)
        entries = named.pop("parameters")
        *files, values = entries
        assert all(isinstance(entry, str) for entry in files)
        texts = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()
        }
        nodes.append({**named, "files": files, "values": texts})
    return nodes


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"preset": "vo_fast", "namespace": "left", "image": "/cam/image_raw", "camera_info": "/cam/info"},
        {"params_file": "/tmp/own.yaml", "use_sim_time": "true", "log_level": "debug"},
        {"image_transport": "compressed", "device": "cpu", "params_file": "/tmp/own.yaml"},
    ],
    ids=["nothing", "names", "file", "values"],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_form_asks_for_the_same_as_the_one_in_python(
    launched: Callable[..., Any], tmp_path: Path, form: str, given: dict[str, str]
) -> None:
    actions = launched(f"{form.split('.')[0]}.launch.py", **given)
    root = with_includes(read(ROOT / "launch" / form))
    context = Context(root, given, str(tmp_path / "share" / "drcn_ros"))
    assert asked_for(root, context) == asked_for_in_python(actions)
    environment = {
        context.attribute(entry, "name"): context.attribute(entry, "value") for entry in root.all("set_env")
    }
    assert environment == {
        entry.positional[0]: entry.positional[1] for entry in actions["SetEnvironmentVariable"]
    }
    arguments = [
        (entry.attributes["name"], entry.attributes["default"], entry.attributes["description"])
        for entry in root.all("arg")
    ]
    assert arguments == [
        (entry.positional[0], entry.named["default_value"], entry.named["description"])
        for entry in actions["DeclareLaunchArgument"]
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_lists_all_presets(form: str) -> None:
    root = with_includes(read(ROOT / "launch" / form))
    preset = [entry for entry in root.all("arg") if entry.attributes["name"] == "preset"][-1]
    choices = [choice.attributes["value"] for choice in preset.all("choice")]
    assert choices == sorted(path.stem for path in (ROOT / "config").glob("vo*.yaml"))
    with pytest.raises(RuntimeError, match="preset: 'vo_quick' is none of"):
        Context(root, {"preset": "vo_quick"}, "")


def test_each_form_is_there_in_both_languages() -> None:
    assert FORMS
    stems = {
        suffix: {form.split(".")[0] for form in FORMS if form.endswith(suffix)} for suffix in ("xml", "yaml")
    }
    assert stems["xml"] == stems["yaml"] == {"vo", "slam"}
