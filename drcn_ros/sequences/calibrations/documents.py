# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""YAML, JSON and OpenCV's XML as names with values."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from drcn_ros.errors import InputError
from drcn_ros.foreign import reading
from drcn_ros.foreign.yaml_text import StrictLoader, yaml_problem

_MATRIX_TYPES = ("opencv-matrix", "opencv-nd-matrix")


class _Loader(StrictLoader):
    """Reads OpenCV's matrices as the names and values that they are written with."""


def _matrix(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.MappingNode):
        msg = "a matrix without rows, cols, data"
        raise yaml.constructor.ConstructorError(None, None, msg, node.start_mark)
    return loader.construct_mapping(node, deep=True)


for _type in _MATRIX_TYPES:
    _Loader.add_constructor(f"tag:yaml.org,2002:{_type}", _matrix)


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        InputError: it is missing, or no text.
    """
    try:
        return reading.read_text(path)
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise InputError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path} is no text file"
        raise InputError(msg) from None


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Read a YAML file that holds names and values.

    Raises:
        InputError: the file is missing or no such YAML.
    """
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> Mapping[str, Any]:
    """Return the names and values of YAML, of its first document if it has several.

    Raises:
        InputError: the text of file `path` is no such YAML.
    """
    # OpenCV's files begin with a line that YAML readers refuse.
    head, _, rest = text.partition("\n")
    text = rest if head.startswith("%YAML") else text
    try:
        content = next(iter(yaml.load_all(text, _Loader)), None)
    except Exception as error:  # whatever a value that is none makes of it
        msg = f"{path} is no YAML: {yaml_problem(error)}"
        raise InputError(msg) from None
    if not isinstance(content, dict):
        msg = f"{path}: names with values were expected"
        raise InputError(msg)
    return {str(name): value for name, value in content.items()}


def parse_xml(text: str, path: Path) -> Mapping[str, Any]:
    """Return the names and values of an XML file of OpenCV's FileStorage.

    Raises:
        InputError: the text of file `path` is no such XML.
    """
    # Entities could blow a small file up to any size, and OpenCV writes none.
    if "<!DOCTYPE" in text:
        msg = f"{path}: XML with a document type is not read; OpenCV's FileStorage writes none"
        raise InputError(msg)
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        msg = f"{path} is no XML: {error}"
        raise InputError(msg) from None
    return {entry.tag: _value(entry) for entry in root}


def _value(entry: ElementTree.Element) -> Any:
    children = list(entry)
    if entry.get("type_id") in _MATRIX_TYPES:
        return {child.tag: _value(child) for child in children}
    if children and all(child.tag == "_" for child in children):
        return [_value(child) for child in children]
    if children:
        return {child.tag: _value(child) for child in children}
    words = [_word(word) for word in (entry.text or "").split()]
    # OpenCV writes a list of one number as it writes a number.
    single = len(words) == 1 and entry.tag != "data"
    return words[0] if single else words


def _word(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text.strip('"')
