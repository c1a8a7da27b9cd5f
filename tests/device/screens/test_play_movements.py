"""`edge-tl play` by swipes in a real terminal: what was seen is on the screen, in its lines and in its JSON."""

from __future__ import annotations

import json
import shutil
import sys
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from terminal_pty import Pty

from device.assembly import Context
from device.commands.main import main
from device.commands.play import movement_line
from device.commands.predict_movements import movement_json
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.known_hand import KnownHand
from edge_tl.movements.spotter import FoundMovement
from edge_tl.sources.moving_hand import MovingHand
from edge_tl.store.settings import write_settings
from edge_tl.testing import FakeClock

LABELS = ("left", "right", "up", "down")
CODE = """
import sys
import device.commands.play as play
from device.assembly import Context
from device.commands.main import main
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.known_hand import KnownHand
from edge_tl.sources.moving_hand import MovingHand
from edge_tl.testing import FakeClock
clock = FakeClock(50.0)
play.clock = clock
hand = MovingHand(1, clock, paced=True, sleep=clock.sleep)
hand.open()
Context.open_camera = lambda *_: hand
Context.load_hands = lambda *_: KnownHand(hand)
sys.exit(main())
"""
"""The real command; only the hand is told where it is, and the clock goes as fast as frames are drawn."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile that was taught four swipes, three demonstrations each, and twelve seconds of nothing."""
    folder = tmp_path_factory.mktemp("swipes")
    rng = np.random.default_rng(0)
    with MovingHand(3, clock=lambda: 0.0, fps=20, drawn=False) as hand:

        def write(label: str, number: int) -> None:
            landmarks, times = [], []
            while not times or hand.busy or (label == "nothing" and len(times) < 240):
                frame = hand.read()
                # Whoever teaches takes the hand back only after the recording.
                if label == "nothing" or frame.truth == label or not times:
                    landmarks.append(hand.joints + rng.normal(0, 0.6, (21, 2)))
                    times.append(frame.time_s)
            path = folder / "in" / label / f"{number}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, landmarks=landmarks, times_s=times)

        for label in LABELS:
            for number in range(3):
                hand.new_session()
                hand.perform(label)
                write(label, number)
        hand.about()
        write("nothing", 0)
    data = folder / "data"
    for words in (("examples", "import", str(folder / "in")), ("train",)):
        assert main([*words, "--data-dir", str(data)]) == 0
    return data


def spawn(data_dir: Path, *arguments: str, rows: int = 24, columns: int = 80) -> Pty:
    """`edge-tl play` before the simulated hand."""
    words = [sys.executable, "-c", CODE, "play", "--seed", "1", "--data-dir", str(data_dir), *arguments]
    return Pty.spawn(words, rows, columns)


def test_the_screen_says_which_movement_it_saw(data_dir: Path) -> None:
    """The hand and the movement told are shown, the game goes at half speed and says so, and JSON has them all."""
    with spawn(data_dir, "--json") as pty:
        pty.wait_for("look: movement")
        pty.wait_for("half speed: swipes take time")
        pty.wait_until(lambda pty: any("→ " in row and "…" not in row for row in pty.screen()), what="a movement")
        row = next(row for row in pty.screen() if "→ " in row and "…" not in row)
        assert row.split("→ ")[1].split()[0] in LABELS
        assert any(f"{label} " in row and " s" in row and "%" in row for row in pty.screen() for label in LABELS)
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()
        said = pty.plain()
    told = json.loads(said[said.rindex("{", 0, said.rindex('"score"')) :])
    assert told["movements"]
    assert {"label", "confidence", "start_s", "end_s"} == set(told["movements"][0])
    assert told["movements"][0]["label"] in LABELS
    assert told["level"] == 1


def test_in_lines_each_movement_is_one(data_dir: Path) -> None:
    """`--plain` writes a line for each movement, and one for each that was unsure, and no escape sequences."""
    with spawn(data_dir, "--plain") as pty:
        pty.wait_for("→ ")
        pty.send("q")
        assert pty.wait_exit() == 0
        said = pty.plain()
    assert "edge-tl play  look: movement" in said
    assert "half speed" in said
    line = next(line for line in said.splitlines() if line.startswith("→ "))
    assert line.split()[1] in LABELS
    assert line.strip().endswith(" s")


def test_a_class_that_was_not_taught_is_one_line(data_dir: Path) -> None:
    """A wrong `--steer` is told before any camera opens."""
    with spawn(data_dir, "--steer", "up=salute") as pty:
        assert pty.wait_exit() == 1
        assert "'salute' was not taught; there are down, left, nothing, right, up" in " ".join(pty.plain().split())


class Mirrored(KnownHand):
    """What a tracker finds in the pictures of a camera that mirrors."""

    def follow(self, picture: np.ndarray) -> Hand | None:
        """The hand, with right on the left."""
        hand = self.find(picture)
        return None if hand is None else replace(hand, points=hand.points * (-1, 1, 1))


def test_a_camera_that_mirrors_is_undone_while_playing(data_dir: Path, tmp_path: Path) -> None:
    """With the mirroring kept in the profile `play` tells the same of a camera that mirrors as of one that does not."""
    told = []
    for mirrored, hands in ((False, KnownHand), (True, Mirrored)):
        data = tmp_path / str(mirrored)
        shutil.copytree(data_dir, data)
        write_settings(data / "profiles" / "default", mirrored=mirrored)
        clock = FakeClock(50.0)
        with MovingHand(3, clock, paced=True, sleep=clock.sleep, drawn=False) as hand, ExitStack() as stack:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Context, "open_camera", lambda *_, hand=hand: hand)
                patch.setattr(Context, "load_hands", lambda *_, hands=hands, hand=hand: hands(hand))
                context = Context(data, "default")
                embedder = context.load_embedder(movements=True)
                line = movement_line(context, embedder, Namespace(camera="auto", rotate=0), (), stack)
            for label in ("left", "right", "left", "right"):
                hand.perform(label)
                until_s = clock() + 4.0
                while clock() < until_s:
                    line.read(1.0)
            told.append([moved.label for moved in line.reported])
    assert {"left", "right"} <= set(told[0])
    assert told[0] == told[1]


def test_times_are_told_from_the_first_frame_on() -> None:
    """What `--json` says of a movement begins with the stream, not with the machine."""
    told = movement_json(FoundMovement("left", 0.71234567, 102.5, 103.25), 100.0)
    assert told == {"label": "left", "confidence": 0.7123, "start_s": 2.5, "end_s": 3.25}
