"""Words: the embedded speech base beside the published 18-word base, on real recordings left out of what was taught.

own speaker    five parts of each speaker's recordings, each asked of a head that the other four taught
other speaker  taught by one speaker, asked of all others
many speakers  twelve English words of ten speakers each, every recording left out by itself
listening      up, down, left and right of seven clips each and ten seconds of noise taught (three splits); asked: the
               other clips as streams, eight words that were not taught, and the other half of three long noises
in noise       Arabic and nine seconds of noise, own speaker, two parts of five; the asked recordings with noise of
               another place behind them, taught as they are and with `--augment` (noise of the other half of the
               files, gain, pace): named by one window, and reported by a listener at its threshold; false alarms in
               the hours of speech of proof_words_open.py
Heads are ridge with the base's own features, but for `tuned`: the base's dense layer trained too, `top` without that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pictures import DATA
from benchmarks.proof_words_open import heard, sources, streamed, windows_of
from benchmarks.record import anew, table
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import embed_views
from edge_tl.frames import Frame
from edge_tl.heads import make_head
from edge_tl.labels import NOISE
from edge_tl.listener import ListeningConfig, WindowScores, reported_words
from edge_tl.media.sound import Sound, pieces, read_sound
from edge_tl.recognizer import Recognizer
from edge_tl.words.alarms import heard_in
from edge_tl.words.augment import varied, with_noise

COMMANDS, OTHERS = ("up", "down", "left", "right"), ("yes", "no", "go", "stop", "one", "two", "on", "off")
THRESHOLDS = (0.5, 0.6, 0.75, 0.85, 0.95)
PARTS = 5
SPLITS = 3


class Spoken:
    """Recordings with labels and speakers, embedded once."""

    def __init__(self, files: Sequence[tuple[str, str, Path | Sound]], embedder: SoundEmbedder) -> None:
        self.embedder = embedder
        self.y = np.array([label for label, _, _ in files])
        self.speakers = np.array([speaker for _, speaker, _ in files])
        sounds = (one if isinstance(one, Sound) else read_sound(one) for _, _, one in files)
        self.X = np.stack([embed_views(embedder, sound) for sound in sounds])
        self.X = self.X.reshape(len(files), embedder.views, -1)

    def right(self, taught: np.ndarray, asked: np.ndarray, head: str = "ridge", **settings: Any) -> np.ndarray:
        """bool: which of the asked recordings are named rightly, the word in the middle of the window."""
        recognizer = Recognizer(self.embedder, head, reject=False)
        recognizer.settings = settings
        recognizer.head = recognizer.new_head()
        for row in taught:
            recognizer.add(self.X[row].reshape(-1), str(self.y[row]), take=int(row))
        recognizer.learn()
        named = [recognizer.recognize(self.X[row, self.embedder.views // 2]).label for row in asked]
        return np.array(named) == self.y[asked]

    def accuracy(self, taught: np.ndarray, asked: np.ndarray, head: str = "ridge", **settings: Any) -> float:
        """The share of the asked recordings that is named rightly."""
        return float(self.right(taught, asked, head, **settings).mean())


def arabic() -> list[tuple[str, str, Path]]:
    """Six words of six speakers: (label, speaker, file)."""
    return [(path.parent.name, path.name[:8], path) for path in sorted((DATA / "speech/arabic").rglob("*.wav"))]


def digits() -> list[tuple[str, str, Path]]:
    """Ten digits of three speakers."""
    return [(*path.name.split("_")[:2], path) for path in sorted((DATA / "speech/fsdd").glob("*.wav"))]  # type: ignore[misc]


def commands() -> list[tuple[str, str, Path]]:
    """Twelve words of many speakers."""
    return [(path.parent.name, path.name[:8], path) for path in sorted((DATA / "speech/commands").rglob("*.wav"))]


def own_speaker(of: Spoken, head: str = "ridge", **settings: Any) -> float:
    """The mean over speakers and parts."""
    scores = []
    for speaker in np.unique(of.speakers):
        rows = np.flatnonzero(of.speakers == speaker)
        part = np.random.default_rng(0).permutation(len(rows)) % PARTS
        for number in range(PARTS):
            scores.append(of.accuracy(rows[part != number], rows[part == number], head, **settings))
    return float(np.mean(scores))


def other_speaker(of: Spoken) -> float:
    """The mean over the speakers who teach."""
    every = np.arange(len(of.y))
    return float(
        np.mean([of.accuracy(every[of.speakers == one], every[of.speakers != one]) for one in np.unique(of.speakers)])
    )


def many_speakers(of: Spoken) -> float:
    """Every recording left out by itself: ridge's exact formula over the views of all others."""
    rows = of.embedder.features(of.X.reshape(len(of.y) * of.embedder.views, -1), of.embedder.embedding_shape)
    head = make_head("ridge").fit(
        rows, np.repeat(of.y, of.embedder.views), np.repeat(np.arange(len(of.y)), of.embedder.views)
    )
    middle = np.arange(len(of.y)) * of.embedder.views + of.embedder.views // 2
    named = head.classes_[head.loo_proba_[middle].argmax(axis=1)]  # type: ignore[attr-defined]
    return float(np.mean(named == of.y))


