"""`edge-tl demo --movements`: the simulated hand teaches its movements, and plays by swipes that are seen alone."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import sleep
from typing import Any

import numpy as np

from device.assembly import Context, clock
from device.cli.model_places import has_models
from device.cli.output import Progress
from device.commands.options import first_given
from device.pacman.game import Game, State
from device.pacman.maze import pick_maze
from device.pacman.pilot import SWIPED_AHEAD_CELLS, Pilot
from device.pacman.round import Round
from device.pacman.swiper import Swiper
from device.screens.play import PlayScreen
from device.screens.terminal import Terminal
from device.sources.choose import MOVING, parse_camera
from device.teach.steering import steering
from device.teach.training import ASKED_FOR
from edge_tl.core.answers import TrainingResult
from edge_tl.embedders.embedder import Tracker
from edge_tl.embedders.look.choices import MOVEMENT, NEEDS
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.known_hand import KnownHand
from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.errors import ConfigError, counted
from edge_tl.heads.movement import MovementHead
from edge_tl.judge.evaluation import Evaluation
from edge_tl.labels import ORDINARY
from edge_tl.line.movement import MovementLine
from edge_tl.movements.demonstration import movement_in, ordinary_pieces
from edge_tl.movements.track import Track, longest, tracks_of
from edge_tl.movements.windows import POINTS
from edge_tl.recognizer import Recognizer
from edge_tl.sources.moving_hand import MOVEMENTS, MovingHand

FPS = 20.0
"""Of the demonstrations: what a camera and the tracker give on a small machine."""
BEFORE_S, AFTER_S = 0.6, 0.3
"""The hand rests so long before a demonstration, and so long after it whoever teaches presses stop."""
ABOUT_S = 60.0
"""A minute of moving about."""
ASIDE_S = 0.5
"""A movement that is told is the one that was performed where both end at most so far apart."""


@dataclass
class MovementGame:
    """What was performed while the game was played, and what was told."""

    round: Round
    line: MovementLine
    score: int = 0
    pellets: int = 0
    performed: list[tuple[str, float]] = field(default_factory=list)
    """Each movement, and when it ended, on the clock of the frames."""
    last_s: float = 0.0
    """When the newest frame was taken."""

    def outcomes(self) -> dict[str, int]:
        """How many movements were told rightly, as another, or not, and how often one was told that was none.

        What ended less than a second before the game did is left out: it could not be told yet.
        """
        told = list(self.line.reported)
        right = other = missed = 0
        for label, end_s in self.performed:
            aside, at = min(((abs(one.end_s - end_s), at) for at, one in enumerate(told)), default=(ASIDE_S + 1, 0))
            if aside > ASIDE_S:
                missed += end_s < self.last_s - 1
                continue
            named = told.pop(at).label
            right += named == label
            other += named != label
        return {"right": right, "other": other, "missed": missed, "false": len(told)}


def asked_for(arguments: Namespace) -> bool:
    """Whether the demo is one of movements; ConfigError where what is said beside it goes with pictures."""
    choice = parse_camera("auto" if arguments.no_camera else arguments.camera)
    if not arguments.movements:
        return choice.subject == MOVING
    if (given := first_given(arguments, "look", "box", "hands", "head", "model", "sessions")) is not None:
        raise ConfigError(f"demo --movements is about tracks of a hand: leave {given} out")
    if arguments.rotate:
        raise ConfigError("demo --movements draws its hand upright: leave --rotate out")
    if choice.kind not in ("auto", "sim") or choice.subject not in (None, MOVING):
        raise ConfigError("demo --movements teaches itself from the simulated hand: leave --camera out")
    return True


def demo(arguments: Namespace, context: Context, term: Terminal | None) -> dict[str, Any]:
    """Teach, train, judge and play; what was measured, JSON-able."""
    found = has_models(context.data_dir, NEEDS["hand"])
    recognizer = Recognizer(MovementEmbedder(), MovementHead.name)
    with MovingHand(arguments.seed, clock, fps=FPS, drawn=found) as teacher:
        hands = context.load_hands() if found else KnownHand(teacher, arguments.seed)
        teaching = DemoLesson(teacher, hands, recognizer)
        with Progress("recording demonstrations", len(MOVEMENTS) * ASKED_FOR + 1) as progress:
            teaching.all(progress)
    with Progress("testing held-out demonstrations") as progress:
        learned = recognizer.learn()
        evaluation = recognizer.evaluate(progress.of)
    played = play(recognizer, hands if found else None, term, seed=arguments.seed, seconds=arguments.seconds)
    return summary(teaching, recognizer, learned, evaluation, played, found)


class DemoLesson:
    """The lesson: each movement some times, each time in another light, and then a minute of nothing."""

    def __init__(self, teacher: MovingHand, hands: Tracker[Hand], recognizer: Recognizer) -> None:
        self.teacher, self.hands, self.recognizer = teacher, hands, recognizer
        self.pictures = self.missed = 0
        """How many were looked at, and in how many no hand was found."""
        self.take = 0

    def all(self, progress: Progress) -> None:
        """Everything."""
        for label in MOVEMENTS:
            for _ in range(ASKED_FOR):
                self._teach(label, [movement_in(self._demonstration(label))])
                progress.step()
        self.teacher.new_session()
        self.teacher.about()
        self.hands.lose()
        frames = [self._frame() for _ in range(round(ABOUT_S * FPS))]
        for track in tracks(frames):
            self._teach(ORDINARY, ordinary_pieces(track))
        progress.step()

    def _teach(self, label: str, parts: list[Track]) -> None:
        embedder = self.recognizer.embedder
        assert isinstance(embedder, MovementEmbedder)
        for part in parts:
            self.recognizer.add(embedder.taught(part, label), label, self.take)
        self.take += 1

    def _demonstration(self, label: str) -> Track:
        """What is seen of a movement from before it begins until the person presses stop."""
        self.teacher.new_session()
        self.hands.lose()
        frames = [self._frame() for _ in range(round(BEFORE_S * FPS))]
        self.teacher.perform(label)
        begun, after = False, 0
        while after < AFTER_S * FPS:
            frames.append(self._frame())
            begun = begun or frames[-1].truth == label
            after += begun and frames[-1].truth != label
        return longest(tracks(frames))

    def _frame(self) -> TrackedFrame:
        frame = self.teacher.read()
        hand = self.hands.follow(frame.data)
        self.pictures += 1
        self.missed += hand is None
        return TrackedFrame(frame.time_s, np.zeros((POINTS, 2)) if hand is None else hand.points[:, :2], frame.truth)


@dataclass(frozen=True)
class TrackedFrame:
    """A frame in which a hand was looked for."""

    time_s: float
    points: np.ndarray
    """Zeros where none was found."""
    truth: str | None


def tracks(frames: list[TrackedFrame]) -> list[Track]:
    """The tracks of the hand in these frames."""
    return tracks_of(np.array([one.points for one in frames]), np.array([one.time_s for one in frames]))


def play(
    recognizer: Recognizer, hands: Tracker[Hand] | None, term: Terminal | None, *, seed: int, seconds: float
) -> MovementGame:
    """Play for so long: the pilot wants a turn, the hand swipes, and only the movements that are told steer.

    hands: None where the hand's joints are told and not found.
    """
    with ExitStack() as stack:
        hand = stack.enter_context(MovingHand(seed, clock, paced=True, sleep=sleep))
        hand.new_session()
        game = Game(pick_maze(*(term.size if term else (24, 80))), seed=seed)
        line = MovementLine(hand, recognizer, clock, hands or KnownHand(hand, seed))
        ways = steering(recognizer.classes)
        round_ = Round(game, line, ways, clock, sleep)
        swipe = Swiper(Pilot(game, SWIPED_AHEAD_CELLS), hand, ways)
        played = MovementGame(round_, line)
        doing: str | None = None

        def follow() -> None:
            nonlocal doing
            if game.state is State.LOST:
                played.score, played.pellets = played.score + game.score, played.pellets + game.pellets_eaten
                game.reset()
            if line.sight is not None and line.sight.frame.time_s != played.last_s:
                frame = line.sight.frame
                if doing not in (None, ORDINARY, frame.truth):
                    played.performed.append((doing, frame.time_s))
                doing, played.last_s = frame.truth, frame.time_s
            swipe()

        until_s = clock() + seconds
        if term is not None:
            stack.enter_context(term)
            PlayScreen(term, round_, clock, pilot=follow).run(until_s)
        else:
            while clock() < until_s:
                follow()
                round_.step()
        played.score, played.pellets = played.score + game.score, played.pellets + game.pellets_eaten
    return played


def summary(
    teaching: DemoLesson,
    recognizer: Recognizer,
    learned: TrainingResult,
    evaluation: Evaluation,
    played: MovementGame,
    found: bool,
) -> dict[str, Any]:
    """What `--json` prints."""
    latencies = list(played.round.latencies_ms)
    p50, p95 = np.round(np.percentile(latencies, [50, 95]), 2).tolist() if latencies else (None, None)
    assert isinstance(recognizer.head, MovementHead)
    return {
        "source": teaching.teacher.name,
        "hand": "found" if found else "told",
        "pictures": teaching.pictures,
        "hand_missed": teaching.missed if found else None,
        "look": MOVEMENT,
        "head": learned.head,
        "classes": list(learned.classes),
        "demonstrations_each": ASKED_FOR,
        "nothing_s": ABOUT_S,
        "train_ms": round(learned.train_ms, 3),
        "threshold": round(recognizer.head.threshold_, 4),
        "accuracy": round(evaluation.accuracy, 4),
        "accuracy_interval95": [round(bound, 4) for bound in evaluation.interval95],
        "method": evaluation.method,
        "fps": round(played.line.fps, 2),
        "movements": played.outcomes(),
        "unsure": len(played.line.doubts),
        "latency_ms_p50": p50,
        "latency_ms_p95": p95,
        "score": played.score,
        "pellets_eaten": played.pellets,
    }


def text(result: dict[str, Any]) -> list[str]:
    """What a person reads."""
    if result["hand"] == "found":
        where = f"{result['source']}, found in {1 - result['hand_missed'] / result['pictures']:.1%} of its pictures"
    else:
        where = (
            f"{result['source']}: its joints come from the simulation, because the models for hands are not installed "
            "(`edge-tl model get hands`)"
        )
    movements = [label for label in result["classes"] if label != ORDINARY]
    of = result["movements"]
    done = of["right"] + of["other"] + of["missed"]
    low, high = result["accuracy_interval95"]
    lines = [
        f"{where}; {result['head']} head",
        f"recorded {counted(result['demonstrations_each'], 'demonstration')} each of {', '.join(movements)}, and "
        f"{result['nothing_s']:.0f} s of ordinary motion; trained in {result['train_ms']:.0f} ms",
        f"accuracy on held-out demonstrations and ordinary motion: {result['accuracy']:.1%} (95 % interval "
        f"{low:.1%} to {high:.1%}), by {result['method']}",
        f"played Pac-Man at half speed by recognized swipes: {counted(result['score'], 'point')}, "
        f"{counted(result['pellets_eaten'], 'pellet')}, {result['fps']:.0f} frames/s",
    ]
    if not done:
        return [*lines, "not one movement was performed: play for longer with --seconds"]
    lines.append(
        f"of {counted(done, 'movement')} performed in the game {of['right']} were recognized correctly, "
        f"{of['other']} as another, {of['missed']} not; {counted(of['false'], 'false alarm')}; threshold "
        f"{result['threshold']:.2f}"
    )
    if result["latency_ms_p50"] is not None:
        lines.append(
            f"a movement steers {result['latency_ms_p50']:.0f} ms after its end (95 % within "
            f"{result['latency_ms_p95']:.0f})"
        )
    return lines
