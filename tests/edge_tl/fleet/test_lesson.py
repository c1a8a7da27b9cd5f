"""Lessons: rows that survive the way to the bit, and bytes of strangers that never do harm."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.core.kept import as_stored
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.fleet.keys import DeviceKey, key_of, key_text, parse_key, signed_by
from edge_tl.fleet.lesson import (
    MAX_ROWS_BYTES,
    FleetLesson,
    LessonError,
    LessonHeader,
    new_lessons,
    new_tombstone,
    parse_lesson,
    parse_tombstone,
    set_hash,
)
from edge_tl.fleet.wire import CHUNK_BYTES, MAX_WAITING_BYTES, Assembly, in_chunks

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
KEY, OTHER = DeviceKey(bytes(32)), DeviceKey(bytes(31) + b"\1")
HEADER = LessonHeader("kitchen", "ab" * 32, "hand", "fist", 3, 1)


def rows(count: int = 20, columns: int = 60, scale: float = 1.0) -> np.ndarray:
    """Embeddings as a store gives them back."""
    made = np.random.default_rng(count).normal(size=(count, columns)).astype(np.float32) * scale
    return np.stack([as_stored(row) for row in made])


def lesson(label: str = "fist") -> FleetLesson:
    """One that KEY signed."""
    return new_lessons(KEY, replace(HEADER, label=label), rows())[0]


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e9])
def test_rows_arrive_to_the_bit(scale: float) -> None:
    """What a store keeps of an embedding, float16 or float32, is what every other device is taught of it."""
    sent = rows(scale=scale)
    one = new_lessons(KEY, HEADER, sent)[0]
    came = parse_lesson(one.wire())
    came.check_signature()
    assert np.array_equal(came.embeddings, sent)
    assert np.array_equal(np.stack([as_stored(row) for row in came.embeddings]), sent)
    assert (came.hash, came.header) == (one.hash, one.header)


def test_a_take_of_hands_is_small() -> None:
    """Twenty frames of a hand and their header take at most 3 kB."""
    assert len(lesson().wire()) <= 3_000


def test_the_same_take_is_the_same_lesson() -> None:
    """Hash and signature are functions of key and content: a lesson that is made again is no second one."""
    assert lesson().wire() == lesson().wire()
    again = new_lessons(OTHER, HEADER, rows())[0]
    assert again.hash != lesson().hash
    assert again.same == lesson().same != lesson("palm").same


def test_a_long_take_is_several_lessons() -> None:
    """A take beyond what one lesson may hold is cut, and put together it is the take."""
    sent = np.ones((50, 15_360), np.float32)
    parts = new_lessons(KEY, HEADER, sent)
    assert len(parts) == 2
    assert [one.header.part for one in parts] == [0, 1]
    assert np.array_equal(np.concatenate([parse_lesson(one.wire()).embeddings for one in parts]), sent)
    with pytest.raises(ShapeError, match="too long"):
        new_lessons(KEY, HEADER, np.ones((1, MAX_ROWS_BYTES), np.float32))
    with pytest.raises(ShapeError, match="one or more"):
        new_lessons(KEY, HEADER, np.ones((0, 4), np.float32))


def test_another_key_cannot_sign_for_this_one() -> None:
    """A signature of another key, or of another thing, is refused; a changed row makes another hash."""
    forged = FleetLesson(KEY.public, OTHER.sign(b"x"), HEADER, lesson().rows)
    with pytest.raises(LessonError, match="signature") as error:
        parse_lesson(forged.wire()).check_signature()
    assert error.value.reason == "unsigned"
    stone = new_tombstone(KEY, lesson().hash)
    parse_tombstone(stone.wire()).check_signature()
    crossed = replace(stone, signature=lesson().signature)  # a lesson's signature is no tombstone's
    with pytest.raises(LessonError, match="tombstone"):
        parse_tombstone(crossed.wire()).check_signature()
    assert not signed_by(bytes(32), bytes(64), b"")


def about(**other: object) -> bytes:
    """The wire of a lesson whose header says something else."""
    one = lesson()
    told = json.loads(one.content) | other
    content = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )
    plain = one.rows.tobytes()
    return struct.pack("<8s32s64sBI", b"etl-les1", one.key, one.signature, 0, len(content)) + content + plain


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"label": "a\nb"}, "label"),
        ({"label": " fist"}, "label"),
        ({"label": "x" * 65}, "label"),
        ({"label": 7}, "broken"),
        ({"device": "\u202ekitchen"}, "label"),
        ({"rows": 19}, "broken"),
        ({"rows": 10**9}, "broken"),
        ({"rows": True}, "broken"),
        ({"columns": 0}, "broken"),
        ({"columns": 10**15}, "size"),
        ({"take": -1}, "broken"),
        ({"take": 1.5}, "broken"),
        ({"dtype": "O"}, "broken"),
        ({"dtype": "<f8"}, "broken"),
        ({"version": 2}, "version"),
        ({"more": 1}, "broken"),
        ({"label": "\ud800"}, "broken"),
    ],
)
def test_a_header_that_lies_is_refused(other: dict[str, object], reason: str) -> None:
    """Each field that is not as edge-tl writes it gives one error, with the word by which it is counted."""
    with pytest.raises(LessonError) as error:
        parse_lesson(about(**other))
    assert error.value.reason == reason
    assert "\n" not in str(error.value)


def test_what_unfolds_to_more_than_it_says_is_refused() -> None:
    """A kilobyte that would unfold to a gigabyte takes no more memory than the lesson says; so does what is left."""
    one = lesson()
    fixed = struct.pack("<8s32s64sBI", b"etl-les1", one.key, one.signature, 1, len(one.content)) + one.content
    for packed in (
        zlib.compress(bytes(900_000_000 // 1000) * 10),
        zlib.compress(one.rows.tobytes()) + b"more",
        zlib.compress(one.rows.tobytes())[:-3],
        b"no zlib",
    ):
        with pytest.raises(LessonError, match=r"unfolds|unpacked"):
            parse_lesson(fixed + packed)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    """NaN and infinite values never reach a head."""
    made = lesson().rows.copy()
    made[3, 4] = bad
    with pytest.raises(LessonError) as error:
        parse_lesson(FleetLesson(KEY.public, bytes(64), HEADER, made).wire())
    assert error.value.reason == "numbers"


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damaged_bytes_are_an_error_or_fail_the_signature(data: st.DataObject) -> None:
    """Whatever becomes of the bytes on the way, they are refused, or the signature says that they were changed."""
    wire = bytearray(lesson().wire())
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] ^= data.draw(st.integers(1, 255))
    wire = wire[: data.draw(st.integers(0, len(wire)))] if data.draw(st.booleans()) else wire
    if bytes(wire) == lesson().wire():
        return
    with pytest.raises(LessonError):
        parse_lesson(bytes(wire)).check_signature()


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(junk: bytes) -> None:
    """Neither a lesson, nor a tombstone, nor a piece of one raises anything else than LessonError."""
    for read in (parse_lesson, parse_tombstone, lambda one: Assembly().add("name", one)):
        for one in (junk, lesson().wire()[: len(junk)] + junk):
            with contextlib.suppress(LessonError):
                read(one)


@settings(deadline=None)
@given(st.integers(1, 3 * CHUNK_BYTES), st.randoms(use_true_random=False))
def test_pieces_in_any_order_and_twice_are_the_whole(length: int, order: object) -> None:
    """A broker may turn pieces around and double them: what comes out is what went in."""
    wire = np.random.default_rng(length).bytes(length)
    pieces = in_chunks(wire) + in_chunks(wire)[:-1]
    order.shuffle(pieces)  # type: ignore[attr-defined]
    assembly = Assembly()
    assert wire in [assembly.add("name", piece) for piece in pieces]


def test_pieces_that_nobody_ends_take_bounded_room() -> None:
    """Ten thousand beginnings are not kept: those that waited longest go."""
    assembly, piece = Assembly(), in_chunks(bytes(CHUNK_BYTES + 1))[0]
    for number in range(1_000):
        assert assembly.add(str(number), piece) is None
    assert sum(len(part) for pieces in assembly._waiting.values() for part in pieces.values()) <= MAX_WAITING_BYTES
    with pytest.raises(LessonError):
        assembly.add("name", struct.pack("<4sHH", b"etlc", 5, 3) + b"x")


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    """The key stays the same, in a file closed to others; one that is open, or damaged, is refused in one line."""
    made = key_of(tmp_path / "key")
    assert key_of(tmp_path / "key").public == made.public
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert parse_key(f" {key_text(made.public)}\n") == made.public
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 0600"):
        key_of(tmp_path / "key")
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "key").write_text("nothing")
    with pytest.raises(ConfigError, match="no valid key"):
        key_of(tmp_path / "key")
    with pytest.raises(ConfigError, match="cannot be stored"):
        key_of(tmp_path / "away" / "key")


@pytest.mark.parametrize("text", ["", "x", "ä" * 44, "A" * 43 + "B", key_text(KEY.public)[:-1]])
def test_what_is_no_key_is_told_in_one_line(text: str) -> None:
    """A key that was copied badly is refused."""
    with pytest.raises(ConfigError, match="44 characters"):
        parse_key(text)


def test_a_set_of_lessons_has_one_name() -> None:
    """In whatever order they came."""
    assert set_hash(["b", "a"]) == set_hash(["a", "b"]) != set_hash(["a"])
