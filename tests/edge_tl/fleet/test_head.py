"""A hub's head as bytes: what was signed comes back, and everything else is one error with its reason."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from edge_tl.core.answers import SavedHead
from edge_tl.fleet.head import MAX_HEAD_BYTES, FleetHead, HeadHeader, new_head, parse_head
from edge_tl.fleet.keys import DeviceKey
from edge_tl.fleet.lesson import LessonError

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
HUB, OTHER = DeviceKey(bytes(32)), DeviceKey(bytes(31) + b"\1")
HEADER = HeadHeader("hub", "ab" * 32, 7, "s" * 16, 3, {"a" * 16: "b" * 16})
SAVED = SavedHead({"head": {"name": "ridge", "classes": ["ä", "b"]}}, {"head.coef": np.arange(6.0).reshape(2, 3)})


def test_what_was_signed_comes_back() -> None:
    """Header, names and arrays are as they were, and the same head under another number is known as the same."""
    made = new_head(HUB, HEADER, SAVED)
    came = parse_head(made.wire())
    came.check_signature()
    assert came.header == HEADER
    assert came.hash == made.hash
    assert came.saved().meta == SAVED.meta
    np.testing.assert_array_equal(came.saved().arrays["head.coef"], SAVED.arrays["head.coef"])
    later = new_head(HUB, replace(HEADER, number=8), SAVED)
    assert later.made_of == made.made_of
    assert later.hash != made.hash


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda wire: wire[:100], "size"),
        (lambda wire: b"etl-les1" + wire[8:], "broken"),
        (lambda wire: wire + bytes(MAX_HEAD_BYTES), "size"),
        (lambda wire: wire[:104] + bytes(4) + wire[108:], "broken"),
        (lambda wire: wire.replace(b'"number":7', b'"number":-'), "broken"),
        (lambda wire: wire.replace(b'"version":1', b'"version":2'), "version"),
        (lambda wire: wire.replace(b'"lessons":3', b'"lessons":9'), "unsigned"),
        (lambda wire: wire[:-1] + b"\0\0", "unsigned"),
        (lambda wire: wire[:8] + OTHER.public + wire[40:], "unsigned"),
    ],
)
def test_anything_else_is_refused_by_its_reason(change, reason: str) -> None:  # type: ignore[no-untyped-def]
    """Cut, too long, another kind, a header otherwise written, another version, another content, another key."""
    with pytest.raises(LessonError) as refused:
        parse_head(change(new_head(HUB, HEADER, SAVED).wire())).check_signature()
    assert refused.value.reason == reason


def test_damage_inside_is_one_line() -> None:
    """Whoever has the hub's key can still not make a device unfold gigabytes, or read what is no JSON or no array."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("profile.json", json.dumps("x" * 70_000_000))
        file.writestr("arrays.npz", b"none")
    for body in (b"", b"no archive", packed.getvalue()):
        with pytest.raises(LessonError, match="damaged inside"):
            FleetHead(HUB.public, bytes(64), HEADER, body).saved()
    with pytest.raises(LessonError, match="are sent at most"):
        new_head(HUB, HEADER, SavedHead({}, {"a": _noise()}))


def _noise() -> np.ndarray:
    """Numbers that do not pack, more than are sent."""
    return np.random.default_rng(0).normal(size=MAX_HEAD_BYTES // 6)
