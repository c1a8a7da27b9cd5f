"""A film of a hand becomes its track: drawn hands that swipe, looked at as a camera's would be."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from command_run import run_on

from device.teach.filmed import filmed
from edge_tl.embedders.look.embedders import load_tracker
from edge_tl.errors import ExampleError
from edge_tl.movements.demonstration import movement_in
from edge_tl.movements.track import longest
from edge_tl.movements.windows import middles, palm_lengths
from edge_tl.sources import drawn_hand
from edge_tl.sources.drawn_room import Place

av = pytest.importorskip("av", reason="PyAV is not installed")
FPS, REST, SWIPE = 15, 6, 12


def film(path: Path, way_px: float, seed: int = 0) -> Path:
    """An open hand that rests, swipes so far to the right in 0.8 s, and rests, 15 frames a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    look = drawn_hand.HandLook.drawn_from(np.random.default_rng(3), rng, Place())
    look = dataclasses.replace(look, palm_px=0.7 * look.palm_px, tilt_deg=0.0)
    attitude = np.array([0.0, 0.0, 0.0, *drawn_hand.SIGNS["neutral"]])
    share = np.clip((np.arange(2 * REST + SWIPE) - REST) / (SWIPE - 1), 0, 1)
    share = share - np.sin(2 * np.pi * share) / (2 * np.pi)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 4_000_000
        for at, gone in enumerate(share):
            moved = dataclasses.replace(look, wrist_px=(160 + way_px * (gone - 0.5), 170.0))
            picture = drawn_hand.draw(moved, attitude, np.zeros(8), at / FPS, rng)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_swipe_is_seen_from_its_begin_to_its_end(look_models: Path, tmp_path: Path) -> None:
    """The hand is followed through the whole film, and the movement goes as far, in its time, as it was drawn."""
    recording = filmed(film(tmp_path / "swipe.mp4", 130), load_tracker(look_models, 1))
    movement = movement_in(longest(recording.tracks))
    assert movement.times_s[0] == pytest.approx(REST / FPS, abs=0.25)
    assert movement.times_s[-1] == pytest.approx((REST + SWIPE) / FPS, abs=0.25)
    gone = np.ptp(middles(movement.landmarks), axis=0)
    assert gone[0] == pytest.approx(130, rel=0.15)
    assert gone[1] < 20
    assert palm_lengths(movement.landmarks).mean() == pytest.approx(0.7 * 59, rel=0.35)


def test_what_is_no_film_is_a_line(look_models: Path, tmp_path: Path) -> None:
    """Bytes that are no film are told with the file's name."""
    (tmp_path / "no.mp4").write_bytes(b"no film")
    with pytest.raises(ExampleError, match=r"no\.mp4: .*wanted a video file"):
        filmed(tmp_path / "no.mp4", load_tracker(look_models, 1))


def test_films_are_imported_and_asked(
    look_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two swipes from two films, taught and asked: the film of another session is named."""
    monkeypatch.setenv("EDGE_TL_MODELS", str(look_models))
    run = run_on(tmp_path / "data", capsys)
    for label, way in (("right", 130), ("left", -130)):
        film(tmp_path / "in" / label / "a.mp4", way, seed=1)
    code, told, err = run("examples", "import", tmp_path / "in", "--movements", "--json")
    assert (code, told["imported"], err) == (0, 2, "")
    assert run("train")[0] == 0
    code, told, err = run("predict", film(tmp_path / "asked.mp4", 110, seed=2), "--json")
    assert (code, told[0]["label"], err) == (0, "right", "")
