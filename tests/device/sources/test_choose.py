"""`--camera`: one grammar, one clear line for what is not in it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.sources import choose
from device.sources.choose import GRAMMAR, Choice, open_source, parse_camera
from edge_tl.errors import ConfigError, MissingDependency, SourceError
from edge_tl.media.image import save_png
from edge_tl.sources.moving_hand import MovingHand
from edge_tl.sources.simulated import SimulatedPlayer


@pytest.mark.parametrize(
    ("spec", "choice"),
    [
        ("auto", Choice("auto")),
        ("sim", Choice("sim")),
        ("sim:head", Choice("sim", subject="head")),
        ("sim:hand", Choice("sim", subject="hand")),
        ("sim:movements", Choice("sim", subject="movements")),
        ("picamera2", Choice("picamera2")),
        ("picamera2:1", Choice("picamera2", 1)),
        ("usb", Choice("usb")),
        ("usb:12", Choice("usb", 12)),
        ("film.mp4", Choice("path", path=Path("film.mp4"))),
        ("/data/hands", Choice("path", path=Path("/data/hands"))),
        ("./sim", Choice("path", path=Path("sim"))),
        ("here", Choice("path", path=Path("here"))),
    ],
)
def test_the_grammar(spec: str, choice: Choice) -> None:
    """Each form of the grammar means what the help says; a bare word that exists is a path."""
    assert parse_camera(spec, exists=lambda path: path == "here") == choice


@pytest.mark.parametrize("spec", ["", " ", "webcam", "picamera", "AUTO", "\0.mp4", "x" * 300, "a\nb"])
def test_an_unknown_word_lists_the_grammar(spec: str) -> None:
    """What is no word of the grammar is one short line that shows the grammar."""
    with pytest.raises(ConfigError) as error:
        parse_camera(spec, exists=lambda _: False)
    assert str(error.value).endswith(GRAMMAR)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 160


@pytest.mark.parametrize("spec", ["usb:", "usb:x", "picamera2:-1", "usb:1.5", "usb:1234", "usb:²"])
def test_a_bad_number_says_what_is_wanted(spec: str) -> None:
    """A camera's number that is none is named."""
    with pytest.raises(ConfigError, match="is no number; wanted"):
        parse_camera(spec)


@pytest.mark.parametrize("spec", ["sim:1", "sim:", "sim:\n", "sim:Hand", "sim:" + "x" * 300])
def test_a_part_the_simulated_player_lacks_says_which_it_has(spec: str) -> None:
    """What follows `sim:` is head or hand, or one short line says so."""
    with pytest.raises(ConfigError, match=r"^.{0,80}: wanted sim, sim:head, sim:hand or sim:movements$"):
        parse_camera(spec)


@given(st.text(max_size=40), st.booleans())
def test_any_text_is_a_choice_or_one_line(spec: str, there: bool) -> None:
    """No text makes the parser fail in another way."""
    try:
        choice = parse_camera(spec, exists=lambda _: there)
    except ConfigError as error:
        message = str(error)
    else:
        assert (choice.path is not None) == (choice.kind == "path")
        return
    assert len(message.splitlines()) == 1


class NoCamera:
    """A camera that is not there; the class attribute tells why."""

    simulated = False

    def __init__(self, *_: object, **__: object) -> None:
        self.name = "no camera"

    def open(self) -> None:
        raise self.why

    def close(self) -> None:
        pass


@pytest.fixture
def no_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer without cameras."""
    missing = type("NoPicamera", (NoCamera,), {"why": MissingDependency("picamera2 is not installed")})
    unplugged = type("NoUsb", (NoCamera,), {"why": SourceError("no /dev/video*")})
    monkeypatch.setattr(choose, "PicameraSource", missing)
    monkeypatch.setattr(choose, "UsbCamera", unplugged)


@pytest.mark.usefixtures("no_cameras")
def test_auto_without_a_camera_names_what_was_tried() -> None:
    """Where there is no camera `auto` says in one line what was tried and what to do."""
    with pytest.raises(SourceError) as error:
        open_source("auto")
    assert str(error.value) == (
        "no camera found; tried: picamera2 is not installed; no /dev/video*; or use --camera sim, the simulated player"
    )


@pytest.mark.usefixtures("no_cameras")
def test_auto_takes_the_fallback_it_is_given() -> None:
    """A caller that can do without a camera gives what to use instead, and gets it open."""
    with open_source("auto", fallback=SimulatedPlayer) as source:
        assert source.read().data.shape == (240, 320, 3)


def test_auto_prefers_the_pis_own_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """Picamera2 comes before USB, and USB is taken where Picamera2 fails."""
    made: list[str] = []

    def maker(name: str, fails: bool) -> object:
        def make(*_: object, **__: object) -> object:
            def open_it() -> None:
                made.append(name)
                if fails:
                    raise SourceError("absent")

            player = SimulatedPlayer()
            return SimpleNamespace(
                name=name, simulated=False, open=open_it, read=lambda timeout_s: player.read(), close=player.close
            )

        return make

    monkeypatch.setattr(choose, "UsbCamera", maker("usb", fails=False))
    for fails, wanted in ((False, "pi"), (True, "usb")):
        monkeypatch.setattr(choose, "PicameraSource", maker("pi", fails=fails))
        made.clear()
        source = open_source("auto")
        assert (source.name, made[-1]) == (wanted, wanted)
        source.close()


def test_the_simulated_player_shows_what_is_asked_for() -> None:
    """`sim:hand` opens a hand and `sim` a head, each under its own name."""
    pictures = []
    for spec, subject in (("sim", "head"), ("sim:hand", "hand")):
        with open_source(spec, clock=lambda: 0.0) as source:
            assert isinstance(source, SimulatedPlayer)
            assert source.subject == subject
            pictures.append((source.name, source.read().data.tobytes()))
    assert pictures[0][0] != pictures[1][0]
    assert pictures[0][1] != pictures[1][1]


def test_the_simulated_hand_performs_movements_by_itself() -> None:
    """`sim:movements` is a hand that moves, paced like a camera."""
    with open_source("sim:movements", clock=lambda: 0.0) as source:
        assert isinstance(source, MovingHand)
        assert source.read().data.shape == (240, 320, 3)


def test_the_simulated_player_wanders_by_itself() -> None:
    """`--camera sim` is paced, says that it is simulated, and turns without being asked."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with open_source("sim", clock=lambda: now[0], sleep=sleep) as source:
        assert source.simulated
        poses = {source.read().truth for _ in range(240)}
    assert now[0] == pytest.approx(239 / 30)
    assert len(poses) >= 3


def test_a_folder_and_a_picture_are_opened(tmp_path: Path) -> None:
    """A path to a folder of pictures, or to a picture, is a source of them."""
    path = tmp_path / "up" / "a.png"
    path.parent.mkdir()
    save_png(path, np.full((3, 3, 3), 9, np.uint8))
    with open_source(str(tmp_path), folder_fps=None) as folder, open_source(str(path)) as picture:
        assert folder.read().truth == "up"
        assert picture.read().truth is None


def test_a_path_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """A missing path fails at opening, in one line."""
    with pytest.raises(SourceError, match="no such file or folder"):
        open_source(str(tmp_path / "absent.mp4"))
