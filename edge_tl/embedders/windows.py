"""Which stretches of a recording become examples: the window rules of spec S4, and where in a sound the word is."""

from __future__ import annotations

import numpy as np

from edge_tl.embedders.digital_silence import audible, hiss
from edge_tl.errors import ExampleError, ShapeError, counted
from edge_tl.media.frontend import FRAMES, check_sound

HOP_FRAMES = 11
"""From one window of a recording to the next."""
_STEP_S = 0.01
_SMOOTH_STEPS = 5
ABOVE_FLOOR_DB = 10.0
"""What a peak must rise above the quiet part of its recording to be a word."""


def noise_windows(frames: int, width: int = FRAMES, hop: int = HOP_FRAMES) -> list[tuple[int, int]]:
    """The (start, end) of every window of a recording of noise: starts 0, hop, … while they fit (spec S4)."""
    return [(start, start + width) for start in range(0, frames - width + 1, hop)]


def word_windows(frames: int, focus: int, width: int = FRAMES, hop: int = HOP_FRAMES) -> list[tuple[int, int]]:
    """The (start, end) of every window of a recording that holds its word (spec S4); none where none fits.

    `focus`: the frame of the word, 0 … frames − 1; ShapeError for another. The windows begin a hop apart, the first as
    early as the focus is still within, the last no later than the focus.
    """
    if not 0 <= focus < max(frames, 1):
        raise ShapeError(f"the focus is frame {focus}; one of 0 to {frames - 1} is wanted")
    if frames < width:
        return []
    left = min(max(focus - width // 2, 0), frames - width)
    while left - hop >= 0 and focus < left - hop + width:
        left -= hop
    return [(start, start + width) for start in range(left, min(focus, frames - width) + 1, hop)]


def focus_frame(plane: np.ndarray) -> int:
    """The loudest frame of a spectrogram (frames, bins) in dB: the argmax of the frames' means, the first of a tie."""
    if plane.ndim != 2 or not plane.size:
        raise ShapeError(f"got {plane.dtype} {plane.shape}; a spectrogram (frames, bins) is wanted")
    return int(plane.mean(axis=1).argmax())


def levels(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """The loudness of a sound every 10 ms: float64 (steps,) in dB of full scale, smoothed over 50 ms; silence −100.

    `samples`: float32 (n,), at least 10 ms (ShapeError). What remains after the last whole step is left out.
    """
    check_sound(samples)
    step = round(rate_hz * _STEP_S)
    whole = len(samples) // step
    if not whole:
        raise ShapeError(f"the sound has {counted(len(samples), 'sample')}; {step} (10 ms) and more are wanted")
    power = np.square(samples[: whole * step].reshape(whole, step), dtype=np.float64).mean(axis=1)
    wide = np.pad(power, _SMOOTH_STEPS // 2, mode="edge")
    smooth = np.convolve(wide, np.full(_SMOOTH_STEPS, 1 / _SMOOTH_STEPS), mode="valid")
    return np.asarray(10 * np.log10(np.maximum(smooth, 1e-10)))


def word_centre(samples: np.ndarray, rate_hz: int) -> int | None:
    """The sample in the middle of a recording's word; None where nothing rises 10 dB above the quiet, as in noise.

    The centre of gravity of (dB above the quietest fifth of the recording)²: the square lets the word outweigh what is
    beside it. On real commands this put words in the same place more reliably than the loudest moment or than onset and
    end do.
    """
    loudness = levels(samples, rate_hz)
    if float(loudness.max() - np.percentile(loudness, 10)) < ABOVE_FLOOR_DB:
        return None
    weights = np.square(np.maximum(loudness - np.percentile(loudness, 20), 0.0))
    middle = float(weights @ (np.arange(len(weights)) + 0.5) / weights.sum())
    return int(middle * round(rate_hz * _STEP_S))


def cut(samples: np.ndarray, centre: int, length: int, at: float = 0.5) -> np.ndarray:
    """The `length` samples of a recording in which sample `centre` lies at the share `at` of the cut: a new array.

    Where the recording does not reach, the cut is filled with a hiss at −80 dB, always the same: digital silence is
    nothing that a microphone ever gives. ShapeError for no sound.
    """
    check_sound(samples)
    start = centre - round(at * length)
    first, last = max(start, 0), min(start + length, len(samples))
    if first == start and last == start + length:
        return samples[first:last].copy()
    made = hiss(length)
    if first < last:
        made[first - start : last - start] = samples[first:last]
    return made


def fitted(data: np.ndarray, rate_hz: int, length: int, at: float) -> np.ndarray:
    """A sound float32 (samples,) of any length as one window (length,), its word at the share `at`.

    One of this length already is returned itself. Where no word is heard the sound's middle is taken; what the sound
    does not reach, or is digital silence in it, is a faint hiss. ShapeError for no sound.
    """
    check_sound(data)
    if len(data) == length:
        return data
    if not len(data):
        raise ShapeError("got an empty sound; samples float32 (n,), n ≥ 1, are wanted")
    data = audible(data, rate_hz)
    centre = word_centre(data, rate_hz) if len(data) >= rate_hz // 100 else None
    return cut(data, len(data) // 2 if centre is None else centre, length, at)


def cut_word(
    samples: np.ndarray, rate_hz: int, length: int, at: float = 0.5, shifts: tuple[int, ...] = (0,)
) -> np.ndarray:
    """Cuts around the word of a recording: float32 (shifts, length), each with the word's middle at the share `at`.

    Each shift moves a cut by so many samples, later for positive ones: some shifts make training robust to where in a
    window a word is heard. ExampleError (one line) where no word is heard in the recording.
    """
    centre = word_centre(samples, rate_hz)
    if centre is None:
        raise ExampleError("no word is heard in the recording; speak louder or nearer to the microphone")
    return np.stack([cut(samples, centre + shift, length, at) for shift in shifts])
