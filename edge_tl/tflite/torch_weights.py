"""PyTorch weight files without PyTorch: a reader that knows the few words such a file needs and refuses all others.

A `.pth` file is a pickle, and unpickling a stranger's pickle runs the stranger's program. So nothing is unpickled here:
the opcodes are taken apart by `pickletools` (which only parses) and carried out below, one by one, on plain lists,
tuples, texts and numbers. The only names are the five of NAMES; nothing is looked up, imported or called.
Layouts: torch/serialization.py, the legacy one (five pickles, then the raw numbers) and the zip of PyTorch 1.6 on.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_tl.core.archive import Archive
from edge_tl.errors import ModelError, counted

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of a legacy file."""
PROTOCOL = 1001
"""The second."""
NAMES = (
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch FloatStorage",
    "torch LongStorage",
    "torch HalfStorage",
)
"""All that a file of weights may name."""
DTYPES = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8", "torch HalfStorage": "<f2"}
MAX_OPCODES = 1_000_000
"""MobileNetV2 needs 11 462."""


class _Damaged(Exception):
    """The file is not what it should be; the text says where."""


@dataclass(frozen=True)
class _Name:
    text: str


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class _Mark:
    """Where a tuple, a list or a run of items begins."""


def read_state_dict(data: bytes, name: str = "the file") -> dict[str, np.ndarray]:
    """The arrays of a PyTorch state dict by name, in the file's order: float32, float16 or int64, C-contiguous.

    `data`: the bytes of a `.pth` or `.pt` file, legacy or zip. `name`: what an error calls it.
    ModelError (one line) for anything else: another format, a truncated file, a forbidden name, a view that is not
    a whole array.
    """
    try:
        if data[:4] == b"PK\x03\x04":
            return _read_zip(data)
        return _read_legacy(data)
    except _Damaged as error:
        raise ModelError(f"{name}: {error}; a file of PyTorch weights (a state dict) is wanted") from None
    except Exception as error:  # the parsers of the standard library raise many kinds on damage
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ModelError(f"{name}: is damaged or no file of PyTorch weights ({reason})") from error


def _read_legacy(data: bytes) -> dict[str, np.ndarray]:
    stream = io.BytesIO(data)
    if _unpickle(stream) != MAGIC:
        raise _Damaged("does not begin with PyTorch's mark")
    if _unpickle(stream) != PROTOCOL:
        raise _Damaged("is of an unknown PyTorch protocol")
    system = _unpickle(stream)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise _Damaged("was not written on a little-endian machine")
    root, keys = _unpickle(stream), _unpickle(stream)
    storages = _storages(root)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or set(keys) != set(storages):
        raise _Damaged("its list of arrays does not match its index")
    arrays = {}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        if count != storages[key].count:
            raise _Damaged(f"array {key[:40]!r} does not have the size that the index says")
        arrays[key] = _numbers(storages[key], stream.read(count * np.dtype(storages[key].dtype).itemsize))
    return _state_dict(root, arrays)


def _read_zip(data: bytes) -> dict[str, np.ndarray]:
    with Archive(data) as archive:
        # PyTorch stores without compression, so no member can be larger than the file.
        if not all(map(archive.is_stored, archive.names)):
            raise _Damaged("is compressed, which PyTorch never does")
        indexes = [member for member in archive.names if member.endswith("/data.pkl")]
        if len(indexes) != 1:
            raise _Damaged("is a zip without one data.pkl")
        folder = indexes[0].removesuffix("data.pkl")
        if folder + "byteorder" in archive and archive.read(folder + "byteorder", 100) != b"little":
            raise _Damaged("was not written on a little-endian machine")
        root = _unpickle(archive.unfolded(indexes[0], len(data)))
        storages = _storages(root)
        # Many names may point at the same bytes of a hostile zip.
        if sum(storage.count * np.dtype(storage.dtype).itemsize for storage in storages.values()) > len(data):
            raise _Damaged("claims more numbers than it holds")
        arrays = {
            key: _numbers(storage, archive.read(f"{folder}data/{key}", len(data))) for key, storage in storages.items()
        }
    return _state_dict(root, arrays)


def _storages(root: Any) -> dict[str, _Storage]:
    """The raw arrays that an index of tensors asks for, by key."""
    if not isinstance(root, dict) or not root or not all(isinstance(value, _Tensor) for value in root.values()):
        raise _Damaged("holds something else than named arrays")
    found: dict[str, _Storage] = {}
    for tensor in root.values():
        if found.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise _Damaged("describes one array in two ways")
    return found


def _numbers(storage: _Storage, raw: bytes) -> np.ndarray:
    numbers = np.frombuffer(raw, storage.dtype)
    if numbers.size != storage.count:
        raise _Damaged(f"is truncated: {numbers.size} of {counted(storage.count, 'number')} of an array")
    return numbers


