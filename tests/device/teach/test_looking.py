"""Which way to look is chosen by what is taught first, and changed whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.teach import looking as module
from device.teach.looking import FRAMES, MAJORITY, MIN_PICTURES, OPEN, WHOLE, LookChooser, decided, finders, reminder
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.look.ways import open_look
from edge_tl.errors import ConfigError, ExampleError, ModelError, ProfileError
from edge_tl.media.image import decode
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_look, remembered_look, write_settings
from edge_tl.testing import FakeClock, FakeEmbedder

HAND, FACE, NEITHER = (np.full((24, 32, 3), value, np.uint8) for value in (200, 120, 40))
WAYS = {"hand": lambda picture: picture.mean() > 160, "face": lambda picture: picture.mean() > 80}
"""Stand-ins: the bright picture shows a hand and a face, the middle one a face."""


class Bench:
    """A profile with a way to look that is found out, on fake time."""

    def __init__(self, folder: Path) -> None:
        self.profile = Profile(folder, writable=True)
        self.clock = FakeClock()
        self.embedders: list[Embedder] = []
        self.looking = self.again()

    def again(self) -> LookChooser:
        """As after a restart."""
        return LookChooser(self.profile, lambda look: FakeEmbedder(name=look.way), self.profile.folder / "models")

    @property
    def embedder(self) -> FakeEmbedder:
        """What looks now."""
        return FakeEmbedder(name=self.looking.look.way)

    def take(self, label: str, *pictures: np.ndarray) -> None:
        """Record a take, tell that it ended, and work until nothing is left to do."""
        store, embedder = self.profile.store, self.embedder
        number = store.new_take(label, "test")
        for picture in pictures:
            store.add(number, picture, embedder.embed(picture), embedder.fingerprint)
        store.flush()
        self.looking.take_ended()
        self.work()

    def work(self) -> None:
        """Until the change is done."""
        while self.looking.busy:
            made = self.looking.step(self.clock)
            self.embedders += [made] if made is not None else []

    @property
    def fingerprints(self) -> set[str]:
        """Of all that is stored."""
        return {one.fingerprint for one in self.profile.store.list()}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An empty profile, and finders that go by brightness."""
    monkeypatch.setattr(module, "finders", lambda *_: dict(WAYS))
    made = Bench(tmp_path / "profile")
    yield made
    made.profile.close()


@pytest.mark.parametrize(("picture", "way", "what"), [(HAND, "hand", "hand"), (FACE, "face-crop", "face")])
def test_the_first_take_decides(bench: Bench, picture: np.ndarray, way: str, what: str) -> None:
    """What most of the first take shows is looked at from then on: said, remembered, and the take embedded again."""
    bench.take("up", *[NEITHER] * 5, *[picture] * 15)
    assert not bench.looking.open
    found = sum(i >= 5 for i in np.linspace(0, 19, FRAMES).astype(int))
    assert bench.looking.said == f"uses the {what}: one is in {found} of {FRAMES} frames"
    assert remembered_look(bench.profile.folder) == Look(way)
    assert [one.name for one in bench.embedders] == [way]
    assert bench.fingerprints == {FakeEmbedder(name=way).fingerprint}
    bench.take("down", *[NEITHER] * 20)  # once decided it stays so
    assert bench.looking.look == Look(way)


def test_whoever_shows_nothing_first_is_waited_for(bench: Bench) -> None:
    """A first class without hand and face decides nothing; the second class does, and what was recorded is kept."""
    bench.take("nobody", *[NEITHER] * 20)
    assert bench.looking.open
    assert "next take decides" in bench.looking.said
    assert remembered_look(bench.profile.folder) is None
    bench.take("fist", *[HAND] * 20)
    assert bench.looking.look == Look("hand")
    assert bench.fingerprints == {FakeEmbedder(name="hand").fingerprint}
    assert {label: count.examples for label, count in bench.profile.store.counts().items()} == {
        "nobody": 20,
        "fist": 20,
    }


