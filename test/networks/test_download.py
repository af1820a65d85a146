# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drcn_ros.errors import WeightsError
from drcn_ros.networks.download import compare_checksum, fetch, record_checksum, sha256

_CONTENT = bytes(range(256)) * 4000


@dataclass
class Server:
    """A web server on this machine with one file.

    Attributes:
        content, tag: what it serves.
        cut: bytes after which it drops the connection, once.
        ranges: whether it can serve parts.
        asked: the Range header of each request.
    """

    url: str = ""
    content: bytes = _CONTENT
    tag: str = '"first"'
    cut: int | None = None
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            if self.path != "/file.pth":
                self.send_error(404)
                return
            start = 0
            if wanted and state.ranges and self.headers.get("If-Range") == state.tag:
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted).group(1))
                if start >= len(state.content):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(state.content) - start))
            self.send_header("ETag", state.tag)
            self.end_headers()
            stop, state.cut = state.cut, None
            self.wfile.write(state.content[start:stop])

        def log_message(self, *_: object) -> None:
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{web.server_port}/file.pth"
    yield state
    web.shutdown()
    thread.join()
    web.server_close()


def ignore(_have: int, _total: int | None) -> None:
    """No progress is shown."""


def test_a_file_arrives_whole_and_alone(server: Server, tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    path = tmp_path / "new" / "file.pth"
    fetch(server.url, path, lambda have, total: steps.append((have, total)))
    assert path.read_bytes() == _CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["file.pth"]
    assert steps[0] == (0, len(_CONTENT))
    assert steps[-1] == (len(_CONTENT), len(_CONTENT))


def test_a_cut_off_download_goes_on_where_it_ended(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    server.cut = 300_000
    with pytest.raises(WeightsError, match=f"after 300000 of {len(_CONTENT)} bytes"):
        fetch(server.url, path, ignore)
    assert not path.exists()
    fetch(server.url, path, ignore)
    assert server.asked == [None, "bytes=300000-"]
    assert path.read_bytes() == _CONTENT
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.pth"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changed_meanwhile_starts_anew(server: Server, tmp_path: Path, ranges: bool) -> None:
    path = tmp_path / "file.pth"
    server.cut = 300_000
    with pytest.raises(WeightsError):
        fetch(server.url, path, ignore)
    server.content, server.tag, server.ranges = _CONTENT[::-1], '"second"', ranges
    fetch(server.url, path, ignore)
    assert path.read_bytes() == _CONTENT[::-1]


def test_a_part_longer_than_the_file_starts_anew(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    path.with_name("file.pth.part").write_bytes(_CONTENT + b"more")
    path.with_name("file.pth.part.version").write_text(server.tag)
    fetch(server.url, path, ignore)
    assert path.read_bytes() == _CONTENT


def test_refusals_and_silence_are_one_line(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="the server answers 404"):
        fetch(server.url + "x", tmp_path / "file.pth", ignore)
    with pytest.raises(WeightsError, match="refused"):
        fetch("http://127.0.0.1:9/file.pth", tmp_path / "file.pth", ignore)
    assert list(tmp_path.iterdir()) == []


def test_the_checksum_of_the_first_use_is_compared_later(tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    path.write_bytes(b"first")
    first = sha256(path)
    assert first == "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"
    assert not compare_checksum(path, first)
    record_checksum(path, first)
    assert compare_checksum(path, first)
    path.write_bytes(b"other")
    with pytest.raises(WeightsError, match=f"at its first use it had {first}"):
        compare_checksum(path, sha256(path))


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "checksums.json").write_text("{")
    with pytest.raises(WeightsError, match=r"checksums\.json is no record"):
        compare_checksum(tmp_path / "file.pth", "00")
