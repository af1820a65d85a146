# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn weights`: list, download, check, convert and describe weight files."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

import torch
from tqdm import tqdm

from drcn_ros.errors import WeightsError
from drcn_ros.networks.architectures import create_network
from drcn_ros.networks.download import compare_checksum, fetch, record_checksum, sha256
from drcn_ros.networks.published import PUBLISHED, PublishedWeights, find_published
from drcn_ros.networks.weight_file import WeightFile, write_own_file
from drcn_ros.networks.weights import EMBEDDED, fill, read_weights


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the weights that others have published")
    listing.set_defaults(act=_list)

    download = actions.add_parser("download", help="fetch published weights from their authors")
    download.add_argument("name", metavar="NAME", help="name as in `drcn weights list`")
    download.set_defaults(act=_download)
    for action in (listing, download):
        action.add_argument("--folder", type=Path, default=_cache_folder(), help="default %(default)s")

    check = actions.add_parser("check", help="load a file into its network; say what does not fit")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(act=_check)

    convert = actions.add_parser("convert", help="write a published file as one of our own")
    convert.add_argument("file", type=Path, metavar="FILE")
    convert.add_argument("out", type=Path, metavar="OUT", help="safetensors file to write")
    convert.add_argument("--half", action="store_true", help="store in 16 bits: half the size, 3 digits")
    convert.set_defaults(act=_convert)

    info = actions.add_parser("info", help="describe a file")
    info.add_argument("file", type=Path, metavar="FILE", nargs="?", default=EMBEDDED)
    info.set_defaults(act=_info)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return 0."""
    arguments.act(arguments)
    return 0


def _cache_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "drcn_ros" / "weights"


def _list(arguments: argparse.Namespace) -> None:
    for weights in PUBLISHED:
        path = arguments.folder / weights.file_name
        print(f"{weights.name:22} {weights.about}")
        print(f"{'':22} network {weights.network}; {path if path.is_file() else 'not downloaded'}")
    print(f"{'(embedded)':22} {EMBEDDED}")


def _download(arguments: argparse.Namespace) -> None:
    weights = find_published(arguments.name)
    print(f"{weights.name}: {weights.about}")
    print(f"licence: {weights.licence}")
    print(f"page: {weights.page}")
    path = arguments.folder / weights.file_name
    if not path.is_file():
        _fetch(weights, path)
    checksum = sha256(path)
    if not checksum.startswith(weights.sha256_start):
        msg = f"{path} has the checksum {checksum}, its authors' begins with {weights.sha256_start}"
        raise WeightsError(msg)
    if not compare_checksum(path, checksum):
        _load(path)
        record_checksum(path, checksum)
    print(f"sha256: {checksum}")
    print(f"file: {path}")


def _fetch(weights: PublishedWeights, path: Path) -> None:
    if not weights.url:
        msg = f"{weights.name} can only be fetched with a browser: open {weights.page}, save "
        msg += f"{weights.file_name} as {path} and give this command again"
        raise WeightsError(msg)
    # `None` switches the bar off where standard error is no terminal.
    with tqdm(unit="B", unit_scale=True, desc=weights.file_name, disable=None, dynamic_ncols=True) as bar:

        def progress(have: int, total: int | None) -> None:
            bar.total = total
            bar.update(have - bar.n)

        fetch(weights.url, path, progress)


def _check(arguments: argparse.Namespace) -> None:
    content, network = _load(arguments.file)
    compared = compare_checksum(arguments.file, sha256(arguments.file))
    print(f"{arguments.file} fits {content.architecture}: {len(network.state_dict())} tensors")
    print("checksum: as at the first use" if compared else "checksum: no record of a first use")


def _convert(arguments: argparse.Namespace) -> None:
    content, network = _load(arguments.file)
    notes = {"source": arguments.file.name, "source_sha256": sha256(arguments.file), **content.notes}
    own = WeightFile(content.architecture, content.config, network.state_dict(), notes)
    write_own_file(arguments.out, own, half=arguments.half)
    print(f"{arguments.out}: {content.architecture}, {arguments.out.stat().st_size / 1e6:.1f} MB")


def _info(arguments: argparse.Namespace) -> None:
    content = read_weights(arguments.file)
    sizes = Counter[torch.dtype]()
    for tensor in content.tensors.values():
        sizes[tensor.dtype] += tensor.numel()
    print(f"file: {arguments.file}")
    print(f"architecture: {content.architecture}")
    print(
        f"configuration: {', '.join(f'{key}={value}' for key, value in content.config.items()) or 'default'}"
    )
    print(f"tensors: {len(content.tensors)}")
    print(f"numbers: {', '.join(f'{count} {str(kind)[6:]}' for kind, count in sizes.most_common())}")
    for key, value in sorted(content.notes.items()):
        print(f"{key}: {value}")
    print(f"sha256: {sha256(arguments.file)}")


def _load(path: Path) -> tuple[WeightFile, torch.nn.Module]:
    content = read_weights(path)
    network = create_network(content.architecture, content.config)
    fill(network, content, str(path))
    return content, network
