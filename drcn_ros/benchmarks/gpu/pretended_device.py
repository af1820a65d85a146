# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A device that only pretends: it computes on the CPU, refuses to be mixed with it, and notes each wait.

Tells on any machine where code would fail on a GPU because a tensor was left behind, and where the host would
wait for the GPU: numbers and sizes that come back from it, copies that are not asked for without waiting, and
operators of torch that look at their result.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

# A device type that torch knows, that needs no initialisation and that nothing else uses.
PRETENDED = torch.device("lazy")
_PACKAGE = str(Path(__file__).resolve().parents[2])
_HERE = __file__

# Operators whose result is a number for the host, or of a size that depends on the values.
_WAITING = frozenset(
    {
        "aten::_local_scalar_dense",
        "aten::equal",
        "aten::nonzero",
        "aten::masked_select",
        "aten::_unique2",
        "aten::unique_dim",
        "aten::unique_consecutive",
        "aten::bincount",
        "aten::_linalg_check_errors",
    }
)
_COPIES = frozenset({"aten::_to_copy", "aten::copy_", "aten::copy"})


class PretendedTensor(torch.Tensor):
    """A tensor that says it lies on `PRETENDED`.

    Attributes:
        content: the same on the CPU.
    """

    content: torch.Tensor

    @staticmethod
    def __new__(cls, values: torch.Tensor) -> PretendedTensor:
        """Wrap a tensor of the CPU."""
        # A view of a tensor from before inference belongs to it, within inference, too.
        with torch.inference_mode(values.is_inference()):
            made: PretendedTensor = torch.Tensor._make_wrapper_subclass(
                cls,
                values.shape,
                strides=values.stride(),
                storage_offset=values.storage_offset(),
                dtype=values.dtype,
                device=PRETENDED,
            )
        made.content = values
        return made

    def __repr__(self) -> str:  # type: ignore[override]
        return f"PretendedTensor({self.content!r})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operator outside of `pretended_device`, without counting."""
        return _run(func, args, kwargs or {})[0]


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What was waited for.

    Attributes:
        places: lines of this package as file:line, and how often the host would have waited there.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.places: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator and note whether a GPU would be waited for."""
        with self:
            # Without gradients torch leaves it to us to take an operator that is made of others apart.
            result = func.decompose(*args, **(kwargs or {}))
        if result is not NotImplemented:
            return result
        result, waits = _run(func, args, kwargs or {})
        if waits:
            self.places[f"{_place()} {func.name().removeprefix('aten::')}"] += 1
        return result


@contextmanager
def pretended_device() -> Iterator[Waits]:
    """Let `PRETENDED` be usable as a device within the block, and give what is waited for."""
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    # A module's parameters become new ones when it is moved: the wrappers cannot share their memory.
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with Waits() as waits:
            yield waits
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, bool]:
    """Return an operator's result, and whether the host would wait for it."""
    name = func._schema.name
    tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
    pretended = [value for value in tensors if isinstance(value, PretendedTensor)]
    plain = [value for value in tensors if not isinstance(value, PretendedTensor)]
    device = kwargs.get("device")
    target = bool(pretended) if device is None else torch.device(device).type == PRETENDED.type
    if name in _COPIES:
        return _copied(func, args, kwargs, target)
    if pretended and any(value.ndim for value in plain):
        msg = f"{name}: tensors of the device and of the CPU of shapes "
        msg += f"{[tuple(value.shape) for value in pretended]}, {[tuple(value.shape) for value in plain]}"
        raise RuntimeError(msg)
    wrappers = {id(value.content): value for value in pretended}
    bare_args, bare_kwargs = tree_map(_bare, (args, kwargs))
    if device is not None:
        bare_kwargs["device"] = torch.device("cpu")
    result = func(*bare_args, **bare_kwargs)
    waits = bool(pretended) and (name in _WAITING or _has_mask(name, args))
    if target:
        result = tree_map(lambda value: _wrapped(value, wrappers), result)
    return result, waits


def _copied(func: Any, args: Any, kwargs: dict[str, Any], target: bool) -> tuple[Any, bool]:
    non_blocking = bool(kwargs.get("non_blocking", args[2] if len(args) > 2 else False))
    source = args[0] if func._schema.name == "aten::_to_copy" else args[1]
    from_device = isinstance(source, PretendedTensor)
    if func._schema.name != "aten::_to_copy":
        target = isinstance(args[0], PretendedTensor)
    bare_args, bare_kwargs = tree_map(_bare, (args, kwargs))
    bare_kwargs.pop("device", None)
    result = func(*bare_args, **bare_kwargs)
    wrappers = {id(args[0].content): args[0]} if isinstance(args[0], PretendedTensor) else {}
    return (_wrapped(result, wrappers) if target else result), from_device != target and not non_blocking


def _bare(value: Any) -> Any:
    return value.content if isinstance(value, PretendedTensor) else value


def _wrapped(value: Any, wrappers: dict[int, PretendedTensor]) -> Any:
    """Return what an operator gave as a tensor of the device; what it changed in place is itself again."""
    if not isinstance(value, torch.Tensor):
        return value
    return wrappers[id(value)] if id(value) in wrappers else PretendedTensor(value)


def _has_mask(name: str, args: Any) -> bool:
    """Return whether an index holds a mask, whose number of places has to be known."""
    if not name.startswith(("aten::index", "aten::_index_put", "aten::_unsafe_index")) or len(args) < 2:
        return False
    masks = args[1] if isinstance(args[1], (list, tuple)) else ()
    return any(mask is not None and mask.dtype in (torch.bool, torch.uint8) for mask in masks)


def _place() -> str:
    frame: Any = sys._getframe()
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_PACKAGE) and name != _HERE:
            return f"{Path(name).relative_to(_PACKAGE)}:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere"