def test_two_classes_without_hand_and_face_are_whole_pictures(bench: Bench) -> None:
    """Where neither of two classes shows one, the whole picture counts, and nothing has to be embedded again."""
    bench.take("cup", *[NEITHER] * 20)
    bench.take("pen", *[NEITHER] * 20)
    assert not bench.looking.open
    assert bench.looking.said == WHOLE
    assert remembered_look(bench.profile.folder) == Look()
    assert bench.embedders == []


def test_training_settles_it(bench: Bench) -> None:
    """Whoever trains with too few frames to tell has taught whole pictures, and that stays."""
    bench.take("up", *[HAND] * (MIN_PICTURES - 1))
    assert bench.looking.open
    bench.looking.settle()
    assert remembered_look(bench.profile.folder) == Look()


def test_a_taught_or_chosen_profile_is_never_changed(bench: Bench) -> None:
    """Examples, or a way that was asked for, whichever it is: nothing is decided by a take any more."""
    bench.take("up", *[HAND] * (MIN_PICTURES - 1))
    bench.looking = bench.again()
    assert not bench.looking.open
    bench.take("up", *[HAND] * 20)
    assert remembered_look(bench.profile.folder) is None
    bench.profile.store.remove_label("up")
    write_settings(bench.profile.folder, look=Look())
    bench.looking = bench.again()
    assert not bench.looking.open


def test_nobody_s_choice_gives_way_to_that_of_the_fleet(bench: Bench) -> None:
    """An open profile looks as other devices do from then on, and says so; one that was taught or chosen does not."""
    with pytest.raises(ConfigError, match="give --box"):
        bench.looking.adopt("box")
    assert bench.looking.open
    bench.looking.adopt("hand")
    bench.work()
    assert bench.looking.look == Look("hand")
    assert not bench.looking.open
    assert bench.looking.said == "uses the way of the fleet's other devices: hand"
    bench.looking.adopt("face")
    assert not bench.looking.busy
    assert bench.again().look == Look("hand")


def test_a_take_that_is_there_goes_before_the_fleet(bench: Bench) -> None:
    """Where something was recorded that did not decide yet, nothing is taken over."""
    bench.take("up", NEITHER)
    assert bench.looking.open
    bench.looking.adopt("hand")
    assert not bench.looking.busy


def test_without_kept_pictures_the_first_frames_decide(bench: Bench) -> None:
    """Frames that could not be embedded again are looked at first and not recorded; then the way is known."""
    for number in range(FRAMES):
        assert bench.looking.open, number
        assert bench.looking.seen(HAND)
    assert bench.looking.seen(HAND)  # the change is not worked through yet
    bench.work()
    assert not bench.looking.seen(HAND)
    assert bench.looking.look == Look("hand")
    assert [one.name for one in bench.embedders] == ["hand"]


def test_without_models_all_works_and_says_so(tmp_path: Path) -> None:
    """Nothing is decided, frames are recorded at once, the line says what to do, and the next start says it again."""
    bench = Bench(tmp_path / "profile")
    line = "no models of hands and faces: `edge-tl model get all`"
    assert bench.looking.said == line
    assert not bench.looking.seen(HAND)
    bench.take("up", *[HAND] * 20)
    bench.take("down", *[HAND] * 20)
    bench.looking.settle()
    assert remembered_look(bench.profile.folder) is None
    assert bench.again().said == line
    write_settings(bench.profile.folder, look=Look())
    assert bench.again().said == ""  # whoever asked for whole pictures needs no reminder
    bench.profile.close()


def test_another_way_embeds_all_anew(bench: Bench) -> None:
    """Asked for later, all pictures are embedded again, counted on the way, and what to do next is said."""
    bench.take("up", *[HAND] * 20)
    bench.looking.ask(Look("frame"))
    seen = []
    while bench.looking.busy:
        bench.clock.advance(1.0)
        bench.looking.step(iter([0.0, *[1.0] * 30]).__next__)
        seen.append(bench.looking.progress)
    assert seen[:2] == [(1, 20), (2, 20)]
    assert bench.looking.progress is None
    assert bench.looking.said == "uses frame: 20 examples embedded again; train again"
    assert bench.fingerprints == {FakeEmbedder(name="frame").fingerprint}
    bench.looking.ask(Look("frame"))
    assert not bench.looking.busy
    assert "already" in bench.looking.said