def _state_dict(root: dict[str, _Tensor], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    state = {}
    left = sum(array.size for array in arrays.values())
    for name, tensor in root.items():
        count = math.prod(tensor.shape)
        left -= count
        order = _order(tensor)
        if order is None or tensor.offset + count > tensor.storage.count:
            raise _Damaged(f"array {name[:60]!r} is a view that does not lie in one piece")
        if left < 0:
            raise _Damaged("has arrays that share their numbers")
        numbers = arrays[tensor.storage.key][tensor.offset : tensor.offset + count]
        lying = numbers.reshape([tensor.shape[axis] for axis in order])
        state[name] = lying.transpose(np.argsort(order)).copy()
    return state


def _order(tensor: _Tensor) -> tuple[int, ...] | None:
    """The axes of an array in the order in which its numbers lie, slowest first: (0, 2, 3, 1) for channels-last.

    None where they do not lie in one piece. The stride of an axis of size 1 says nothing.
    """
    axes = sorted(range(len(tensor.shape)), key=lambda axis: (-tensor.stride[axis], tensor.shape[axis] != 1, axis))
    step = 1
    for axis in reversed(axes):
        if tensor.shape[axis] > 1 and tensor.stride[axis] != step:
            return None
        step *= tensor.shape[axis]
    return tuple(axes) if len(tensor.stride) == len(tensor.shape) else None


def _unpickle(stream: io.BytesIO) -> Any:
    """Carry out one pickle from the stream; _Damaged for any word beyond those of a state dict."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if number > MAX_OPCODES:
            raise _Damaged("has an index too long to be true")
        if opcode.name == "STOP":
            return stack.pop()
        step = STEPS.get(opcode.name)
        if step is None:
            raise _Damaged(f"uses the pickle opcode {opcode.name}, which weights do not need")
        step(stack, memo, argument)
    raise _Damaged("is truncated")


def _since_mark(stack: list[Any]) -> list[Any]:
    items = []
    while not isinstance(top := stack.pop(), _Mark):
        items.append(top)
    return items[::-1]


def _set_items(target: Any, items: list[Any]) -> None:
    if not isinstance(target, dict) or len(items) % 2:
        raise _Damaged("sets an item of something that has none")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str):
            raise _Damaged("names an array by something else than a text")
        target[key] = value


def _extend(target: Any, items: list[Any]) -> None:
    if not isinstance(target, list):
        raise _Damaged("appends to something that is no list")
    target.extend(items)


def _name(text: str) -> _Name:
    if text not in NAMES:
        raise _Damaged(f"asks for {text.replace(' ', '.')[:60]!r}, which is refused")
    return _Name(text)


def _call(function: Any, arguments: Any) -> Any:
    """What the two functions of a state dict would have made."""
    called = function.text if isinstance(function, _Name) else ""
    if not isinstance(arguments, tuple) or called not in NAMES[:2]:
        raise _Damaged("calls something that weights do not need")
    if called == "collections OrderedDict":
        if arguments:
            raise _Damaged("makes a dictionary in an unknown way")
        return {}
    storage, offset, shape, stride = arguments[:4]
    if not isinstance(storage, _Storage) or not _whole((offset,)) or not _whole(shape) or not _whole(stride):
        raise _Damaged("describes an array in an unknown way")
    return _Tensor(storage, offset, shape, stride)


def _whole(numbers: Any) -> bool:
    """Whether these are few whole numbers from zero on, none of them beyond any file."""
    return (
        isinstance(numbers, tuple)
        and len(numbers) <= 8
        and all(type(number) is int and 0 <= number < 1 << 40 for number in numbers)
    )


def _persistent(what: Any) -> _Storage:
    if not isinstance(what, tuple) or len(what) < 5:
        raise _Damaged("refers to something that is no array")
    tag, kind, key, _, count = what[:5]
    if not isinstance(tag, str) or tag != "storage" or not isinstance(kind, _Name) or kind.text not in DTYPES:
        raise _Damaged("holds numbers of a kind that is not read (float32, float16 and int64 are)")
    if not isinstance(key, str) or not _whole((count,)):
        raise _Damaged("refers to an array in an unknown way")
    return _Storage(DTYPES[kind.text], key, count)


def _push(make: Callable[[Any], Any]) -> Callable[[list[Any], dict[int, Any], Any], None]:
    return lambda stack, memo, argument: stack.append(make(argument))


def _take(count: int) -> Callable[[list[Any], dict[int, Any], Any], None]:
    def step(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
        items = tuple(stack.pop() for _ in range(count))[::-1]
        stack.append(items)

    return step


def _put(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    memo[argument] = stack[-1]


def _reduce(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    arguments = stack.pop()
    stack.append(_call(stack.pop(), arguments))


def _setitem(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    items = [stack.pop(), stack.pop()][::-1]
    _set_items(stack[-1], items)


def _setitems(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    items = _since_mark(stack)
    _set_items(stack[-1], items)


def _append(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    item = stack.pop()
    _extend(stack[-1], [item])


def _appends(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    items = _since_mark(stack)
    _extend(stack[-1], items)


STEPS: dict[str, Callable[[list[Any], dict[int, Any], Any], None]] = {
    "PROTO": lambda stack, memo, argument: None,
    **{name: _push(lambda value: value) for name in ("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE")},
    "NONE": _push(lambda _: None),
    "NEWTRUE": _push(lambda _: True),
    "NEWFALSE": _push(lambda _: False),
    "EMPTY_TUPLE": _push(lambda _: ()),
    "EMPTY_DICT": _push(lambda _: {}),
    "EMPTY_LIST": _push(lambda _: []),
    "MARK": _push(lambda _: _Mark()),
    "GLOBAL": _push(_name),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _put),
    **{name: lambda stack, memo, at: stack.append(memo[at]) for name in ("BINGET", "LONG_BINGET")},
    "TUPLE": lambda stack, memo, argument: stack.append(tuple(_since_mark(stack))),
    "TUPLE1": _take(1),
    "TUPLE2": _take(2),
    "TUPLE3": _take(3),
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _setitem,
    "SETITEMS": _setitems,
    "REDUCE": _reduce,
    "BINPERSID": lambda stack, memo, argument: stack.append(_persistent(stack.pop())),
    # BUILD hangs the version numbers of the layers (`_metadata`) on the dictionary; nobody here wants them.
    "BUILD": lambda stack, memo, argument: stack.pop(),
}
