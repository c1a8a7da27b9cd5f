"""A film of a hand as its track: every frame is looked at, and the hand followed from one to the next."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from device.assembly import Context
from device.sources.rotated import turned
from device.sources.usb import VideoFile
from edge_tl.embedders.embedder import Tracker
from edge_tl.embedders.look.hand import Hand
from edge_tl.errors import ExampleError, SourceClosed, SourceError
from edge_tl.media.kinds import CLIPS, TRACKS, ending
from edge_tl.movements.track import tracks_of
from edge_tl.movements.track_file import Recording, read_recording
from edge_tl.movements.windows import POINTS


class Reader:
    """Reads recordings of movements, tables of landmarks and films; loads the hand's models with the first film."""

    def __init__(self, context: Context, degrees: int = 0) -> None:
        """degrees: clockwise, which every picture of a film is turned by first."""
        self.context, self.degrees = context, degrees
        self._tracker: Tracker[Hand] | None = None

    def __call__(self, file: Path) -> Recording:
        """What a file holds; ExampleError (one line) for what is none, MissingDependency or ModelError for a film where
        what reads it is not installed."""
        if ending(file) not in CLIPS | TRACKS:
            raise ExampleError(
                f"{file}: is no track of a hand: an .npz of landmarks and times_s, a .csv or a video is wanted"
            )
        if ending(file) in TRACKS:
            return read_recording(file)
        if self._tracker is None:
            self._tracker = self.context.load_hands()
        return filmed(file, self._tracker, self.degrees)


def filmed(file: Path, tracker: Tracker[Hand], degrees: int = 0) -> Recording:
    """The tracks of the hand in a film; ExampleError, one line with the file's name, where it is none."""
    landmarks, times = [], []
    tracker.lose()
    source = VideoFile(file, clock=lambda: 0.0)
    try:
        source.open()
        while True:
            frame = source.read()
            hand = tracker.follow(turned(frame.data, degrees))
            landmarks.append(np.zeros((POINTS, 2)) if hand is None else hand.points[:, :2])
            times.append(frame.time_s)
    except SourceClosed:
        pass
    except SourceError as error:
        raise ExampleError(f"{file}: {error}") from None
    finally:
        source.close()
    if not times:
        raise ExampleError(f"{file}: holds no pictures; a video of a hand is wanted")
    try:
        tracks = tracks_of(np.array(landmarks), np.array(times))
    except ExampleError as error:
        raise ExampleError(f"{file}: {error}") from None
    return Recording(tracks, times[-1] - times[0], cut=False)
