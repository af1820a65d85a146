# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are installed beside the code, or lie in its source tree."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

_PACKAGE = "drcn_ros"


def fast_dds_profile() -> Path | None:
    """Return the Fast DDS profile that large images need, or None where it was not installed."""
    profiles = (folder / "config" / "fastdds_shm.xml" for folder in _folders())
    return next((profile for profile in profiles if profile.is_file()), None)


def _folders() -> Iterator[Path]:
    yield Path(__file__).resolve().parents[2]
    # An OSError says that AMENT_PREFIX_PATH is not set, as in a plain virtual environment.
    with contextlib.suppress(PackageNotFoundError, OSError):
        yield Path(get_package_share_directory(_PACKAGE))
