"""The console never asks a phone for a terminal: every sentence of the code, and every answer in every state."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import ROOT

from benchmarks.serving import Serving
from device.serve.phone_words import KEEPER, answer_on_phone, on_phone
from edge_tl.store.profile import Profile

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

TERMINAL = re.compile(
    r"edge-tl |`|\bpip\b|\bsudo\b|\bssh\b|\bls /|arecord|rpicam|(?<![\w-])--[a-z]"
    r"|\b(?:press|key) [a-z]\b|; [a-z] (?:forgets|deletes|begins)"
)
"""A command, an option, or a key of the terminal's screens."""


def sentences(path: Path) -> Iterator[str]:
    """The texts in a file but for docstrings, with a word in the place of what is filled in."""
    tree = ast.parse(path.read_text())
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    apart |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "42" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield node.value


def test_every_sentence_that_the_service_can_say_is_one_for_a_phone() -> None:
    """Whatever text stands in a file that the service loads, it asks for no terminal once it is said to a phone."""
    code = (
        "import pkgutil, sys, importlib, json, device.serve;"
        "[importlib.import_module(f'device.serve.{one.name}') for one in pkgutil.iter_modules(device.serve.__path__)];"
        "print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.startswith(('device.', 'edge_tl.'))]))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    files = [Path(one) for one in json.loads(told) if not one.endswith("phone_words.py")]
    typed = [text for path in files for text in sentences(path) if re.search(r"`edge-tl|edge-tl \w+ --", text)]
    assert len(typed) > 20
    said = {text: on_phone(text) for path in files for text in sentences(path) if len(text.split()) > 2}
    assert {text: one for text, one in said.items() if TERMINAL.search(one)} == {}


def test_no_page_asks_for_a_terminal() -> None:
    """The console's own files neither: what a person reads there can be done with a finger."""
    for path in (ROOT / "device" / "serve" / "console").iterdir():
        text = path.read_text() if path.suffix == ".html" else "".join(re.findall(r'"[^"]*"', path.read_text()))
        found = re.findall(r"edge-tl [a-z]+|\bsudo\b|\bpip\b|\bssh\b|\bls /|arecord|rpicam|press [a-z]\b", text)
        assert not found, path.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "nothing was recorded yet: run `edge-tl teach`, or `edge-tl examples import FOLDER`",
            "nothing was recorded yet: hold the button of a class first, or give it files",
        ),
        ("up has 1; wanted 2 or more a class: record more, or train with --force", None),
        ("PortAudio is missing: sudo apt install libportaudio2", f"PortAudio is missing: {KEEPER}"),
        ("[web] needs it: .venv/bin/python -m pip install -e '.[web]'", f"[web] needs it: {KEEPER}"),
        ("hands: is not there yet; get it with `edge-tl model get hands`", None),
        ("recorded; hold left next", "recorded; hold left next"),
        ("there is no label '--x'; those there are: up", "there is no label '--x'; those there are: up"),
    ],
)
def test_a_hint_becomes_what_a_phone_can_do(text: str, said: str | None) -> None:
    """The cause stays, the command goes; a sentence without one stays as it is."""
    made = on_phone(text)
    assert made == said or said is None
    assert not TERMINAL.search(made.replace("'--x'", ""))
    assert made.split(":")[0].split(";")[0] == text.split(":")[0].split(";")[0]


def test_names_stay_as_they_are() -> None:
    """A class that is called like a command keeps its name; only what is known to be a sentence is said anew."""
    given = {"label": "`edge-tl train`", "counts": {"edge-tl x": [1, 2]}, "error": "no: run `edge-tl train`"}
    assert answer_on_phone(given) == given | {"error": "no: press Train"}


# -- every answer, in every state ------------------------------------------------------------------------------------

