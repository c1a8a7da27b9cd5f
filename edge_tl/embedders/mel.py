"""The mel front-end of Google's speech embedding: 16 kHz sound → 32 bands in dB, every 10 ms."""

from __future__ import annotations

import numpy as np

from edge_tl.errors import ShapeError
from edge_tl.media.frontend import SlidingWindow, check_sound

RATE_HZ = 16_000
FFT_SAMPLES = 512
HOP_SAMPLES = 160
BANDS = 32
LOWEST_HZ, HIGHEST_HZ = 60.0, 3800.0
GROUP_FRAMES = 4
"""Frames that are computed together: values over 80 dB below the loudest of them are raised to that."""
GROUP_HOP = GROUP_FRAMES * HOP_SAMPLES
GROUP_SAMPLES = (GROUP_FRAMES - 1) * HOP_SAMPLES + FFT_SAMPLES

_HANN_SAMPLES = 400  # 25 ms, in the middle of the 512 that are transformed
_RANGE_DB = 80.0
_INT16 = 32768.0  # the published network was made for samples in the range of int16


def _window() -> np.ndarray:
    """A periodic Hann window of 400 samples in the middle of 512: float64 (512,)."""
    window = np.zeros(FFT_SAMPLES)
    first = (FFT_SAMPLES - _HANN_SAMPLES) // 2
    window[first : first + _HANN_SAMPLES] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_HANN_SAMPLES) / _HANN_SAMPLES)
    return window


def mel_bands() -> np.ndarray:
    """The triangles that gather frequencies into bands: float64 (257, 32).

    Corners evenly spaced from 60 to 3800 Hz on Slaney's mel scale (linear to 1 kHz, then 27 steps to each factor 6.4),
    each triangle of area 1 over Hz (M. Slaney, Auditory Toolbox, 1998).
    """
    log_from_hz, mel_at_1khz, step = 1000.0, 15.0, np.log(6.4) / 27

    def mel(hz: float) -> float:
        return hz * 3 / 200 if hz < log_from_hz else mel_at_1khz + float(np.log(hz / log_from_hz)) / step

    mels = np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), BANDS + 2)
    hz = np.where(mels < mel_at_1khz, mels * 200 / 3, log_from_hz * np.exp((mels - mel_at_1khz) * step))
    bins = np.arange(FFT_SAMPLES // 2 + 1)[:, None] * RATE_HZ / FFT_SAMPLES
    rising = (bins - hz[:-2]) / (hz[1:-1] - hz[:-2])
    falling = (hz[2:] - bins) / (hz[2:] - hz[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (hz[2:] - hz[:-2]))


_WINDOW = _window()
_BANDS = mel_bands()


def mel_groups(pieces: np.ndarray) -> np.ndarray:
    """The frames of pieces of sound: float32 (n, 4, 32) in dB of pieces float32 (n, 992) at 16 kHz, in [-1, 1].

    10·log10 of the power in each band, with samples scaled to the range of int16, not below 1e-10, and not over 80 dB
    below the loudest of the piece's 4 frames: what openWakeWord's melspectrogram.tflite gives for the piece. Computed
    piece by piece alike however many come at once.
    """
    if pieces.ndim != 2 or pieces.shape[1] != GROUP_SAMPLES:
        raise ShapeError(f"got pieces {pieces.shape}; (n, {GROUP_SAMPLES}) is wanted")
    made = np.empty((len(pieces), GROUP_FRAMES, BANDS), np.float32)
    firsts = np.arange(GROUP_FRAMES)[:, None] * HOP_SAMPLES + np.arange(FFT_SAMPLES)
    for number, piece in enumerate(pieces):  # always the same shapes: BLAS rounds by the number of rows
        spectrum = np.fft.rfft(piece[firsts] * (_WINDOW * _INT16), axis=1)
        bands = (spectrum.real**2 + spectrum.imag**2) @ _BANDS
        level = 10 * np.log10(np.maximum(bands, 1e-10))
        made[number] = np.maximum(level, level.max() - _RANGE_DB)
    return made


class MelStream:
    """The mel spectrogram of a stream at 16 kHz: `push` sound, get the frames that are whole now."""

    def __init__(self) -> None:
        self._pieces = SlidingWindow(GROUP_SAMPLES, GROUP_HOP)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Frames float32 (4·n, 32) in dB, n = 0 and more, of a block float32 (samples,) of any size; ShapeError."""
        check_sound(samples)
        return mel_groups(self._pieces.push(samples)).reshape(-1, BANDS)


def mel_spectrogram(samples: np.ndarray) -> np.ndarray:
    """The mel spectrogram of a whole sound: float32 (4·n, 32) in dB of float32 (samples,) at 16 kHz.

    Frame k covers the samples [160·k, 160·k + 512); frames come in fours, so that up to 3 are left out at the end.
    """
    return MelStream().push(samples)
