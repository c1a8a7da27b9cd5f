"""Sounds and films as telephones and browsers write them, made with PyAV."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av", reason='PyAV is not installed: pip install "edge-tl[phone]"')

SOUNDS = {
    "m4a": ("ipod", "aac", "fltp"),
    "aac": ("adts", "aac", "fltp"),
    "3gp": ("3gp", "libopencore_amrnb", "s16"),
    "webm": ("webm", "libopus", "s16"),
    "opus": ("opus", "libopus", "s16"),
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "aiff": ("aiff", "pcm_s16be", "s16"),
}
"""Ending → container, codec, samples."""


def sound_file(kind: str, samples: np.ndarray, rate_hz: int) -> bytes:
    """A sound float32 (n,) as such a file; skips where the PyAV that is installed lacks the encoder."""
    form, codec, layout = SOUNDS[kind]
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        _add_sound(container, container.add_stream(codec, rate=rate_hz, layout="mono"), samples, layout)
    return out.getvalue()


def film(pictures: Sequence[np.ndarray], fps: int = 10, kind: str = "mp4", sound: np.ndarray | None = None) -> bytes:
    """Pictures uint8 (height, width, 3) as a film, silent or with a sound float32 (n,) at 48 kHz."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream("mpeg4" if kind == "mp4" else "libvpx", rate=fps)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.bit_rate, stream.codec_context.time_base = "yuv420p", 4_000_000, Fraction(1, fps)
        voice = None
        if sound is not None:
            voice = container.add_stream("aac" if kind == "mp4" else "libopus", rate=48_000, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _add_sound(container, voice, sound, "fltp" if kind == "mp4" else "s16")
    return out.getvalue()


def _add_sound(container: object, stream: object, samples: np.ndarray, layout: str) -> None:
    frame = av.AudioFrame.from_ndarray((samples[None] * 32767).astype(np.int16), format="s16", layout="mono")
    frame.sample_rate, frame.pts = stream.rate, 0
    changed = av.AudioResampler(format=layout, layout="mono", rate=stream.rate)
    for one in (*changed.resample(frame), *changed.resample(None)):
        container.mux(stream.encode(one))
    container.mux(stream.encode(None))
