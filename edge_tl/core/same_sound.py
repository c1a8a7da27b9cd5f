"""The same recording again: encoded anew, at another rate, louder, some milliseconds of it cut off.

What decides is the waveform itself between 150 and 1 700 Hz: two are near-copies where, laid over each other as they
fit best, they correlate by `NEAR`. Loudness and a shift change nothing; a word said again by the same voice is no copy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RATE_HZ = 4_000
LOW_HZ, HIGH_HZ = 150, 1_700
"""Below is the mains' hum; what is above, codecs change."""
LONGEST_S = 4.0
"""So much of a recording is compared, from its beginning."""
NEAR = 0.92
"""Chosen on half of the speakers of two public sets: words said again reach .88, copies fall to .93 (NOTES.md)."""
FAINT = 1e-4
"""Root mean square within the band, of samples in [-1, 1], below which a sound shows too little for it: a pause."""
REPEATS = 0.9
"""A sound that correlates so with itself, REPEATS_S later, is a steady tone: two of them would fit by chance."""
REPEATS_S = 0.05
CLOSEST = 8
"""So many earlier sounds, the likest by their spectra, are laid over each."""
_CELL_HZ = 5
_FINER = 4


def heard(samples: np.ndarray, rate_hz: int, longest_s: float = LONGEST_S) -> np.ndarray:
    """What is compared of a sound: int8 (n,), its band at 4 kHz; n = 0 where it shows too little.

    samples: float32 (m,) in [-1, 1].
    """
    nothing = np.zeros(0, np.int8)
    samples = samples[: round(longest_s * rate_hz)]
    count = round(len(samples) * RATE_HZ / rate_hz)
    hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    spectrum = np.where((hz >= LOW_HZ) & (hz <= HIGH_HZ), np.fft.rfft(samples), 0)
    if count < 2:
        return nothing
    wave = np.fft.irfft(spectrum[: count // 2 + 1], count) * (count / len(samples))
    if np.sqrt(np.mean(wave**2)) < FAINT or _steady(wave):
        return nothing
    return np.asarray(np.rint(wave * (127 / np.abs(wave).max())).astype(np.int8))


def same_sounds(every: Sequence[np.ndarray]) -> np.ndarray:
    """Pairs int64 (P, 2) of positions that are near-copies, the later first, among what `heard` made."""
    clear = [at for at, wave in enumerate(every) if len(wave)]
    pairs: list[tuple[int, int]] = []
    if len(clear) > 1:
        cells = np.stack([_cells(every[at]) for at in clear])
        for row in range(1, len(clear)):
            # By Cauchy and Schwarz no shift correlates by more than the spectra do.
            alike = cells[:row] @ cells[row]
            for column in np.argsort(-alike, kind="stable")[:CLOSEST]:
                if alike[column] >= NEAR and _fit(every[clear[row]], every[clear[column]]) >= NEAR:
                    pairs.append((clear[row], clear[int(column)]))
    return np.array(pairs, np.int64).reshape(-1, 2)


def _spectrum(wave: np.ndarray, size: int) -> np.ndarray:
    """The spectrum of a wave (n,), of unit length, as if silence followed until `size`."""
    whole = wave.astype(np.float32)
    return np.asarray(np.fft.rfft(whole / np.linalg.norm(whole), size))


def _cells(wave: np.ndarray) -> np.ndarray:
    """Its amplitude in cells of some Hz, of unit length: where it lies in time does not matter."""
    size = _power_of_two(2 * len(wave))
    power = np.abs(_spectrum(wave, size)) ** 2
    cell = ((np.arange(len(power)) * (RATE_HZ / size) - LOW_HZ) / _CELL_HZ).astype(np.int64)
    count = int((HIGH_HZ - LOW_HZ) / _CELL_HZ)
    sums = np.sqrt(np.bincount(np.clip(cell, 0, count - 1), power, count))
    return np.asarray((sums / np.linalg.norm(sums)).astype(np.float32))


def _fit(one: np.ndarray, other: np.ndarray) -> float:
    """The highest correlation of two waves over all shifts, of quarter samples too."""
    size = _power_of_two(len(one) + len(other))
    both = _spectrum(one, size) * np.conj(_spectrum(other, size))
    return float(np.abs(np.fft.irfft(both, _FINER * size)).max() * _FINER)


def _steady(wave: np.ndarray) -> bool:
    """Whether it resembles itself a while later, with the length that both still have in common made good."""
    least = round(REPEATS_S * RATE_HZ)
    size = _power_of_two(2 * len(wave))
    again = np.fft.irfft(np.abs(np.fft.rfft(wave, size)) ** 2, size)[least : max(least, len(wave) // 2)]
    return bool(len(again)) and bool(again.max() >= REPEATS * (1 - np.argmax(again) / len(wave)) * np.sum(wave**2))


def _power_of_two(least: int) -> int:
    """The smallest power of two that is no less."""
    return 1 << (least - 1).bit_length()