def in_noise(files: list[tuple[str, str, Path]], embedder: SoundEmbedder) -> dict[str, dict[str, Any]]:
    """By what was taught and what lies behind the asked words: how many are named and reported rightly, and alarms."""
    noises = [read_sound(path) for path in sorted((DATA / "speech/noise").glob("*.wav"))]
    middle = [len(one.samples) // 2 for one in noises]
    first = [Sound(one.samples[:at], one.rate_hz) for one, at in zip(noises, middle, strict=True)]
    second = [Sound(one.samples[at:], one.rate_hz) for one, at in zip(noises, middle, strict=True)]
    of = Spoken(files, embedder)
    sounds = [read_sound(path) for _, _, path in files]
    rng = np.random.default_rng(0)
    varieties = [[embed_views(embedder, one) for one in varied(sound, first, rng)] for sound in sounds]
    room = [piece for one in first for piece in pieces(Sound(one.samples[: 3 * one.rate_hz], one.rate_hz), 1.5)]
    asked = {"clean": of.X[:, embedder.views // 2]}
    streams = {"clean": [streamed(embedder, in_a_room(one)) for one in sounds]}
    for decibels in (10, 5, 0):
        behind = [second[int(rng.integers(len(second)))] for _ in sounds]
        noisy = [with_noise(sound, one, decibels, rng) for sound, one in zip(sounds, behind, strict=True)]
        asked[f"{decibels} dB"] = np.stack(
            [embed_views(embedder, one).reshape(of.X.shape[1:])[embedder.views // 2] for one in noisy]
        )
        streams[f"{decibels} dB"] = [
            streamed(embedder, with_noise(in_a_room(sound), one, decibels, rng))
            for sound, one in zip(sounds, behind, strict=True)
        ]
    right: dict[str, dict[str, list[list[bool]]]] = {
        name: {kind: [] for kind in asked} for name in ("plain", "augmented")
    }
    hop_s, config = embedder.hop_samples / embedder.rate_hz, ListeningConfig()
    others = [windows_of(embedder, paths) for paths in sources().values()]
    alarms: dict[str, list[float]] = {name: [] for name in right}
    for speaker in np.unique(of.speakers):
        rows = np.flatnonzero(of.speakers == speaker)
        part = np.random.default_rng(0).permutation(len(rows)) % PARTS
        for number in range(2):
            taught, held = rows[part != number], rows[part == number]
            for name, scores in right.items():
                recognizer = Recognizer(embedder)
                for row in taught:
                    recognizer.add(of.X[row].reshape(-1), str(of.y[row]), take=int(row))
                for count, piece in enumerate(room, len(of.y)):
                    recognizer.teach(piece, NOISE, count)
                many = [(one, of.y[row], row) for row in taught for one in varieties[row]]
                more = recognizer.vary(
                    np.stack([one for one, _, _ in many]), [y for _, y, _ in many], [row for _, _, row in many]
                )
                recognizer.learn(more=more if name == "augmented" else None)
                wrong = sum(
                    len(reported_words(heard(recognizer, one, hop_s), recognizer.classes, config)) for one in others
                )
                alarms[name].append(3600 * wrong / (hop_s * sum(map(len, others))))
                for kind, X in asked.items():
                    for row in held:
                        said = heard(recognizer, streams[kind][row], hop_s)
                        words = [label for label, _ in reported_words(said, recognizer.classes, config)]
                        named = recognizer.recognize(X[row]).best
                        scores[kind].append([named == of.y[row], words[:1] == [of.y[row]]])
    return {
        name: {
            "right": {kind: np.mean(each, axis=0).tolist() for kind, each in scores.items()},
            "alarms_per_hour": float(np.mean(alarms[name])),
        }
        for name, scores in right.items()
    }


def stream(sound: Sound) -> Iterator[Frame]:
    """A sound as frames of a second."""
    for first in range(0, len(sound.samples), sound.rate_hz):
        yield Frame(sound.samples[first : first + sound.rate_hz], first / sound.rate_hz, rate_hz=sound.rate_hz)


def in_a_room(sound: Sound) -> Sound:
    """A clip with a second of a quiet room before and after it, as a listener hears it."""
    room = np.random.default_rng(0).normal(0, 1e-3, sound.rate_hz).astype(np.float32)
    return Sound(np.concatenate((room, sound.samples, room)), sound.rate_hz)


def listening(embedder: SoundEmbedder) -> dict[str, Any]:
    """Each threshold: words told rightly, as another, unknown words told, alarms an hour of noise."""
    noises = [read_sound(path) for path in sorted((DATA / "speech/noise").glob("*.wav"))]
    clips = {word: sorted((DATA / "speech/commands" / word).glob("*.wav")) for word in (*COMMANDS, *OTHERS)}
    asked: list[tuple[tuple[str, ...], str, WindowScores]] = []
    for split in range(SPLITS):
        recognizer, take = Recognizer(embedder), 0
        for word in COMMANDS:
            for number, path in enumerate(clips[word]):
                if number % SPLITS != split:
                    take += 1
                    recognizer.teach(read_sound(path), word, take)
        for noise in noises:
            for piece in pieces(Sound(noise.samples[: 10 * noise.rate_hz // len(noises)], noise.rate_hz), 1.5):
                take += 1
                recognizer.teach(piece, NOISE, take)
        recognizer.learn()
        classes = recognizer.classes
        for word in (*COMMANDS, *OTHERS):
            for path in clips[word][split::SPLITS]:
                asked.append((classes, word, heard_in(recognizer, stream(in_a_room(read_sound(path))))))
        for noise in noises:
            rest = Sound(noise.samples[len(noise.samples) // 2 :], noise.rate_hz)
            asked.append((classes, NOISE, heard_in(recognizer, stream(rest))))
    return {str(threshold): counted(asked, threshold) for threshold in THRESHOLDS}


def counted(asked: list[tuple[tuple[str, ...], str, WindowScores]], threshold: float) -> dict[str, float]:
    """What one threshold does."""
    config = ListeningConfig(threshold)
    said = [
        (word, [label for label, _ in reported_words(windows, classes, config)], windows)
        for classes, word, windows in asked
    ]
    known = [(word, labels) for word, labels, _ in said if word in COMMANDS]
    unknown = [labels for word, labels, _ in said if word in OTHERS]
    noise = [(labels, float(np.ptp(windows.times_s))) for word, labels, windows in said if word == NOISE]
    return {
        "told": float(np.mean([labels[:1] == [word] for word, labels in known])),
        "as_another": float(np.mean([bool(labels) and labels[0] != word for word, labels in known])),
        "unknown_told": float(np.mean([bool(labels) for labels in unknown])),
        "alarms_per_hour": 3600 * sum(len(labels) for labels, _ in noise) / sum(seconds for _, seconds in noise),
    }


def window_ms(embedder: SoundEmbedder, seconds: float = 30.0) -> float:
    """Milliseconds of processor time a window of a stream, on this machine with one thread."""
    samples = np.random.default_rng(0).normal(0, 0.1, int(seconds * embedder.rate_hz)).astype(np.float32)
    stream_ = embedder.stream()
    begun_s = time.process_time()
    made = sum(len(stream_.push(block)) for block in np.array_split(samples, int(seconds * 10)))
    return 1000 * (time.process_time() - begun_s) / made


def measure(bases: dict[str, SoundEmbedder]) -> dict[str, Any]:
    """Every protocol with every base."""
    result: dict[str, Any] = {}
    for name, embedder in bases.items():
        speakers, numbers, words = (Spoken(files, embedder) for files in (arabic(), digits(), commands()))
        result[name] = {
            "own": {"arabic": own_speaker(speakers), "digits": own_speaker(numbers)},
            "other": {"arabic": other_speaker(speakers), "digits": other_speaker(numbers)},
            "many": many_speakers(words),
            "listening": listening(embedder),
            "in_noise": in_noise(arabic(), embedder),
            "window_ms": window_ms(embedder),
            "hop_ms": 1000 * embedder.hop_samples / embedder.rate_hz,
        }
        if hasattr(embedder, "upper"):
            result[name]["tuned"] = {
                "top": own_speaker(speakers, "tuned", epochs=(40, 0)),
                "both": own_speaker(speakers, "tuned"),
            }
    return result


def report(result: dict[str, Any]) -> str:
    """Accuracies, then what a listener tells."""
    rows: list[list[object]] = []
    listened_: list[list[object]] = []
    bases = {name: one for name, one in result.items() if name != "later"}
    for name, one in bases.items():
        own, other = one["own"], one["other"]
        pace = f"{one['window_ms']:.1f} of {one['hop_ms']:.0f}"
        rows.append([name, own["arabic"], own["digits"], other["arabic"], other["digits"], one["many"], pace])
        if "tuned" in one:
            rows.append([f"{name}, tuned: top only", one["tuned"]["top"], "", "", "", "", ""])
            rows.append([f"{name}, tuned: dense layer too", one["tuned"]["both"], "", "", "", "", ""])
        for threshold, what in one["listening"].items():
            shares = [f"{100 * what[key]:.0f} %" for key in ("told", "as_another", "unknown_told")]
            listened_.append([name, threshold, *shares, f"{what['alarms_per_hour']:.0f}"])
    names = ["base", "own speaker, Arabic", "digits", "other speaker, Arabic", "digits", "many speakers", "ms a window"]
    listened = ["base", "threshold", "words told", "as another", "unknown words told", "false alarms an hour of noise"]
    noisy = [
        [
            name,
            taught,
            *(f"{named:.1%} / {told:.1%}" for named, told in of["right"].values()),
            f"{of['alarms_per_hour']:.0f}",
        ]
        for name, one in bases.items()
        for taught, of in one["in_noise"].items()
    ]
    kinds = [f"{kind}: named / reported" for kind in next(iter(bases.values()))["in_noise"]["plain"]["right"]]
    kinds.append("false alarms an hour of speech")
    parts = (table(names, rows), table(["base", "taught", *kinds], noisy), table(listened, listened_), *anew(result))
    return "\n\n".join(parts)
