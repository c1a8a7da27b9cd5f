"""A Teachable Machine project moves over, base and head: Pac-Man is steered by what was taught in a browser."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import tiny_teachable
from tiny_teachable import LABELS, as_keras, as_tfjs, base_weights, head_weights, shown

from device.assembly import Context, make_controller, taught_recognizer
from device.commands.main import main
from device.pacman.game import Game
from device.pacman.maze import pick_maze
from device.pacman.round import Round
from device.teach.steering import steering
from edge_tl.errors import ModelError, SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.line import PictureLine
from edge_tl.testing import FakeClock
from edge_tl.tflite.manifest import read_manifest

pytest.importorskip("tensorflow", reason="host_tools needs TensorFlow")

from host_tools.cli import main as host
from host_tools.teachable_graph import build, read_project
from host_tools.tfjs import read_layers_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """All numbers of a project whose head knows its four classes."""
    weights = base_weights()
    blank = weights | head_weights(np.eye(len(LABELS), tiny_teachable.CHANNELS))
    where = as_tfjs(tmp_path_factory.mktemp("blank"), blank)
    built = build(read_project(str(where)), "it")
    side = tiny_teachable.SIDE_PX
    pictures = np.stack([shown(label, size=(side, side)) for label in LABELS]).astype(np.float32) / 127.5 - 1
    seen = np.concatenate([np.asarray(built.base(one[np.newaxis], training=False)) for one in pictures])
    return weights | head_weights(seen)


class Feed(BaseSource):
    """Shows one class, thirty times a second of a clock that the test has."""

    name, simulated, state, fault, hangs, duration_s = "feed", True, "open", "", False, float("inf")

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.label, self.number = clock, "up", 0

    def read(self, timeout_s: float = 0.0) -> Frame:
        """The next picture, or none where less time is left."""
        if timeout_s < 0.03:
            self.clock.advance(timeout_s)
            raise SourceTimeout("none yet")
        self.clock.advance(0.03)
        self.number += 1
        return Frame(shown(self.label, self.number), self.clock(), self.number)

    def open(self) -> None:
        """There is nothing to open."""

    close = open


@pytest.mark.parametrize("kind", ["tensorflow.js", "keras"])
def test_a_project_becomes_a_profile_that_plays(trained: dict[str, np.ndarray], tmp_path: Path, kind: str) -> None:
    """Exported either way it is converted, restored in one command, names pictures as there, and steers Pac-Man."""
    where = tmp_path / "converted.zip"
    if kind == "keras":
        as_keras(where, trained)
    else:
        where = as_tfjs(tmp_path / "export", trained)
    made, data = tmp_path / "poses", ["--data-dir", str(tmp_path / "data"), "--profile", "poses"]
    assert host(["convert", "teachable", str(where), "--out", str(made)]) == 0
    assert read_manifest(made).scaling.offset == (-1.0,) * 3
    assert main(["restore", str(made / "profile.zip"), *data]) == 0
    with ExitStack() as stack:
        context = Context(tmp_path / "data", "poses")
        profile = context.open_profile(stack, writable=False)
        recognizer = taught_recognizer(profile, context.load_embedder())
        assert recognizer.classes == tuple(sorted(LABELS))
        for label in LABELS:
            assert recognizer.observe(shown(label, 99)).label == label
        clock = FakeClock()
        feed = Feed(clock)
        line = PictureLine(feed, recognizer, clock, make_controller(recognizer))
        game = Game(pick_maze(24, 80), seed=1)
        play = Round(game, line, steering(recognizer.classes), clock, clock.sleep)
        for label in ("left", "up", "right"):
            feed.label = label
            until_s = clock() + 1.0
            while clock() < until_s:
                play.step()
            assert line.label == label
        assert game.ticks > 40
        assert play.latencies_ms


def test_what_is_no_project_of_images_is_one_line(trained: dict[str, np.ndarray], tmp_path: Path) -> None:
    """Poses, sounds, missing labels, arrays of other sizes and other layers are refused by name; nothing is written."""
    pose = as_tfjs(tmp_path / "pose", trained, packageName="@teachablemachine/pose", modelSettings={})
    sound = as_tfjs(tmp_path / "sound", trained, packageName=None, wordLabels=list(LABELS))
    few = as_tfjs(tmp_path / "few", trained, labels=["up", "left"])
    broken = as_tfjs(tmp_path / "broken", trained | {"Conv1/kernel": trained["Conv1/kernel"][:2]})
    text = (as_tfjs(tmp_path / "other", trained) / "model.json").read_text()
    (tmp_path / "other" / "model.json").write_text(text.replace('"GlobalAveragePooling2D"', '"Lambda"'))
    for where, says in (
        (pose, "project of poses"),
        (sound, "convert speech"),
        (few, "4 classes, and 2 labels"),
        (broken, "'Conv1' has arrays"),
        (tmp_path / "other", "Lambda"),
        (tmp_path, "model.json"),
    ):
        with pytest.raises(ModelError, match=says) as caught:
            _convert(where, tmp_path / "out")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    image = as_tfjs(tmp_path / "image", trained)
    with pytest.raises(ModelError, match="project of images"):
        read_layers_model(str(image))


def _convert(where: Path, out: Path) -> None:
    from host_tools.teachable import convert_teachable

    convert_teachable(str(where), out, "it", "mine")
