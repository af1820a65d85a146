# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Packages that only yardsticks need: not there, broken or of another version, each is told in one way."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drcn_ros.errors import DrcnError, MissingDependencyError
from drcn_ros.foreign.guard import first_line


@contextmanager
def published(method: str, package: str, *more: str) -> Iterator[Any]:
    """Give the module of a package; what fails inside, or while it is imported, is the package's fault.

    Args:
        method: name of the yardstick.
        package: name on the package index; its module has underscores for hyphens.
        more: packages that it needs and does not bring along.

    Raises:
        MissingDependencyError: it cannot be used.
    """
    try:
        module = importlib.import_module(package.replace("-", "_"))
        yield module
    except DrcnError:
        raise
    except Exception as error:
        msg = f"{method} needs the package {package}, which is not usable here ({first_line(error)}); "
        msg += f"pip install {' '.join((package, *more))}, or leave it out of --matchers"
        raise MissingDependencyError(msg) from None
