"""Any sample rate → the rate that a front-end wants: soxr, whole sounds and streams. The one home of soxr."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_tl.errors import ExampleError, MissingDependency, counted, to_install
from edge_tl.media.frontend import check_sound

LOWEST_HZ, HIGHEST_HZ = 4_000, 384_000
"""The rates that are taken: below is no speech, above no sound card."""


def check_rate(rate_hz: int) -> None:
    """ExampleError (one line) unless a sample rate lies within 4 and 384 kHz."""
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise ExampleError(
            f"the sound has {counted(rate_hz, 'sample')} a second; {LOWEST_HZ} to {HIGHEST_HZ} are wanted"
        )


class Resampler:
    """Resamples a stream, block by block; the blocks together are bit for bit what the whole sound gives.

    Output sample i is at the time of i / `to_hz`: the filter's delay is taken out, so that a block's end comes out with
    later blocks (about 30 ms), or with `finish`. Where both rates are one, blocks pass as they are, without soxr.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Set up; ExampleError for a rate that is none, MissingDependency (with the command) where soxr is missing."""
        check_rate(from_hz)
        check_rate(to_hz)
        self.from_hz, self.to_hz = from_hz, to_hz
        self._stream = None if from_hz == to_hz else _soxr().ResampleStream(from_hz, to_hz, 1, "float32", "HQ")

    def push(self, samples: np.ndarray) -> np.ndarray:
        """What is ready, float32 (n,), n = 0 and more, after a block float32 (samples,); ShapeError for no sound."""
        check_sound(samples)
        return self._pushed(samples, last=False)

    def finish(self) -> np.ndarray:
        """What was still within the filter, float32 (n,); the stream is over, and `reset` begins another."""
        return self._pushed(np.zeros(0, np.float32), last=True)

    def reset(self) -> None:
        """Forget what was pushed: what comes next begins a new sound."""
        if self._stream is not None:
            self._stream.clear()

    def _pushed(self, samples: np.ndarray, last: bool) -> np.ndarray:
        if self._stream is None:
            return samples.copy()
        made: np.ndarray = self._stream.resample_chunk(samples, last=last)
        return np.clip(made, -1.0, 1.0)  # the filter overshoots where the sound is full


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """A whole sound at another rate: float32 (about samples·to/from,), a new array, of float32 (samples,).

    soxr's high quality, which keeps what lies under 91 % of the lower rate's half. ShapeError for no sound,
    ExampleError for a rate that is none, MissingDependency where soxr is missing.
    """
    stream = Resampler(from_hz, to_hz)
    return np.concatenate((stream.push(samples), stream.finish()))


def _soxr() -> Any:
    """The package; MissingDependency with the install command where it is not there."""
    try:
        import soxr
    except ImportError as error:
        raise MissingDependency(f"soxr changes sample rates and is not installed: {to_install('[speech]')}") from error
    return soxr
