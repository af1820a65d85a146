# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter files as ROS 2 reads them, and what no reader should take for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from drcn_ros.errors import ConfigurationError
from drcn_ros.foreign.parameter_file import ParameterFile, read_parameter_file


def read(folder: Path, text: str) -> ParameterFile:
    path = folder / "vo.yaml"
    path.write_bytes(text.encode("latin-1"))
    return read_parameter_file(path, "vo_node")


@pytest.mark.parametrize(
    "section",
    ["/**", "vo_node", "/vo_node", "/robot/vo_node", "/**/vo_node", "/robot/*", "robot:\n  vo_node"],
)
def test_the_sections_that_name_the_node_are_read_by_dotted_names(tmp_path: Path, section: str):
    text = f"{section}:\n    ros__parameters:\n      rate: 2.0\n      inner: {{size: 4, kind: square}}\n"
    assert read(tmp_path, text).values == {"rate": 2.0, "inner.size": 4, "inner.kind": "square"}


def test_sections_of_other_nodes_are_left_out_and_named(tmp_path: Path):
    text = "/**:\n  ros__parameters: {a: 1, b: 1}\ncamera:\n  ros__parameters: {a: 2}\n"
    file = read(tmp_path, text + "vo_node:\n  ros__parameters: {b: 3}\n")
    assert file.values == {"a": 1, "b": 3}
    assert file.others == ("/camera",)


def test_parameters_of_ros_itself_are_told_apart(tmp_path: Path):
    text = "/**:\n  ros__parameters:\n    use_sim_time: true\n    a: 1\n"
    text += "    qos_overrides./image.subscription.depth: 3\n    qos_overrides: {/image: {subscription: 1}}\n"
    file = read(tmp_path, text)
    assert file.values == {"a": 1}
    assert file.of_ros[:2] == ("use_sim_time", "qos_overrides./image.subscription.depth")


_HEAD = "/**:\n  ros__parameters:\n    "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        ("a: [", "is no YAML: expected"),
        ("rate: 2.0", "has no 'ros__parameters'"),
        ("camera:\n  ros__parameters: {a: 1}", "has parameters for /camera, none for vo_node"),
        ("\xff", "vo.yaml is no YAML: it is no text"),
        (_HEAD + "a: 1\n    b: 2\n    a: 3", "'a' is there twice (line 5)"),
        (_HEAD + "a: &x {b: *x}", "the alias *x is not read"),
        (_HEAD + "a: " + "[" * 3000, "it is nested too deeply"),
        (_HEAD + "a: " + "9" * 5000, "is no YAML: Exceeds the limit"),
        (_HEAD + "a: 2026-13-45", "is no YAML: month must be in 1..12"),
        ("--- a\n--- b", "but found another document"),
        ("!!python/object/apply:os.system [true]", "could not determine a constructor"),
    ],
)
def test_an_unusable_parameter_file_is_one_clear_line(tmp_path: Path, content: str | None, words: str):
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, content) if content is not None else read_parameter_file(
            tmp_path / "a.yaml", "vo_node"
        )
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
