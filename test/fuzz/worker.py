# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Damages inputs of one kind again and again, in a process of its own: what crashes it is seen from outside.

    python test/fuzz/worker.py KIND FOLDER CASES [FIRST [SECONDS]]

Runs CASES cases, the first of them FIRST, and goes on until SECONDS are over. Prints the number of cases. A
case that ends in anything but a result or an error of this package is printed with its traceback, and ends
the process with code 3.
"""

from __future__ import annotations

import faulthandler
import hashlib
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np
from inputs import KINDS

from drcn_ros.benchmarks.machine import peak_memory_mb
from drcn_ros.errors import DrcnError

# No damage to a file of some kilobytes may cost more of the processor's time, or stand still for so long.
CASE_S, HANGS_S = 60, 600
MOST_MEMORY_MB = 1500


def fingerprint(folder: Path) -> str:
    """Return what all files of a folder hold, in short."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def main(name: str, folder: Path, cases: int, first: int = 0, seconds: float = 0.0) -> int:
    """Run the cases, and more until the time is over; return 0, or 3 after one that went wrong."""
    sound, damaged, temporary = folder / "sound", folder / "damaged", folder / "temporary"
    for place in (sound, temporary):
        place.mkdir(parents=True)
    tempfile.tempdir = str(temporary)
    kind = KINDS[name](sound)
    before = fingerprint(sound)
    end = time.monotonic() + seconds
    number = first
    outcomes = {"read": 0, "refused": 0}
    while number < first + cases or time.monotonic() < end:
        (folder / "case").write_text(str(number))
        random = np.random.default_rng([number, sum(name.encode())])
        path = kind.damaged(damaged, random)
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        begin = time.process_time()
        try:
            kind.use(path)
            outcomes["read"] += 1
        except DrcnError as error:
            outcomes["refused"] += 1
            if "\n" in str(error) or not str(error):
                print(f"{name} case {number}: the error is no one line: {error!r}")
                return 3
        except BaseException:
            print(f"{name} case {number}: {path}")
            traceback.print_exc(file=sys.stdout)
            return 3
        faulthandler.cancel_dump_traceback_later()
        if time.process_time() - begin > CASE_S:
            print(f"{name} case {number}: more than {CASE_S} s")
            return 3
        number += 1
    memory_mb = peak_memory_mb()
    left = [str(path) for path in temporary.iterdir()]
    problems = [
        *(["the sound inputs have changed"] if fingerprint(sound) != before else []),
        *([f"left behind: {left}"] if left else []),
        *([f"memory reached {memory_mb:.0f} MB"] if memory_mb > MOST_MEMORY_MB else []),
    ]
    told = "; ".join(problems) or "well"
    print(f"{name}: {number - first} cases, {outcomes}, at most {memory_mb:.0f} MB; {told}")
    return 3 if problems else 0


if __name__ == "__main__":
    faulthandler.enable()
    name, folder, cases, first, seconds = [*sys.argv[1:], "0", "0"][:5]
    sys.exit(main(name, Path(folder), int(cases), int(first), float(seconds)))
