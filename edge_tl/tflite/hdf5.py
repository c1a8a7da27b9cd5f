"""The part of HDF5 that Keras' `.h5` files are written in: groups, arrays in one piece, and attributes of texts.

A reader of its own, because libhdf5 never comes back from some damaged files (found by flipping bytes), and because a
Pi then needs no further package. Layout: the HDF5 File Format Specification, version 3.0: superblocks 0 and 1, object
headers of version 1, symbol tables, what h5py writes unless it is told otherwise. Every address is checked against the
bytes that are there, every block is walked once.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import numpy as np

from edge_tl.errors import ModelError, counted

MARK = b"\x89HDF\r\n\x1a\n"
_DATASPACE, _DATATYPE, _LAYOUT, _FILTERS, _ATTRIBUTE, _CONTINUED, _SYMBOLS = 0x01, 0x03, 0x08, 0x0B, 0x0C, 0x10, 0x11
_TEXT, _VARYING = 3, 9
"""Classes of datatypes: texts of one length, and (of 16 bytes) texts of any length."""
_MAX_AXES, _MAX_MESSAGES, _MAX_NAME_BYTES = 8, 256, 1024
"""Many times what Keras writes: with more a hostile file could keep us busy."""
_MAX_CONFIG_BYTES = 10_000_000
"""Of the description of a model: MobileNet's has some 100 000."""
_FLOATS = {2: (5, 10), 4: (8, 23), 8: (11, 52)}
"""Bytes of an IEEE number → bits of its exponent and of its mantissa."""


class _Damaged(Exception):
    """The file is not what it should be; the text says where."""


@dataclass
class _Object:
    """The messages of an object header, by kind."""

    messages: dict[int, list[bytes]] = field(default_factory=dict)

    def one(self, kind: int) -> bytes:
        found = self.messages.get(kind, [])
        if len(found) != 1:
            raise _Damaged(f"has {counted(len(found), 'message')} {kind:#x} where one belongs")
        return found[0]


def read_layers(data: bytes, name: str) -> dict[str, list[np.ndarray]]:
    """The arrays of each layer of a Keras `.h5` file: of weights alone, of Keras 2 or 3, or of a whole model.

    `data`: the bytes of the file. `name`: what messages call it. ModelError (one line) for anything else.
    """
    try:
        return _File(data).layers()
    except _Damaged as error:
        raise ModelError(f"{name}: {error}; a legacy .h5 file of Keras is wanted: model.save('NAME.h5')") from None
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ModelError(f"{name}: is damaged or no Keras file ({reason}); download it again") from None


def read_whole(data: bytes, name: str) -> tuple[str, dict[str, np.ndarray]]:
    """Keras' description of a model (JSON) and its arrays by name, `layer/kernel`, of an `.h5` of a whole model.

    Arguments and errors as of `read_layers`; models in the model are read too.
    """
    try:
        return _File(data).whole()
    except _Damaged as error:
        raise ModelError(f"{name}: {error}; a whole model of Keras is wanted: model.save('NAME.h5')") from None
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ModelError(f"{name}: is damaged or no Keras file ({reason}); download it again") from None


