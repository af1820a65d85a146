# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Downloads that can be cut off and resumed, and whose checksum is remembered."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from drcn_ros import __version__
from drcn_ros.errors import WeightsError

# Called with the bytes that are there and those that there will be, or None where the server does not say.
Progress = Callable[[int, "int | None"], None]

_CHECKSUMS = "checksums.json"
_CHUNK = 1 << 18
_TIMEOUT_S = 30
_OK, _PARTIAL, _RANGE_REFUSED = 200, 206, 416


def fetch(url: str, path: Path, progress: Progress) -> None:
    """Download a file; it appears under its name only when it is complete.

    What a cut-off download leaves (`NAME.part`) is continued by the next one, unless the file has changed.

    Raises:
        WeightsError: the server does not answer, refuses, or ends too early.
    """
    part = path.with_name(path.name + ".part")
    version = path.with_name(path.name + ".part.version")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch_part(url, part, version, progress)
        os.replace(part, path)
        version.unlink(missing_ok=True)
    except urllib.error.HTTPError as error:
        msg = f"{url}: the server answers {error.code} {error.reason}"
        raise WeightsError(msg) from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        msg = f"{url}: {getattr(error, 'reason', None) or error or type(error).__name__}; "
        msg += "the same command goes on where this one ended"
        raise WeightsError(msg) from None
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise WeightsError(msg) from None


def _fetch_part(url: str, part: Path, version: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() and version.exists() else 0
    headers = {"User-Agent": f"drcn_ros/{__version__}"}
    if have:
        # A server whose file has changed since then sends all of it.
        headers |= {"Range": f"bytes={have}-", "If-Range": version.read_text(encoding="utf-8")}
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_REFUSED or not have:
            raise
        part.unlink()
        _fetch_part(url, part, version, progress)
        return
    with response:
        if response.status != _PARTIAL:
            have = 0
        length = response.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        identity = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if identity and not identity.startswith("W/"):
            version.write_text(identity, encoding="utf-8")
        else:
            version.unlink(missing_ok=True)
        with part.open("ab" if have else "wb") as file:
            progress(have, total)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                progress(have, total)
    if total is not None and have < total:
        msg = f"the connection ended after {have} of {total} bytes"
        raise urllib.error.URLError(msg)


def sha256(path: Path) -> str:
    """Return the SHA-256 checksum of a file in hexadecimal digits.

    Raises:
        WeightsError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise WeightsError(msg) from None
    return digest.hexdigest()


def compare_checksum(path: Path, checksum: str) -> bool:
    """Compare a file's checksum with the one recorded at its first use, in `checksums.json` beside it.

    Returns:
        Whether there is a record.

    Raises:
        WeightsError: the file is not what it was.
    """
    first = _recorded(path).get(path.name)
    if first is not None and first != checksum:
        msg = f"{path} has the checksum {checksum}, at its first use it had {first}; delete the file and "
        msg += f"download it again, or delete its line in {path.with_name(_CHECKSUMS)} if the change is meant"
        raise WeightsError(msg)
    return first is not None


def record_checksum(path: Path, checksum: str) -> None:
    """Record the checksum of a file's first use beside it.

    Raises:
        WeightsError: the record cannot be written.
    """
    record = path.with_name(_CHECKSUMS)
    text = json.dumps({**_recorded(path), path.name: checksum}, indent=2, sort_keys=True)
    temporary = record.with_name(f".{record.name}.{os.getpid()}")
    try:
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, record)
    except OSError as error:
        msg = f"{record}: {error.strerror or error}"
        raise WeightsError(msg) from None


def _recorded(path: Path) -> dict[str, str]:
    record = path.with_name(_CHECKSUMS)
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        msg = f"{record} is no record of checksums ({error}); delete it"
        raise WeightsError(msg) from None
    return {str(name): str(checksum) for name, checksum in found.items()} if isinstance(found, dict) else {}
