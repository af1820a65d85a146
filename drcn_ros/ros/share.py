# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are installed beside the code, or lie in its source tree."""

from __future__ import annotations

import contextlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

_PACKAGE = "drcn_ros"


def fast_dds_profile() -> Path | None:
    """Return the Fast DDS profile that large images need, or None where it was not installed."""
    return _find("config/fastdds_shm.xml")


def office_frames() -> Path | None:
    """Return the folder of the recorded frames, or None where they were not installed."""
    frames = _find("data/office/rgb.txt")
    return None if frames is None else frames.parent


def _find(name: str) -> Path | None:
    return next((file for file in (folder / name for folder in _folders()) if file.is_file()), None)


def _folders() -> Iterator[Path]:
    yield Path(__file__).resolve().parents[2]
    # An OSError says that AMENT_PREFIX_PATH is not set, as in a plain virtual environment.
    with contextlib.suppress(PackageNotFoundError, OSError):
        yield Path(get_package_share_directory(_PACKAGE))
    # Where pip puts them: into the environment, or the user's own folder.
    for scheme in ("prefix", "user"):
        name = sysconfig.get_preferred_scheme(scheme)
        yield Path(sysconfig.get_path("data", name)) / "share" / _PACKAGE
