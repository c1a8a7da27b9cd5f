"""Programs that speak: espeak-ng, flite, festival and piper, each run in a child process that may take so long.

The text comes to them in a file, never as an argument, and through no shell; `edge_tl/words/typing.py` says what it may
hold.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_tl.errors import ConfigError, ExampleError, to_install
from edge_tl.media.sound import Sound, read_sound
from edge_tl.words.augment import at_pace
from edge_tl.words.typing import language_of

LONGEST_S = 20.0
"""That a program may take for one word."""
ESPEAK_TAKES = 48
"""By how many ways of espeak-ng a word is spoken."""
PACES = (0.75, 0.9, 1.0, 1.15)
"""How much longer than usual the others speak."""
SHIFTS = (0.86, 1.0, 1.16)
"""How much longer again, the pitch with it, as with another speaker: chosen for .98 told at half an alarm an hour, not
.92 without it; reported .90 and .89 (flite, `prove words_typed`)."""
TELEPHONE = {"kal", "awb_time"}
"""Of flite: a voice of 8 kHz, and one that only tells the time."""
VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5")
"""Of espeak-ng's voices: men and women, none of its jests."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")
_NAME = re.compile(r"[\w.-]+")
_WORD, _SPOKEN = "word.txt", "word.wav"
_VOICES = "voices: "


@dataclass(frozen=True, slots=True)
class Manner:
    """One way in which one program speaks."""

    engine: str
    voice: str
    pace: float = 1.0
    """How much longer than usual a word gets."""
    pitch: int = 50
    """0 to 99, of programs that have one."""
    shift: float = 1.0
    """How much longer again it is played, and lower."""

    def __str__(self) -> str:
        return f"{self.engine} {self.voice} {self.pace:g}/{self.pitch}/{self.shift:g}"


def each_way(engine: str, voices: Sequence[str]) -> list[Manner]:
    """Voices at every pace and shift."""
    return [Manner(engine, voice, pace, shift=shift) for voice in voices for pace in PACES for shift in SHIFTS]


class Engine(ABC):
    """A program that speaks."""

    name: str
    """As Debian's package and its command are called."""

    @property
    def installed(self) -> bool:
        """Whether its command is found."""
        return shutil.which(self.name) is not None

    @abstractmethod
    def manners(self, language: str) -> list[Manner]:
        """The ways in which it speaks a language; none where it does not."""

    def silent(self, language: str) -> str:
        """Why it has no manner of a language, and what to do."""
        return f"{self.name} does not speak {language!r}: `espeak-ng --voices` lists what it speaks"

    @abstractmethod
    def command(self, manner: Manner) -> list[str]:
        """What speaks `word.txt` into `word.wav`, both in the folder it is run in."""


class Espeak(Engine):
    """espeak-ng: a hundred languages, by rules."""

    name = "espeak-ng"

    def manners(self, language: str) -> list[Manner]:
        """Its accents of the language, each with variants, speeds and pitches, `ESPEAK_TAKES` in all."""
        accents = [voice for voice, file in _listed(language) if not file.startswith(("mb/", "!v/"))]
        variants = [one for one in VARIANTS if f"!v/{one}" in {file for _, file in _listed("variant")}]
        if not accents:
            return []
        rng = np.random.default_rng(0)
        made = []
        for number in range(ESPEAK_TAKES):
            accent = accents[number % len(accents)]
            variant = variants[int(rng.integers(len(variants)))] if variants else ""
            pace, pitch = float(rng.uniform(0.85, 1.45)), int(rng.integers(25, 81))
            made.append(Manner(self.name, f"{accent}+{variant}" if variant else accent, round(pace, 2), pitch))
        return list(dict.fromkeys(made))

    def command(self, manner: Manner) -> list[str]:
        """At 175 words a minute where the pace is 1; no markup is read without -m."""
        speed = str(round(175 / manner.pace))
        return [self.name, "-v", manner.voice, "-s", speed, "-p", str(manner.pitch), "-f", _WORD, "-w", _SPOKEN]


class Flite(Engine):
    """flite: English, five recorded voices."""

    name = "flite"

    def manners(self, language: str) -> list[Manner]:
        """Its voices at several paces."""
        if language.partition("-")[0] != "en":
            return []
        said = _output([self.name, "-lv"]).partition(":")[2]
        return each_way(self.name, [one for one in said.split() if _NAME.fullmatch(one) and one not in TELEPHONE])

    def command(self, manner: Manner) -> list[str]:
        """As its manual says."""
        stretch = f"duration_stretch={manner.pace:g}"
        return [self.name, "-voice", manner.voice, "--setf", stretch, "-f", _WORD, "-o", _SPOKEN]