def test_a_change_that_is_stopped_changes_nothing(bench: Bench) -> None:
    """Half-way given up, on disk and in memory all is as before; a second change meanwhile is refused."""
    bench.take("up", *[HAND] * 20)
    bench.looking.ask(Look("face"))
    bench.looking.step(iter([0.0, 1.0]).__next__)
    with pytest.raises(ConfigError, match="is being changed already"):
        bench.looking.ask(Look("frame"))
    bench.looking.stop()
    assert "nothing was changed" in bench.looking.said
    assert bench.looking.look == Look("hand")
    assert bench.fingerprints == {FakeEmbedder(name="hand").fingerprint}


def test_a_picture_that_is_gone_stops_a_change_and_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An example without a picture is said at once, a damaged one when it is met; nothing is lost or changed."""
    bench.take("up", *[HAND] * 4)
    store, picture = bench.profile.store, bench.profile.store.picture

    def damaged(example: int) -> bytes:
        if example == 3:
            raise ProfileError("damaged")
        return picture(example)

    monkeypatch.setattr(store, "picture", damaged)
    bench.looking.ask(Look("face"))
    with pytest.raises(ExampleError, match=r"1 example has no picture to be embedded again \(3\)"):
        bench.work()
    take = store.new_take("up", "test")
    store.add(take, None, bench.embedder.embed(HAND), bench.embedder.fingerprint)
    with pytest.raises(ExampleError, match=r"\(5\): remove them"):
        bench.looking.ask(Look("face"))
    assert bench.looking.look == Look("hand")
    assert bench.fingerprints == {FakeEmbedder(name="hand").fingerprint}


def test_a_full_disk_leaves_the_way_as_it_was(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the embeddings do not fit, the profile does not remember the way that they were for."""
    bench.take("up", *[HAND] * 4)

    def full(*_: Any) -> None:
        raise ProfileError("the disk is full")

    monkeypatch.setattr(bench.profile.store, "exchange", full)
    bench.looking.ask(Look("face"))
    with pytest.raises(ProfileError, match="full"):
        bench.work()
    assert read_look(bench.profile.folder) == Look("hand")


def test_a_find_in_half_of_the_frames_may_be_a_mistake() -> None:
    """Below the share that is wanted nothing is decided, and of two that are found the hand comes first."""
    assert decided({"hand": int(MAJORITY * FRAMES) - 1, "face": 0}, FRAMES) is None
    choice = decided({"hand": FRAMES, "face": FRAMES}, FRAMES)
    assert choice is not None
    assert choice[0] == Look("hand")


def test_open_profiles_say_what_will_decide(bench: Bench, look_models: Path) -> None:
    """Before anything is taught the line says that the first take decides; installed models need no reminder."""
    assert reminder(look_models) == ""
    made = LookChooser(bench.profile, lambda look: FakeEmbedder(name=look.way), look_models)
    assert made.said == OPEN


def test_a_real_hand_is_found(look_models: Path, data: Callable[[str], Path], tmp_path: Path) -> None:
    """A real first take with a hand before the camera chooses `hand`, though a face is in it too."""
    paths = sorted((data("hands_sessions") / "session_15").glob("*/*.jpg"))[:20]
    shipped = FakeEmbedder()
    with Profile(tmp_path / "profile", writable=True) as profile:
        looking = LookChooser(profile, lambda look: open_look(look, look_models, lambda: shipped, 1), look_models, 1)
        take = profile.store.new_take("one", "test")
        for path in paths:
            picture = decode(path)
            profile.store.add(take, picture, shipped.embed(picture), shipped.fingerprint)
        profile.store.flush()
        looking.take_ended()
        while looking.busy:
            made = looking.step(FakeClock())
        assert made is not None
        assert looking.look == Look("hand")
        assert profile.store.matrix(made.fingerprint).X.any(axis=1).mean() > MAJORITY
    assert set(finders(look_models, 1)) == {"hand", "face"}


def test_an_unknown_folder_finds_nothing(tmp_path: Path) -> None:
    """Without installed models there are no finders, and no error either."""
    assert finders(tmp_path, 1) == {}
    with pytest.raises(ModelError):
        open_look(Look("hand"), tmp_path, FakeEmbedder)
