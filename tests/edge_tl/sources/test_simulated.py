"""The simulated player: a head that can be told apart, differently each time, and the same under a seed."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from source_contract import check_source

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.look.embedders import FaceEmbedder, HandEmbedder
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, SourceTimeout
from edge_tl.models import default_model
from edge_tl.sources.drawn_hand import SIGNS, HandLook, joints_px, skeleton
from edge_tl.sources.drawn_hand import draw as draw_hand
from edge_tl.sources.drawn_head import Appearance, draw, on_skull
from edge_tl.sources.drawn_room import SKIN, Place, behind, photograph, skin
from edge_tl.sources.simulated import POSES, SUBJECTS, TURN_S, SimulatedPlayer, wandering


class Clock:
    """A clock that only `sleep` moves on."""

    def __init__(self) -> None:
        self.now_s = 7.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def player(seed: int = 0, **settings: object) -> SimulatedPlayer:
    """A player whose clock stands still."""
    return SimulatedPlayer(seed, clock=lambda: 7.0, **settings)  # type: ignore[arg-type]


def settled(source: SimulatedPlayer, pose: str) -> np.ndarray:
    """A picture of the head at rest in a pose."""
    source.pose = pose
    frame = source.read()
    while not source.settled:
        frame = source.read()
    assert frame.truth == pose
    return frame.data


def test_the_player_keeps_the_contract_of_a_source() -> None:
    """The simulated player behaves like a camera, paced and unpaced."""
    clock = Clock()
    check_source(player)
    check_source(lambda: player(subject="hand"))
    check_source(lambda: SimulatedPlayer(clock=clock, sleep=clock.sleep, paced=True))
    assert player().simulated


def test_a_seed_gives_the_same_pictures_again() -> None:
    """Two players with one seed draw the same frames; another seed draws others."""

    def film(seed: int, subject: str) -> list[bytes]:
        with player(seed, subject=subject) as source:
            frames = [source.read()]
            source.pose = "up"
            frames.append(source.read())
            source.new_session()
            frames.append(source.read())
            source.new_day()
            frames.append(source.read())
        return [frame.data.tobytes() for frame in frames]

    for subject in SUBJECTS:
        first = film(1, subject)
        assert film(1, subject) == first
        assert not set(film(2, subject)) & set(first)


def test_pictures_are_camera_sized_and_never_twice_the_same() -> None:
    """Frames are 320×240 RGB; sway and noise make each one different."""
    with player() as source:
        frames = [source.read().data for _ in range(5)]
    assert {frame.shape for frame in frames} == {(240, 320, 3)}
    assert len({frame.tobytes() for frame in frames}) == 5


def test_the_head_takes_its_time_to_turn() -> None:
    """The pose changes at once, the picture over about 0.18 s, and `settled` tells when it has."""
    with player(fps=100.0) as source:
        before = settled(source, "left").astype(int)
        source.pose = "right"
        turning = []
        while True:
            frame = source.read()
            assert frame.truth == "right"
            turning.append(frame.data.astype(int))
            if source.settled:
                break
    assert len(turning) == round(TURN_S * 100)
    far = [float(np.abs(picture - before).mean()) for picture in turning]
    assert far[0] < 0.5 * far[-1]


def test_turning_back_midway_starts_from_where_the_head_is() -> None:
    """A pose changed in the middle of a turn makes no jump in the picture."""
    with player(fps=200.0) as source:
        settled(source, "left")
        source.pose = "right"
        frames = [source.read().data.astype(int) for _ in range(18)]
        source.pose = "up"
        frames += [source.read().data.astype(int) for _ in range(2)]
    steps = [float(np.abs(b - a).mean()) for a, b in itertools.pairwise(frames)]
    assert max(steps[-2:]) <= max(steps[:-2])


def face_centre(pose: str, person: int) -> np.ndarray:
    """Where the skin of a head in a pose is on average, (x, y) in pixels: drawn in pure green before grey."""
    rng = np.random.default_rng(person)
    look = Appearance.drawn_from(rng, rng)
    look.wall.paste((90, 90, 90), (0, 0, *look.wall.size))
    plain = dataclasses.replace(
        look,
        skin=np.array([0.0, 255.0, 0.0]),
        hair=np.zeros(3),
        shirt=np.full(3, 90.0),
        light=np.ones_like(look.light),
        noise=np.zeros_like(look.noise),
    )
    picture = draw(plain, np.array([*POSES[pose], 0.0]), np.zeros(8), 0.0, rng).astype(float)
    weight = np.clip(picture[..., 1] - picture[..., 0] - 60.0, 0.0, None)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("person", range(4))
def test_the_face_moves_where_the_pose_points(person: int) -> None:
    """Left and right are those of the picture, and up is up: the face moves that way and the others stay between."""
    x, y = np.array([face_centre(pose, person) for pose in ("left", "neutral", "right", "up", "down")]).T
    assert x[0] < x[1] - 3.0
    assert x[2] > x[1] + 3.0
    assert y[3] < y[1] - 1.0
    assert y[4] > y[1] + 1.0


def test_a_new_session_changes_place_and_light() -> None:
    """Two sessions differ far more than two frames of one session."""
    with player() as source:
        first, second = (settled(source, "neutral").astype(int) for _ in range(2))
        source.new_session()
        other = settled(source, "neutral").astype(int)
    assert np.abs(other - first).mean() > 3.0 * np.abs(second - first).mean()


def test_within_a_take_the_poses_are_easy_and_across_takes_they_are_not_free() -> None:
    """Plain pixels tell the poses of one take apart, and lose much of it in the next: takes really differ."""

    def film(source: SimulatedPlayer) -> tuple[np.ndarray, np.ndarray]:
        rows, labels = [], []
        for pose, _ in itertools.product(POSES, range(8)):
            rows.append(settled(source, pose)[4::10, 4::10].ravel() / 255.0)
            labels.append(pose)
        return np.array(rows), np.array(labels)

    with player(3) as source:
        taught, again = film(source), film(source)
        source.new_session()
        other = film(source)
    head = RidgeClassifier(alpha=10.0).fit(*taught)
    assert head.score(*again) >= 0.9
    assert head.score(*other) < 0.9 * head.score(*again)


def test_paced_frames_come_at_their_time_and_a_late_reader_misses_some() -> None:
    """Paced, a frame is waited for; after a pause the newest comes, and the missed ones are counted as dropped."""
    clock = Clock()
    with SimulatedPlayer(clock=clock, sleep=clock.sleep, paced=True, fps=20.0) as source:
        times = [source.read().time_s for _ in range(3)]
        np.testing.assert_allclose(times, [7.0, 7.05, 7.1])
        clock.now_s += 0.27
        frame = source.read()
        assert (frame.index, frame.dropped) == (7, 4)
        assert frame.time_s == pytest.approx(7.35)
        with pytest.raises(SourceTimeout):
            source.read(timeout_s=0.01)
        assert source.read().index == 8


def test_a_script_turns_the_head_until_it_ends_or_a_pose_is_set() -> None:
    """A script of (pose, seconds) is followed; setting `pose` ends it; when it ends the last pose stays."""
    script = [("up", 0.2), ("left", 0.2)]
    with player(fps=10.0, script=script) as source:
        assert [source.read().truth for _ in range(6)] == ["up", "up", "left", "left", "left", "left"]
    with player(fps=10.0, script=script) as source:
        source.read()
        source.pose = "down"
        assert [source.read().truth for _ in range(5)] == ["down"] * 5
        source.go_on()  # from where the script was, not what would have been due meanwhile
        assert [source.read().truth for _ in range(4)] == ["left"] * 4
        source.go_on()
    with player(fps=10.0) as source:
        source.pose = "down"
        source.go_on()
        assert source.read().truth == "down"


def test_wandering_never_stays() -> None:
    """A player left alone turns to another pose each time, for a time within the bounds, and shows them all."""
    steps = list(itertools.islice(wandering(0, tuple(POSES)), 60))
    assert {pose for pose, _ in steps} == set(POSES)
    assert all(a[0] != b[0] for a, b in itertools.pairwise(steps))
    assert all(0.6 <= hold_s <= 1.8 for _, hold_s in steps)


def test_another_day_brings_another_person_elsewhere() -> None:
    """A new day moves, resizes and tilts the player far more than a new take of the same day does, and stays so."""
    for subject in SUBJECTS:
        with player(3, subject=subject) as source:
            source.read()
            today = [place_of(source) for _ in range(6)]
            source.new_day()
            tomorrow = [place_of(source) for _ in range(6)]
        (x, near), (other_x, other_near) = np.mean(today, axis=0), np.mean(tomorrow, axis=0)
        assert abs(other_x - x) > 25.0
        assert abs(np.log(other_near / near)) > 0.06


def place_of(source: SimulatedPlayer) -> tuple[float, float]:
    """Where the player of a new take is, in pixels, and how large."""
    source.new_session()
    look = source._look
    return (look.centre_px[0], look.scale_px) if source.subject == "head" else (look.wrist_px[0], look.palm_px)


def test_a_place_is_never_that_of_the_first_day() -> None:
    """Another day's place is clearly elsewhere, nearer or farther, and tilted by no less than asked, for any draw."""
    for number in range(50):
        place = Place.drawn_from(np.random.default_rng(number), (15.0, 30.0))
        assert abs(place.right_px) >= 32
        assert not 0.88 < place.scale < 1.08
        assert 15 <= abs(place.tilt_deg) <= 30