class _File:
    """The bytes of a file, and how many of them its arrays may still take."""

    def __init__(self, data: bytes) -> None:
        self.data, self.left = data, len(data)
        self.groups: dict[int, dict[str, int]] = {}
        self.heaps: dict[int, dict[int, bytes]] = {}

    def layers(self) -> dict[str, list[np.ndarray]]:
        top = self.root()
        if "layers" in self.members(top) and "model_weights" not in self.members(top):
            return self.layers_of_keras3(self.members(top)["layers"], 0)
        top = self.members(top).get("model_weights", top)
        found = {}
        for layer in self.texts(self.object(top), "layer_names"):
            group = self.at(top, layer)
            names = self.texts(self.object(group), "weight_names")
            found[layer] = [self.array(self.object(self.at(group, path))) for path in names]
        return found

    def layers_of_keras3(self, group: int, depth: int) -> dict[str, list[np.ndarray]]:
        """Of a `.weights.h5`: groups called by kind and number, each with its arrays and its layer's name in `vars`."""
        found: dict[str, list[np.ndarray]] = {}
        if depth > _MAX_AXES:
            raise _Damaged("has models in models in models")
        for member in self.members(group).values():
            inside = self.members(member)
            if "layers" in inside:
                found |= self.layers_of_keras3(inside["layers"], depth + 1)
            arrays = self.members(inside["vars"]) if "vars" in inside else {}
            if not arrays:
                continue
            name = self.texts(self.object(inside["vars"]), "name")[0]
            if name in found or sorted(arrays) != sorted(map(str, range(len(arrays)))):
                raise _Damaged(f"has layers and arrays that are not numbered ({name[:60]!r})")
            found[name] = [self.array(self.object(arrays[str(number)])) for number in range(len(arrays))]
        return found

    def whole(self) -> tuple[str, dict[str, np.ndarray]]:
        root = self.root()
        described = self.texts(self.object(root), "model_config", _MAX_CONFIG_BYTES)
        top = self.at(root, "model_weights")
        found: dict[str, np.ndarray] = {}
        for layer in self.texts(self.object(top), "layer_names"):
            group = self.at(top, layer)
            for path in self.texts(self.object(group), "weight_names"):
                key = "/".join(path.removesuffix(":0").split("/")[-2:])
                if key in found:
                    raise _Damaged(f"has two arrays called {key[:60]!r}")
                found[key] = self.array(self.object(self.at(group, path)))
        return described[0], found

    def root(self) -> int:
        """The address of the first object header."""
        if self.data[:8] != MARK:
            raise _Damaged("is damaged or no Keras file (no HDF5 mark)")
        version, offset_bytes, length_bytes = self.data[8], self.data[13], self.data[14]
        if version > 1 or (offset_bytes, length_bytes) != (8, 8):
            raise _Damaged(f"is of HDF5's newer layout (superblock {version}), which Keras does not write")
        base = 24 + 4 * version
        if self.number(base) != 0:
            raise _Damaged("does not begin at its first byte")
        return self.number(base + 40)

    def piece(self, at: int, count: int) -> bytes:
        """Bytes that are there."""
        if not 0 <= at <= at + count <= len(self.data):
            raise _Damaged(f"is truncated or damaged: {counted(count, 'byte')} at {at}, outside its {len(self.data)}")
        return self.data[at : at + count]

    def number(self, at: int) -> int:
        return int.from_bytes(self.piece(at, 8), "little")

    def object(self, at: int) -> _Object:
        """An object header with all that it continues in."""
        version, _, count = struct.unpack("<BBH", self.piece(at, 4))
        if version != 1 or count > _MAX_MESSAGES:
            raise _Damaged(f"has an object header of version {version} with {counted(count, 'message')} at {at}")
        blocks, seen = [(at + 16, struct.unpack("<I", self.piece(at + 8, 4))[0])], set()
        made = _Object()
        while blocks and count:
            start, length = blocks.pop(0)
            if start in seen:
                raise _Damaged("has an object header that goes round in circles")
            seen.add(start)
            block, place = self.piece(start, length), 0
            while place + 8 <= length and count:
                kind, size, flags = struct.unpack_from("<HHB", block, place)
                held = block[place + 8 : place + 8 + size]
                if len(held) != size or (flags & 2 and kind in (_DATATYPE, _DATASPACE)):
                    raise _Damaged("has an object header with parts that lie elsewhere")
                if kind == _CONTINUED:
                    blocks.append(struct.unpack("<QQ", held[:16]))
                else:
                    made.messages.setdefault(kind, []).append(held)
                place += 8 + size
                count -= 1
        return made

    def members(self, group: int) -> dict[str, int]:
        """Of the group with its object header at an address: name → the addresses of its members' headers."""
        if group in self.groups:
            return self.groups[group]
        tree, heap = struct.unpack("<QQ", self.object(group).one(_SYMBOLS)[:16])
        if self.piece(heap, 4) != b"HEAP":
            raise _Damaged("has a group without names")
        names = self.piece(self.number(heap + 24), self.number(heap + 8))
        found: dict[str, int] = {}
        waiting, seen = [tree], set()
        while waiting:
            at = waiting.pop()
            if at in seen:
                raise _Damaged("has a group that goes round in circles")
            seen.add(at)
            mark, *_, count = struct.unpack("<4sBBH", self.piece(at, 8))
            if mark == b"TREE":
                waiting += [self.number(at + 24 + 16 * one + 8) for one in range(count)]
                continue
            if mark != b"SNOD":
                raise _Damaged("has a group that is neither tree nor leaf")
            for one in range(count):
                text, header, kind = struct.unpack("<QQI", self.piece(at + 8 + 40 * one, 20))
                end = names.find(b"\0", text)
                if kind == 2 or end < 0:
                    raise _Damaged("has a link where a group or an array belongs")
                found[names[text:end].decode()] = header
        self.groups[group] = found
        return found

    def at(self, group: int, path: str) -> int:
        """The address of what lies at a path of groups."""
        for part in path.split("/"):
            members = self.members(group)
            if part not in members:
                raise _Damaged(f"lists {path[:60]!r}, which is not there")
            group = members[part]
        return group

    def array(self, held: _Object) -> np.ndarray:
        """Numbers in one piece."""
        if _FILTERS in held.messages:
            raise _Damaged("has packed arrays, which Keras does not write")
        dtype, shape = _dtype(held.one(_DATATYPE)), _shape(held.one(_DATASPACE))
        size = math.prod(shape) * dtype.itemsize
        layout = held.one(_LAYOUT)
        self.left -= size
        if layout[:2] not in (b"\x03\x00", b"\x03\x01") or self.left < 0:
            raise _Damaged("has an array that is not kept in one piece of its own")
        if layout[1] == 0:
            raw = layout[4 : 4 + size]
        else:
            address, _ = struct.unpack("<QQ", layout[2:18])
            raw = self.piece(address, size) if size else b""
        return np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))

    def texts(self, held: _Object, wanted: str, most_bytes: int = _MAX_NAME_BYTES) -> list[str]:
        """An attribute that lists texts of at most so many bytes, or is one."""
        for message in held.messages.get(_ATTRIBUTE, []):
            version, _, name_size, type_size, space_size = struct.unpack("<BBHHH", message[:8])
            if version not in (1, 3):
                raise _Damaged(f"has an attribute of version {version}; 1 or 3 is wanted")
            place, parts = (8, []) if version == 1 else (9, [])
            for size in (name_size, type_size, space_size):
                parts.append(message[place : place + size])
                place += -(-size // 8) * 8 if version == 1 else size
            if parts[0].rstrip(b"\0") != wanted.encode():
                continue
            count, size = math.prod(_shape(parts[2])), struct.unpack("<I", parts[1][4:8])[0]
            raw, kind = message[place : place + count * size], parts[1][0] & 15
            if not count:
                return []
            if len(raw) != count * size or not size or ((kind, size) != (_VARYING, 16) and kind != _TEXT):
                raise _Damaged(f"has {wanted} that are no texts")
            if kind == _TEXT:
                return [text.decode() for text in np.frombuffer(raw, f"S{size}").tolist()]
            places = struct.iter_unpack("<IQI", raw)
            found = [self.heap(heap).get(number, b"")[:length] for length, heap, number in places]
            if max(map(len, found)) > most_bytes:
                raise _Damaged(f"has {wanted} that are no names")
            return [text.decode() for text in found]
        raise _Damaged(f"has no {wanted.replace('_', ' ')}")

    def heap(self, at: int) -> dict[int, bytes]:
        """What is kept at an address for texts of any length, by number."""
        if at in self.heaps:
            return self.heaps[at]
        if self.piece(at, 4) != b"GCOL":
            raise _Damaged("has texts that lie nowhere")
        found: dict[int, bytes] = {}
        place, end = at + 16, at + self.number(at + 8)
        while place + 16 <= end:
            number, size = int.from_bytes(self.piece(place, 2), "little"), self.number(place + 8)
            if not number:  # what is free
                break
            found[number] = self.piece(place + 16, size)
            place += 16 + -(-size // 8) * 8
        self.heaps[at] = found
        return found


def _shape(message: bytes) -> tuple[int, ...]:
    """Of a dataspace."""
    version, axes = message[0], message[1]
    if version not in (1, 2) or axes > _MAX_AXES:
        raise _Damaged(f"has an array of {counted(axes, 'axis', 'axes')}")
    return struct.unpack_from(f"<{axes}Q", message, 8 if version == 1 else 4)


def _dtype(message: bytes) -> np.dtype:
    """Whole numbers and IEEE numbers."""
    kind, order, size = message[0] & 15, "<>"[message[1] & 1], struct.unpack_from("<I", message, 4)[0]
    if kind == 0 and size in (1, 2, 4, 8):
        return np.dtype(f"{order}{'i' if message[1] & 8 else 'u'}{size}")
    if kind == 1 and _FLOATS.get(size) == (message[13], message[15]):
        return np.dtype(f"{order}f{size}")
    raise _Damaged("has numbers of a kind that is not read (whole ones and float16, 32 and 64 are)")
