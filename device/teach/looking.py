"""Which way to look: chosen once by what is taught first, and changed later only by a person.

An empty profile without a way to look is *open*. Nobody may sit before the camera when a program starts, and whoever
has just started it sits there with a face and without the hand that is about to be taught; so what decides are the
frames of the first take, of what is shown while the key is held. That take is recorded as a whole picture, looked
through when it is over, and embedded again from its kept pictures: nothing is lost, however short it is. Where no
pictures are kept, the first frames of the first take are looked at and not recorded, and recording begins after them.

A hand or a face decides at once. That there is neither is no answer yet, for the first class may be "nobody": only
with a take of a second class it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from edge_tl.core.kept import kept_found
from edge_tl.embedders.embedder import Embedder, looks_for
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.look.embedders import load_face_tracker, load_tracker
from edge_tl.embedders.look.models import PARTS, is_installed
from edge_tl.errors import ConfigError, EdgeTLError, ExampleError, ModelError, ProfileError, counted
from edge_tl.media.image import decode
from edge_tl.store.media import JPEG
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_look, remembered_look, write_settings

Finds = Callable[[np.ndarray], bool]
Steps = Iterator[tuple[int, int]]
"""(done, total) after each picture."""
FRAMES = 15
"""How many frames are looked at, spread over a take."""
MIN_PICTURES = 3
"""With fewer frames nothing is decided: in one of fourteen pictures of faces a hand is found that is none."""
MAJORITY = 0.6
"""The share of them in which there must be a hand or a face."""
STEP_S = 0.1
"""So long pictures are embedded again at a stretch, while the camera goes on."""
WAYS = {"hand": "hand", "face": "face-crop"}
"""What is found → the way to look at it; of several the first, for whoever shows a hand shows a face as well. Of the
two that look at a face `face-crop` is the better one on strangers (.979 and .974, the worst .903 and .875), and sees
what a face does besides (benchmarks/README.md)."""
OPEN = "the first take decides: the hand, the face, or the whole picture is used"
WHOLE = "uses the whole picture: no hand and no face was seen"


def finders(models: Path, threads: int | None) -> dict[str, Finds]:
    """`hand` and `face` → whether one is in a picture, of those whose models are installed in a folder."""
    found: dict[str, Finds] = {}
    for what, load in (("hand", load_tracker), ("face", load_face_tracker)):
        with contextlib.suppress(ModelError):
            tracker = load(models, threads)
            found[what] = lambda picture, tracker=tracker: tracker.find(picture) is not None  # type: ignore[misc]
    return found


def reminder(models: Path) -> str:
    """What is not installed and the command that gets it, in a line; empty where all is there."""
    missing = [which for which, parts in PARTS.items() if not all(is_installed(models, part) for part in parts)]
    if not missing:
        return ""
    what = " and ".join({"hands": "hands", "face": "faces"}[which] for which in missing)
    return f"no models of {what}: `edge-tl model get {missing[0] if len(missing) == 1 else 'all'}`"


def decided(counts: Mapping[str, int], frames: int) -> tuple[Look, str] | None:
    """The way to look of what was found in so many of the frames, and why, in a line; None where neither was."""
    for what, count in counts.items():
        if count >= MAJORITY * frames:
            return Look(WAYS[what]), f"uses the {what}: one is in {count} of {counted(frames, 'frame')}"
    return None


def is_open(profile: Profile) -> bool:
    """Whether nobody has chosen a way to look for a profile yet, and nothing was taught."""
    return remembered_look(profile.folder) is None and not any(
        count.examples for count in profile.store.counts().values()
    )


class LookChooser:
    """How a profile looks while it is taught; used by one thread.

    load: the embedder of a way to look; ModelError where its models are missing. models: the folder in which they are
    installed. A change is worked through by `step`; until its end all is as it was, on disk too.
    """

    def __init__(
        self, profile: Profile, load: Callable[[Look], Embedder], models: Path, threads: int | None = None
    ) -> None:
        self.profile, self.models, self._load, self._threads = profile, models, load, threads
        self.open = is_open(profile)
        """Whether nobody has chosen yet, and nothing was taught."""
        self.said = reminder(models) if remembered_look(profile.folder) is None else ""
        """What was chosen and why, what is missing, or what became of a change, in a line."""
        if self.open:
            self.said = self.said or OPEN
        self.chosen = False
        """Whether `said` tells of a choice that nobody asked for."""
        self.progress: tuple[int, int] | None = None
        """While a change is worked through: how many pictures of how many are done."""
        self._steps: Steps | None = None
        self._made: Embedder | None = None
        self._ways: dict[str, Finds] = {}
        self._counts: dict[str, int] = {}
        self._frames = 0

    @property
    def look(self) -> Look:
        """The way to look that is remembered, the whole picture where none is."""
        return read_look(self.profile.folder)

    @property
    def busy(self) -> bool:
        """Whether a change is being worked through: nothing is to be recorded meanwhile."""
        return self._steps is not None

    # -- choosing ----------------------------------------------------------------------------------------------------

    def take_ended(self) -> None:
        """A take is on disk: where the way to look is open, begin to decide by it."""
        if not self.open or self.busy:
            return
        listed = self.profile.store.list()
        pictures = [one.id for one in listed if one.take == listed[-1].take and one.media_type == JPEG]
        if len(pictures) >= MIN_PICTURES:
            self._steps = self._look_through(pictures, len({one.label for one in listed}) > 1)

    def seen(self, picture: np.ndarray) -> bool:
        """Where no pictures are kept: look at a frame of the first take; True while such frames are not to be recorded.

        What was embedded as a whole picture could not be embedded again.
        """
        if self.busy or not self.open or not self._finders():
            return self.busy
        self._count(picture)
        if self._frames < FRAMES:
            return True
        counts, frames = self._counts, self._frames
        self._counts, self._frames = {}, 0
        look, why = decided(counts, frames) or (Look(), WHOLE)
        self._steps = self._change(look, self._load(look), why)
        return True

    def settle(self) -> None:
        """What was taught is trained: where the way to look is still open, the whole picture it is from now on."""
        if self.open and not self.busy and len(self._finders()) == len(WAYS):
            self._remember(Look(), WHOLE)

    def _finders(self) -> dict[str, Finds]:
        if not self._ways and self.open:  # looked for again each time: somebody may install them meanwhile
            self._ways = finders(self.models, self._threads)
        return self._ways

    def _count(self, picture: np.ndarray) -> None:
        self._frames += 1
        for what, finds in self._finders().items():
            self._counts[what] = self._counts.get(what, 0) + finds(picture)

    def _look_through(self, pictures: list[int], final: bool) -> Steps:
        """Look at pictures of a take, then change to the way that they say; final: to the whole picture too."""
        if not self._finders():
            return
        self._counts, self._frames = {}, 0
        pictures = [pictures[i] for i in np.unique(np.linspace(0, len(pictures) - 1, FRAMES).astype(int))]
        for number in pictures:
            self._count(decode(self.profile.store.picture(number)))
            yield self._frames, len(pictures)
        choice = decided(self._counts, self._frames)
        if choice is not None:
            look, why = choice
            yield from self._change(look, self._load(look), why)
        elif not final:
            self.said = "no hand and no face yet: the next take decides what is used"
        elif len(self._finders()) == len(WAYS):
            self._remember(Look(), WHOLE)

    def _remember(self, look: Look, why: str) -> None:
        write_settings(self.profile.folder, look=look)
        self.chosen, self.open, self.said = self.open, False, why
        self._ways = {}  # networks that nobody needs any more

    # -- changing ----------------------------------------------------------------------------------------------------

    def ask(self, look: Look) -> None:
        """Begin to look another way, as a person wants it.

        ModelError where its models are missing, ExampleError where an example kept no picture, ConfigError where
        another change is going on.
        """
        if self.busy:
            raise ConfigError("the part of the picture is being changed already: wait for it, or stop it")
        self.chosen = False
        if look == self.look and not self.open:
            self.said = f"uses {look} already"
            return
        self.profile.store.flush()
        without = [one.id for one in self.profile.store.list() if one.media_type != JPEG]
        if without:
            raise ExampleError(f"nothing was changed: {missing_pictures(without)}")
        self._steps = self._change(look, self._load(look), f"uses {look}")
        self.profile.keep()

    def adopt(self, way: str) -> None:
        """Begin to look as the other devices of a fleet do, where nobody has chosen and nothing was taught.

        ModelError where its models are missing, ConfigError for a way that needs more than its name.
        """
        if self.open and not self.busy and is_open(self.profile):
            look = Look(way)
            self._steps = self._change(look, self._load(look), f"uses the way of the fleet's other devices: {look}")
            self.profile.keep()

    def stop(self) -> None:
        """Give a change up: all is as it was before."""
        if self.busy:
            self._end()
            self.chosen = False
            self.said = "stopped: nothing was changed"

    def step(self, clock: Callable[[], float]) -> Embedder | None:
        """Work for a moment on what was begun; the embedder that looks from now on, once it is done.

        Where it cannot be done (a picture that is gone, a full disk) `said` and an EdgeTLError say so, and all is as it
        was.
        """
        if self._steps is None:
            return None
        until_s = clock() + STEP_S
        try:
            for progress in self._steps:
                self.progress = progress
                if clock() >= until_s:
                    return None
        except EdgeTLError as error:
            self.said, self.chosen = str(error), False
            self._end()
            raise
        made = self._made
        self._end()
        return made

    def _end(self) -> None:
        self._steps = self._made = self.progress = None

    def _change(self, look: Look, embedder: Embedder, why: str) -> Steps:
        """Embed all pictures anew, and only then put them all in the place of what was, with the way to look."""
        store, before = self.profile.store, self.look
        store.flush()
        numbers = [one.id for one in store.list()]
        made: dict[int, np.ndarray] = {}
        for done, number in enumerate(numbers, 1):
            with contextlib.suppress(ExampleError, ProfileError):
                made[number] = store.embedded_anew(embedder, number)
            yield done, len(numbers)
        if len(made) < len(numbers):
            raise ExampleError(f"nothing was changed: {missing_pictures([one for one in numbers if one not in made])}")
        # The way first: where the power goes between the two, `examples re-embed` goes on to where this was going.
        write_settings(self.profile.folder, look=look)
        try:
            store.exchange(embedder.fingerprint, made)
        except ProfileError:
            write_settings(self.profile.folder, look=before)
            raise
        if made and not self.open:
            missed = int((~kept_found(np.stack([*made.values()]))).sum()) if looks_for(embedder) else 0
            nothing = f", no {looks_for(embedder)} in {missed}" if missed else ""
            why += f": {counted(len(made), 'example')} embedded again{nothing}; train again"
        self._remember(look, why)
        self._made = embedder


def missing_pictures(numbers: list[int]) -> str:
    """Which examples have no picture to be embedded again, and what to do, in a line."""
    shown = ", ".join(map(str, numbers[:5])) + (" …" if len(numbers) > 5 else "")
    return (
        f"{counted(len(numbers), 'example has', 'examples have')} no picture to be embedded again ({shown}): remove "
        "them"
    )
