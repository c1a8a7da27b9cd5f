"""The demo's voice: words of espeak-ng are taught, and named at another pace and by voices that taught nothing."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from device.cli.output import Progress
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.errors import EdgeTLError, counted, to_install
from edge_tl.labels import NOISE
from edge_tl.media.sound import Sound, pieces, read_sound
from edge_tl.recognizer import Recognizer

WORDS = ("up", "down", "left", "right")
TEACHERS = ("en-us", "en-gb", "en-us+f2", "en-gb+m3")
STRANGERS = ("en-gb-scotland", "en-029+f4")
"""They speak with other accents than the teachers."""
TAUGHT, ASKED = (140, 175), (125, 157)
"""Words a minute."""
ROOM_S, ROOM_LEVEL = 10.0, 0.002
"""A quiet room, -54 dB: what is recorded of the background."""


def speak(
    folder: Path, voices: Sequence[str], speeds: Sequence[int], tell: Callable[[str], None]
) -> list[tuple[str, Sound]]:
    """(word, sound) of each word by each voice at each speed; OSError where espeak-ng cannot be run.

    `tell` is called with each word.
    """
    made = []
    path = folder / "word.wav"
    for word in WORDS:
        for voice in voices:
            for speed in speeds:
                manner = ["-v", voice, "-s", str(speed), "-w", str(path)]
                subprocess.run(["espeak-ng", *manner, word], check=True, capture_output=True)
                made.append((word, read_sound(path)))
                tell(word)
    return made


def voice_demo(threads: int | None, seed: int) -> dict[str, Any]:
    """Teach words by some voices, then ask others; what came of it, or under "missing" why there is no voice."""
    if shutil.which("espeak-ng") is None:
        return {"missing": f"espeak-ng is not installed: `sudo apt install espeak-ng`, and `{to_install('[speech]')}`"}
    voices = len(WORDS) * (len(TEACHERS) * (len(TAUGHT) + len(ASKED)) + len(STRANGERS) * len(ASKED))
    done = itertools.count(1)
    with Progress("the voice, spoken and heard", 2 * voices) as progress:

        def tell(word: str) -> None:
            progress(next(done), word)

        try:
            recognizer = Recognizer(SpeechEmbedder.load(threads))
            with tempfile.TemporaryDirectory(prefix="edge-tl-demo-") as folder:
                taught = speak(Path(folder), TEACHERS, TAUGHT, tell)
                again = speak(Path(folder), TEACHERS, ASKED, tell)
                others = speak(Path(folder), STRANGERS, ASKED, tell)
        except (EdgeTLError, OSError, subprocess.CalledProcessError) as error:
            return {"missing": str(error).splitlines()[0]}
        rate_hz = taught[0][1].rate_hz
        room = np.random.default_rng(seed).normal(0, ROOM_LEVEL, round(ROOM_S * rate_hz)).astype(np.float32)
        noise = [(NOISE, part) for part in pieces(Sound(room, rate_hz))]
        for take, (word, sound) in enumerate(taught + noise):
            recognizer.teach(sound, word, take)
            if take < len(taught):
                tell(word)
        learned = recognizer.learn()
        return {
            "recordings": len(taught + noise),
            "train_ms": round(learned.train_ms, 1),
            "same_voices": _named(recognizer, again, tell),
            "other_voices": _named(recognizer, others, tell),
        }


def _named(recognizer: Recognizer, asked: list[tuple[str, Sound]], tell: Callable[[str], None]) -> list[int]:
    """How many are named rightly, of how many."""
    right = 0
    for word, sound in asked:
        right += recognizer.observe(sound).best == word
        tell(word)
    return [right, len(asked)]


def voice_lines(result: dict[str, Any]) -> list[str]:
    """What a person reads."""
    if "missing" in result:
        return [f"no voice: {result['missing']}"]
    same, others = result["same_voices"], result["other_voices"]
    return [
        f"voice: taught {', '.join(WORDS)} and the room by {counted(result['recordings'], 'recording')} of "
        f"{counted(len(TEACHERS), 'voice')} "
        f"of espeak-ng; trained in {result['train_ms']:.0f} ms",
        f"at another pace {same[0]} of {counted(same[1], 'word')} are named, of "
        f"{counted(len(STRANGERS), 'other voice')} {others[0]} "
        f"of {others[1]}; `edge-tl teach --mic` teaches yours",
    ]
