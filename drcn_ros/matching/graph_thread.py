# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread in which torch records CUDA graphs and runs them.

A frame's features are extracted in another thread than the one that made the matcher. torch keeps the graphs
of `torch.compile` by thread: up to 2.12 another thread than the first ends with an assertion
(https://github.com/pytorch/pytorch/issues/123177), with later versions each records every graph anew.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from typing import TypeVar

import torch

Result = TypeVar("Result")


def in_graph_thread(run: Callable[[], Result]) -> Result:
    """Return what a call gives in the thread of the graphs, with this thread's inference mode."""
    inference = torch.is_inference_mode_enabled()

    def call() -> Result:
        with torch.inference_mode(inference):
            return run()

    return _executor().submit(call).result()


@cache
def _executor() -> ThreadPoolExecutor:
    # The thread that first imports this keeps Python objects until it ends. That of the graphs ends with the
    # interpreter, which may be too late to let go of them: the process would abort.
    import_module("torch._inductor.cudagraph_trees")
    return ThreadPoolExecutor(1, "graphs", initializer=_prepare)


def _prepare() -> None:
    """Give this thread the place where torch keeps graphs: up to 2.12 one thread alone has it."""
    from torch._inductor import cudagraph_trees

    local = cudagraph_trees.local
    if not hasattr(local, "tree_manager_containers"):
        local.tree_manager_containers = {}
        local.tree_manager_locks = defaultdict(threading.Lock)
