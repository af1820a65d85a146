# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One place where the errors of libraries become those of this package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from drcn_ros.errors import DrcnError, InputError


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or the name of its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def guarded(what: str, kind: type[DrcnError] = InputError) -> Iterator[None]:
    """Turn whatever a library raises on somebody else's bytes into an error of this package.

    Libraries raise what their authors had in mind, and, for bytes nobody had in mind, anything at all.

    Args:
        what: is read, as in "bag file /data/a.mcap".
        kind: of the error.

    Raises:
        DrcnError: of that kind; one of this package goes through as it is.
    """
    try:
        yield
    except DrcnError:
        raise
    except MemoryError:
        msg = f"{what}: there is not enough memory to read it"
        raise kind(msg) from None
    except OSError as error:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        msg = f"{what}: {where}{error.strerror or first_line(error)}"
        raise kind(msg) from None
    except Exception as error:
        msg = f"{what} is damaged: {first_line(error)}"
        raise kind(msg) from None