def test_the_hand_shows_its_signs() -> None:
    """Straight fingers reach far beyond the palm and bent ones end on it, as each sign says."""
    for sign in SIGNS.values():
        joints = skeleton(np.array(sign))
        assert joints.shape == (21, 3)
        for finger, curl in enumerate(sign[1:5], start=1):
            tip, base = joints[4 + 4 * finger], joints[1 + 4 * finger]
            assert (np.linalg.norm(tip - base) > 0.7) == (curl == 0.0)
            assert (tip[1] > base[1]) == (curl == 0.0)
        assert (joints[4, 0] > 0.6) == (sign[0] == 0.0)


def test_the_hand_is_drawn_where_its_joints_are() -> None:
    """The joints of the drawn hand lie on its skin: lighter paint there shows in the picture, for either hand."""
    for number in range(4):
        rng = np.random.default_rng(number)
        look = HandLook.drawn_from(rng, rng, Place(20.0, 5.0, 0.9, 20.0))
        look.wall.paste((0, 0, 0), (0, 0, *look.wall.size))
        plain = dataclasses.replace(
            look,
            skin=np.array([250.0, 0.0, 0.0], np.float32),
            sleeve=np.zeros(3, np.float32),
            light=np.ones_like(look.light),
            noise=np.zeros_like(look.noise),
        )
        attitude = np.array([10.0, 5.0, -8.0, *SIGNS["neutral"]])
        picture = draw_hand(plain, attitude, np.zeros(8), 0.0, rng)
        x, y = joints_px(plain, attitude, np.zeros(8), 0.0).astype(int).T
        assert (picture[y, x, 0] > 60).all()
        assert 0.03 < (picture[:, :, 0] > 60).mean() < 0.3


