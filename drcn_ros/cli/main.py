# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of `drcn`: finds the command, runs it, turns errors into one line."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from drcn_ros import __version__
from drcn_ros.allocation import keep_freed_memory
from drcn_ros.cli.interrupts import end_by, ending_at_once, exit_code, name_of
from drcn_ros.errors import DrcnError

# Each command is a module of this package with `configure(parser)` and `run(arguments) -> int`; a hyphen
# becomes an underscore.
# Only the module of the command that was asked for is imported, so that `drcn --help` is instant.
COMMANDS = {
    "match": "match two images and draw the matches",
    "inspect": "tell what is in a bag or data set, and whether it can be evaluated",
    "evaluate": "run the odometry over a bag or data set and judge it",
    "slam": "map a bag or data set: odometry, loop closures, a folder with the map",
    "evaluate-all": "evaluate many inputs, in several processes or on a Ray cluster",
    "play": "publish a bag or data set as camera topics",
    "demo": "make the demo sequence and show the node at work on it",
    "doctor": "print what a bug report needs, and what looks wrong with its remedy",
    "bench": "measure what the networks cost and how good the matchers are",
    "soak": "run the node for many frames and watch its memory, threads and bookkeeping",
    "export": "write extraction or matching as a torch.export program or ONNX model",
    "train": "train the compact network, or fine-tune it",
    "weights": "list, download, check, convert and describe weight files",
}

_MISSING = "a package is missing or cannot be loaded"
# Of address space; `drcn evaluate` met its end with 1100.
_LEAST_ROOM_MB = 1200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0, or 2 after an error of the user, 130 after Ctrl-C, 143 after SIGTERM.
    """
    keep_freed_memory()
    # Names of files need not be text; what cannot be shown is shown escaped.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    name = next((argument for argument in arguments if not argument.startswith("-")), "")
    try:
        # SIGTERM ends a command as Ctrl-C does, and with it the processes that it started.
        end_by(signal.SIGTERM)
        parsed = _parsed(arguments, name)
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except DrcnError as error:
        return _failed(name, str(error))
    except BrokenPipeError:
        # The reader of our output went away (`drcn ... | head`).
        _discard_output()
        return 0
    except OSError as error:
        # Such as a full disk behind standard output.
        _discard_output()
        where = "" if error.filename is None else f"{error.filename}: "
        return _failed(name, f"{where}{error.strerror or error}")
    except KeyboardInterrupt as error:
        print(f"drcn {name}: ended by {name_of(error)}", file=sys.stderr)
        return exit_code(error)
    except ImportError as error:
        return _failed(name, f"{_MISSING}: {error}")
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        return _failed(name, "memory ran out; choose smaller images, fewer keypoints or a smaller matcher")
    return status


def _parsed(arguments: Sequence[str], asked: str) -> argparse.Namespace:
    """Return the arguments of the command that was asked for, and that command as `run`."""
    parser = argparse.ArgumentParser(prog="drcn", description="Learned visual odometry front end.")
    parser.add_argument("--version", action="version", version=f"drcn_ros {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, description=help_text)
        if name == asked:
            _require_room()
            with ending_at_once(f"drcn {name}"):
                module = importlib.import_module(f"drcn_ros.cli.{name.replace('-', '_')}")
                module.configure(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(arguments)


def _require_room() -> None:
    """Refuse to begin with less address space than torch and OpenCV need: C++ would end the process."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _LEAST_ROOM_MB << 20:
        has = f"the address space is limited to {limit >> 20} MB (ulimit -v)"
        msg = f"{has}, at least {_LEAST_ROOM_MB} are needed"
        raise DrcnError(msg)


def _failed(command: str, text: str) -> int:
    print(f"drcn {command}: {' '.join(text.splitlines())}", file=sys.stderr)
    return 2


def _discard_output() -> None:
    """Keep the interpreter quiet about what it cannot write at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_out_of_memory(error: Exception) -> bool:
    from drcn_ros.ros.node.failures import is_out_of_memory

    return is_out_of_memory(error)