class Festival(Engine):
    """festival: English voices that are installed."""

    name = "festival"

    def manners(self, language: str) -> list[Manner]:
        """Its voices at several paces."""
        if language.partition("-")[0] != "en":
            return []
        said = _output([self.name, "-b", f'(format t "{_VOICES}%l\\n" (voice.list))']).partition(_VOICES)[2]
        return each_way(self.name, [one for one in re.findall(r"[\w-]+", said) if one != "nil"])

    def silent(self, language: str) -> str:
        """Debian's festival comes without a voice, and then writes a page about it where its voices were asked for."""
        if language.partition("-")[0] != "en":
            return super().silent(language)
        return "festival has no voice: `sudo apt install festvox-kallpc16k`"

    def command(self, manner: Manner) -> list[str]:
        """The script that comes with it."""
        how = f"(begin (voice_{manner.voice}) (Parameter.set 'Duration_Stretch {manner.pace:g}))"
        return ["text2wave", "-eval", how, "-o", _SPOKEN, _WORD]


class Piper(Engine):
    """piper with one voice that is a file; which language it speaks its owner knows."""

    name = "piper"

    def __init__(self, voice: Path) -> None:
        """voice: an .onnx file, its .onnx.json beside it; ConfigError where it is not there."""
        if not voice.is_file() or voice.suffix != ".onnx":
            raise ConfigError(f"--piper {voice}: is no voice: a file NAME.onnx is wanted, NAME.onnx.json beside it")
        self.voice = voice.absolute()

    def manners(self, language: str) -> list[Manner]:
        """Its voice at several paces."""
        return each_way(self.name, [self.voice.stem])

    def command(self, manner: Manner) -> list[str]:
        """As piper 1.3 takes it."""
        how = ["--length-scale", f"{manner.pace:g}"]
        return [self.name, "-m", str(self.voice), *how, "-i", _WORD, "-f", _SPOKEN]


ENGINES: tuple[Engine, ...] = (Flite(), Festival(), Espeak())
"""The first that speaks a language is taken: so it was chosen, and what that is worth stands in benchmarks/README.md,
"Words that are typed"."""


def speaking(language: str, names: Sequence[str] = (), piper: Path | None = None) -> list[tuple[Engine, list[Manner]]]:
    """Who speaks a language, and how: the engines of these names, or the best that is installed; with a voice piper.

    ConfigError where none does: it names the package that does.
    """
    found: list[tuple[Engine, list[Manner]]] = []
    if piper is not None:
        voice = Piper(piper)
        if not voice.installed:
            raise ConfigError(f"--piper: piper is not installed: `{to_install('piper-tts')}`")
        found.append((voice, voice.manners(language)))
    asked = [engine for engine in ENGINES if engine.name in names] if names else ENGINES
    for engine in asked if names or piper is None else ():
        if not engine.installed:
            if names:
                raise ConfigError(f"{engine.name} is not installed: `sudo apt install {engine.name}`")
            continue
        manners = engine.manners(language)
        if manners:
            found.append((engine, manners))
            if not names:
                break
        elif names:
            raise ConfigError(engine.silent(language))
    if not found:
        raise ConfigError(_nobody(language))
    return found


def _nobody(language: str) -> str:
    """Why nobody speaks a language."""
    if ENGINES[-1].installed:
        return ENGINES[-1].silent(language)
    package = ENGINES[0].name if language.partition("-")[0] == "en" else ENGINES[-1].name
    return f"no program that speaks {language!r} is installed: `sudo apt install {package}`"


def check_language(language: str) -> str:
    """A language as `en`, `en-gb`, `ar`; ConfigError for what is no name of one."""
    if not _LANGUAGE.fullmatch(language.lower()):
        raise ConfigError(f"--language {language[:20]!a}: one like en, en-gb, ar, cmn is wanted")
    return language.lower()


def asked_language(named: str | None, texts: Sequence[str]) -> str:
    """The language that was named, else English for Latin letters; ConfigError for letters of which nobody says it."""
    if named is not None:
        return check_language(named)
    for text in texts:
        if language_of(text) is None:
            raise ConfigError(f"{text!r}: say which language it is, e.g. --language ar")
    return "en"


def spoken(engine: Engine, manner: Manner, text: str) -> Sound:
    """What a program says; ExampleError in one line where it fails, takes too long or says nothing."""
    with tempfile.TemporaryDirectory(prefix="edge-tl-typed-") as folder:
        (Path(folder) / _WORD).write_text(text + "\n", encoding="utf-8")
        _run(engine.command(manner), Path(folder))
        try:
            sound = read_sound(Path(folder) / _SPOKEN, manner.engine)
        except (ExampleError, OSError) as error:
            raise ExampleError(f"{manner} made no sound of {text!a} ({error})") from error
    return sound if manner.shift == 1 else at_pace(sound, manner.shift)


def _listed(language: str) -> list[tuple[str, str]]:
    """(name, file) of espeak-ng's voices of a language."""
    rows = [line.split() for line in _output(["espeak-ng", f"--voices={language}"]).splitlines()[1:]]
    return [(row[1], row[4]) for row in rows if len(row) > 4]


def _output(command: Sequence[str]) -> str:
    return _run(command, None).decode("utf-8", "replace")


def _run(command: Sequence[str], folder: Path | None) -> bytes:
    """What a command prints; ExampleError, one line, where it fails or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ExampleError(f"{command[0]} took more than {LONGEST_S:g} s, and was ended") from None
    except OSError as error:
        raise ExampleError(f"{command[0]} cannot be run ({error.strerror})") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise ExampleError(f"{command[0]} failed ({said[-1][:120]})")
    return done.stdout