READ = ("takes", "examples", "generations", "examples/1.jpg", "examples/1.wav", "picture.jpg", "model.tflite")
ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("record", {"label": ""}),
    ("record", {"label": "up"}),
    ("release", {}),
    ("end-take", {}),
    ("forget", {"ids": [10**9]}),
    ("forget-take", {"take": 10**9}),
    ("forget-label", {"label": "nobody"}),
    ("rename", {"label": "nobody", "to": "x"}),
    ("look", {"way": "hand"}),
    ("look", {"way": "box"}),
    ("look", {"way": "elsewhere"}),
    ("look", {"way": "frame"}),
    ("stop-look", {}),
    ("tune", {"on": 2}),
    ("train", {"head": "tuned"}),
    ("train", {"head": "none"}),
    ("train", {"head": "softmax"}),
    ("train", {}),
    ("roll-back", {}),
    ("roll-back", {}),
    ("undo", {}),
    ("explode", {}),
]


def walked(value: Any) -> Iterator[str]:
    """Every text in an answer."""
    if isinstance(value, dict):
        for part in value.values():
            yield from walked(part)
    elif isinstance(value, list):
        for part in value:
            yield from walked(part)
    elif isinstance(value, str):
        yield value


def heard(serving: Serving) -> set[str]:
    """Every text that the API answers in this state, to anybody, of every pipeline."""
    answers = [serving.ask(path) for path in ("/health", "/api/state", "/api/events/recent", "/api/pipelines/no/takes")]
    names = list(answers[0][1]["pipelines"])
    for name in names:
        here = f"/api/pipelines/{name}"
        answers += [serving.ask(f"{here}/{path}") for path in READ]
        answers += [serving.ask(f"{here}/{action}", body) for action, body in ACTIONS]
        answers += [serving.give(f"{here}/{kind}", b"junk", label="up", file="a.jpg") for kind in ("upload", "ask")]
    answers += [serving.ask(path) for path in ("/health", "/api/state")]
    texts = {text for _, answer in answers if isinstance(answer, dict | list) for text in walked(answer)}
    assert {text for text in texts if TERMINAL.search(text)} == set()
    return texts


def test_no_answer_asks_for_a_terminal_while_something_is_taught(tmp_path: Path) -> None:
    """From nothing over one class without examples, and with them, to two that are trained; cameras and models away."""
    more = (
        '[pipelines.signs]\ncamera = "sim"\nlook = "frame"\n'
        '[pipelines.away]\ncamera = "usb:97"\nprofile = "away"\n'
        '[pipelines.hands]\ncamera = "sim"\nprofile = "hands"\nlook = "hand"\n'
    )
    with Serving(tmp_path, more) as serving:
        serving.start()
        told = heard(serving)
        assert any("hold the button of a class first" in text for text in told)
        serving.act("label", label="up")
        heard(serving)
        serving.teach("up", 3)
        heard(serving)
        serving.act("label", label="down")
        heard(serving)
        serving.teach("down", 3)
        serving.teach("up", 3)
        heard(serving)
        assert serving.state()["signs"]["generation"]


def test_no_answer_asks_for_a_terminal_where_something_is_broken(tmp_path: Path) -> None:
    """Another model's examples, a damaged database, a damaged generation: said without a command."""
    profiles = tmp_path / "state" / "profiles"
    with Profile(profiles / "other", writable=True) as profile:
        take = profile.store.new_take("up", "made")
        profile.store.add(take, None, np.zeros(4, np.float32), "0" * 64)
    with Profile(profiles / "broken", writable=True) as profile:
        profile.store.add_label("up")
        database = Path(profile.store.path)
    database.write_bytes(b"SQLite format 3\0" + bytes(5000))
    more = "".join(f'[pipelines.{name}]\ncamera = "sim"\nprofile = "{name}"\n' for name in ("other", "broken"))
    with Serving(tmp_path, more) as serving:
        serving.start()
        told = heard(serving)
        assert any(KEEPER in text for text in told)


def test_no_answer_asks_for_a_terminal_of_words(tmp_path: Path) -> None:
    """A microphone that is away, without anything taught."""
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")
    with Serving(tmp_path, f'[pipelines.words]\nmic = "{tmp_path}/none.wav"\nprofile = "words"\n') as serving:
        serving.start()
        heard(serving)
        serving.act("label", pipeline="words", label="yes")
        heard(serving)
