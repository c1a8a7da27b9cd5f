"""Sound → spectrogram → model input, as the published 18-word model hears it (front-end "browser-fft", spec S4).

Pure functions, and one small state, Sliding, with which a stream gives bit for bit what the whole sound gives.
"""

from __future__ import annotations

import numpy as np

from edge_tl.errors import ConfigError, ShapeError

RATE_HZ = 44_100
FFT_SAMPLES = 2048
HOP_SAMPLES = 1024
"""23.22 ms from one frame to the next."""
BINS = 232
"""The lowest of the 1025 frequencies: up to 4974 Hz, where speech is."""
FRAMES = 43
"""In one window of the model, just under a second."""
WINDOW_SAMPLES = (FRAMES - 1) * HOP_SAMPLES + FFT_SAMPLES

_ANGLES = 2 * np.pi * np.arange(FFT_SAMPLES) / FFT_SAMPLES
_BLACKMAN = 0.42 - 0.5 * np.cos(_ANGLES) + 0.08 * np.cos(2 * _ANGLES)  # periodic, as Web Audio defines it
_MIN_POWER = float(np.finfo(np.float32).tiny)
_AT_ONCE = 64  # frames transformed together: 2 MB, whatever the length of the sound


def check_sound(samples: np.ndarray) -> None:
    """ShapeError (one line) unless it is a sound: float32 (samples,), finite, one channel."""
    if not isinstance(samples, np.ndarray) or samples.ndim != 1 or samples.dtype != np.float32:
        came = f"{samples.dtype} {samples.shape}" if isinstance(samples, np.ndarray) else type(samples).__name__
        raise ShapeError(f"got {came}; a sound is wanted: one channel of float32 (samples,) in [-1, 1]")
    # One pass and no copy: a sum is finite unless something in it is not (float32 sounds cannot overflow float64).
    if not np.isfinite(samples.sum(dtype=np.float64)):
        raise ShapeError("the sound holds NaN or infinite samples; leave them out or record again")


class SlidingWindow:
    """Cuts what arrives in blocks of any size into overlapping pieces, each of them once.

    `length` and `hop` count items (samples, or rows of a spectrogram); piece k begins at item k·hop. It keeps fewer
    than length + hop items.
    """

    def __init__(self, length: int, hop: int) -> None:
        if not 1 <= hop <= length:
            raise ConfigError(f"the hop is {hop} of a length of {length}; 1 to the length is wanted")
        self.length, self.hop = length, hop
        self.count = 0
        """Pieces given so far."""
        self._kept: np.ndarray | None = None

    def push(self, block: np.ndarray) -> np.ndarray:
        """The pieces that are whole now: (n, length, …) of a block (items, …), n = 0 and more; a new array."""
        kept = np.asarray(block) if self._kept is None else np.concatenate((self._kept, block))
        number = max(0, (len(kept) - self.length) // self.hop + 1)
        pieces = np.empty((number, self.length, *kept.shape[1:]), kept.dtype)
        for piece in range(number):
            pieces[piece] = kept[piece * self.hop : piece * self.hop + self.length]
        self._kept = kept[number * self.hop :].copy()
        self.count += number
        return pieces


def decibels(pieces: np.ndarray) -> np.ndarray:
    """The frames of a spectrogram: float32 (n, 232) of pieces float32 (n, 2048) of a sound at 44.1 kHz.

    20·log10(|X|/2048) of a periodic Blackman window, |X|² not below the smallest normal float32, no smoothing over
    time (spec S4; the Web Audio API's analyser with smoothingTimeConstant 0). Computed in float64, frame by frame alike
    however many come at once.
    """
    if pieces.ndim != 2 or pieces.shape[1] != FFT_SAMPLES:
        raise ShapeError(f"got pieces {pieces.shape}; (n, {FFT_SAMPLES}) is wanted")
    rows = np.empty((len(pieces), BINS), np.float32)
    for first in range(0, len(pieces), _AT_ONCE):
        spectrum = np.fft.rfft(pieces[first : first + _AT_ONCE] * _BLACKMAN, axis=1)[:, :BINS]
        power = np.maximum(spectrum.real**2 + spectrum.imag**2, _MIN_POWER)
        rows[first : first + _AT_ONCE] = 10 * np.log10(power) - 20 * np.log10(FFT_SAMPLES)
    return rows


class SpectrogramStream:
    """The spectrogram of a stream at 44.1 kHz, frame by frame: `push` sound, get the frames that are whole now."""

    def __init__(self) -> None:
        self._pieces = SlidingWindow(FFT_SAMPLES, HOP_SAMPLES)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Frames float32 (n, 232) in dB, n = 0 and more, of a block float32 (samples,) of any size; ShapeError."""
        check_sound(samples)
        return decibels(self._pieces.push(samples))


def spectrogram(samples: np.ndarray) -> np.ndarray:
    """The spectrogram of a whole sound: float32 (frames, 232) in dB of float32 (samples,) at 44.1 kHz.

    Frame k covers the samples [1024·k, 1024·k + 2048); a sound shorter than 2048 samples has none. ShapeError for an
    array that is no sound.
    """
    stream = SpectrogramStream()
    step = _AT_ONCE * HOP_SAMPLES
    blocks = [stream.push(samples[first : first + step]) for first in range(0, max(len(samples), 1), step)]
    return np.concatenate(blocks)


def model_input(plane: np.ndarray) -> np.ndarray:
    """What the model is given of one window: float32 (1, 43, 232, 1) of dB (43, 232), a new array.

    (x - mean) / (population standard deviation + 1e-7), over the whole plane (spec S4). Frames of another size, from a
    data set file, are normalised alike: (1, frames, size, 1). ShapeError for no plane.
    """
    if plane.ndim != 2 or not plane.size:
        raise ShapeError(f"got {plane.dtype} {plane.shape}; one window of a spectrogram (frames, bins) is wanted")
    x = np.ascontiguousarray(plane, np.float64)  # contiguous: the order of the sum decides its last bits
    x = (x - x.mean()) / (x.std() + 1e-7)
    return x.astype(np.float32)[None, :, :, None]


def decision_hop(overlap: float = 0.5, frames: int = FRAMES) -> int:
    """Frames from one decision to the next: 22 at an overlap of 0.5, 11 at 0.75, 4 at 0.9; 1 at least.

    frames·(1 − overlap), halves rounded up as the published recognizer does. ConfigError unless 0 ≤ overlap < 1.
    """
    if not 0 <= overlap < 1:
        raise ConfigError(f"the overlap is {overlap}; 0 and more, less than 1, is wanted (0.5: every {frames / 2:g})")
    return max(1, int(np.floor(frames * (1 - overlap) + 0.5)))
