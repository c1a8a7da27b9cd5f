"""Draws docs/console.png: the web console of a service that was taught words, by their spelling, and signs.

Run from the checkout where Chromium, espeak-ng and the extra `speech` are, after `edge-tl model get face`:
python tools/picture_console.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "parts")]

from browser import Browser  # noqa: E402
from service_parts import command  # noqa: E402

from benchmarks.serving import Serving  # noqa: E402
from edge_tl.labels import NOISE  # noqa: E402

WORDS = ("hello kitchen", "lights out", "good morning")
SIGNS = ("up", "neutral", "down", "right", "left")
EXAMPLES, TAKES = 10, 5
SIZE_PX = (980, 1840)
COLOURS = 48
SILENCE_S, NOISE_S = 1.5, 25.0
"""Between the words, and before them, while what is not a word is recorded."""


def main() -> None:
    """Teach, train, and take the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = spoken(folder)
        more = (
            f'[pipelines.words]\nmic = "{sound}"\nprofile = "words"\n'
            '[pipelines.signs]\ncamera = "sim"\nlook = "face"\n[web]\nport = 0\n'
        )
        with Serving(folder / "service", more) as serving:
            command_must(
                "examples", "type", *WORDS, "--profile", "words", "--data-dir", str(serving.data), folder=folder
            )
            serving.start()
            serving.act("record", "words", label=NOISE)
            for _ in range(TAKES):
                for label in SIGNS:
                    serving.teach(label, EXAMPLES)
            serving.teach("left", EXAMPLES)
            with Browser(folder / "chromium", *SIZE_PX) as browser:
                browser.open(serving.address)
                browser.until("document.body.innerText.includes('hello kitchen')")
                for number in range(2):
                    trains = "[...document.querySelectorAll('button.train')]"
                    browser.do(f"{trains}[{number}].click()")
                    shown = f"document.body.innerText.split('held-out takes').length > {number + 1}"
                    browser.until(f"{shown} && !{trains}[{number}].disabled")
                browser.until("/\\blive\\b/.test(document.body.innerText)")
                browser.do("scrollTo(0, 0)")
                browser.screenshot(folder / "whole.png")
            with Image.open(folder / "whole.png") as whole:
                # Few colours, and no more than the results: a picture of a README is small.
                top = whole.convert("RGB").crop((0, 0, *SIZE_PX)).quantize(COLOURS, dither=Image.Dither.NONE)
            top.save(ROOT / "docs" / "console.png", optimize=True)


def command_must(*words: str, folder: Path) -> None:
    """`edge-tl`, which must succeed."""
    done = command(*words, folder=folder)
    if done.returncode:
        raise SystemExit(done.stderr)


def spoken(folder: Path) -> Path:
    """A recording of the words, with a little noise between them, 16 kHz."""
    parts: list[np.ndarray] = []
    rng = np.random.default_rng(0)
    for number, word in enumerate(WORDS):
        path = folder / f"{number}.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-w", str(path), word], check=True)
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        parts += [samples.astype(float), np.zeros(round(SILENCE_S * rate))]
    together = np.concatenate([np.zeros(round(NOISE_S * rate)), *parts])
    together += 40 * rng.standard_normal(len(together))
    path = folder / "spoken.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(together.clip(-32768, 32767).astype("<i2").tobytes())
    return path


if __name__ == "__main__":
    main()