def test_a_hand_that_has_left_the_picture_leaves_the_wall() -> None:
    """A hand drawn far outside changes nothing but what is behind it, and is no error."""
    rng = np.random.default_rng(0)
    look = HandLook.drawn_from(rng, rng, Place(right_px=5000.0))
    picture = draw_hand(look, np.array([0.0, 0.0, 0.0, *SIGNS["down"]]), np.zeros(8), 0.0, np.random.default_rng(1))
    wall = photograph(behind(look.wall, 0.0, np.zeros(8)), look.light, look.noise, np.random.default_rng(1))
    np.testing.assert_array_equal(picture, wall)


def test_skin_has_every_tone() -> None:
    """Between and beyond the tones there is a tone, never an error."""
    np.testing.assert_allclose(skin(1.5), (SKIN[1] + SKIN[2]) / 2)
    np.testing.assert_allclose(skin(-1.0), SKIN[0])
    np.testing.assert_allclose(skin(9.0), SKIN[-1], atol=0.1)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_finders_see_what_is_drawn(subject: str, look_models: Path) -> None:
    """The real detectors find nine of ten drawn hands and heads, on any day, and hands where they were drawn."""
    embedder = (HandEmbedder if subject == "hand" else FaceEmbedder).load(look_models, threads=1)
    found, apart = [], []
    for seed, pose in itertools.product(range(2), POSES):
        with player(seed, subject=subject) as source:
            for _ in range(2):
                picture = settled(source, pose)
                embedder.embed(picture)
                found.append(embedder.seen is not None)
                if isinstance(embedder, HandEmbedder) and embedder.seen is not None:
                    drawn = joints_px(
                        source._look, source._attitude(source._shown_s()), source._waves, source._shown_s()
                    )
                    off = np.linalg.norm(embedder.seen.points[:, :2] - drawn, axis=1)
                    apart.append(np.median(off) / np.ptp(drawn, axis=0).max())
                source.new_day()
    assert np.mean(found) >= 0.9
    assert not apart or np.median(apart) <= 0.05


def test_an_unknown_pose_is_refused() -> None:
    """A label that is no pose is one clear line, at the start and later."""
    with pytest.raises(ConfigError, match="no pose wave; it knows up, down"):
        player(labels=("up", "wave"))
    with pytest.raises(ConfigError, match="no pose 'up'; it was given left, right"):
        player(labels=("left", "right")).pose = "up"
    with pytest.raises(ConfigError, match="fps=0"):
        player(fps=0)
    with pytest.raises(ConfigError, match="no subject 'foot'; it has head, hand"):
        player(subject="foot")


def test_the_skull_is_symmetric() -> None:
    """Longitude l and −l are mirror images, so that left and right are equally hard."""
    left, right = on_skull(np.arange(0, 180, 15.0), -30.0), on_skull(-np.arange(0, 180, 15.0), -30.0)
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-12)
    assert (np.diff(SKIN, axis=0) > 0).all()


def test_the_shipped_embedder_recognizes_poses_in_takes_it_has_not_seen() -> None:
    """Two takes of six frames a pose teach it nine tenths of what the player does in two further sessions."""
    embedder = TFLiteEmbedder.load(default_model(), threads=1)
    features = FeatureMap()

    def film(source: SimulatedPlayer) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat(list(POSES), 6)
        rows = np.array([embedder.embed(settled(source, str(pose))) for pose in labels])
        source.new_session()
        return features(rows, embedder.embedding_shape), labels

    with player(1) as source:
        takes = [film(source) for _ in range(4)]
    taught, unseen = ([np.concatenate(part) for part in zip(*half, strict=True)] for half in (takes[:2], takes[2:]))
    assert RidgeClassifier(alpha=0.3).fit(*taught).score(*unseen) >= 0.9
