"""Words in the service: told as events, taught from the console, beside a camera in the same process."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving import LONG_S, Serving
from device.cli import main

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")

from test_words import room, spoken, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with two words taught, and a recording of both as the microphone."""
    folder = tmp_path_factory.mktemp("words")
    for label in ("hum", "hiss"):
        for seed in range(4):
            write(folder / "sounds" / label / f"{seed}.wav", spoken(label, seed))
    for number in range(3):
        write(folder / "sounds" / "background noise" / f"{number}.wav", room(2.0, seed=number))
    data = ["--profile", "words", "--data-dir", str(folder / "state")]
    assert main(["examples", "import", str(folder / "sounds"), *data]) == 0
    assert main(["train", *data]) == 0
    said = [part for seed in (20, 21) for label in ("hum", "hiss") for part in (room(1.5), spoken(label, seed))]
    write(folder / "mic.wav", np.concatenate([*said, room(1.0)]))
    return folder


def test_words_and_signs_are_told_by_one_service(folder: Path) -> None:
    """A microphone and a camera in one process: both words come as events with their source, and a third is taught."""
    more = (
        f'[pipelines.words]\nmic = "{folder / "mic.wav"}"\nprofile = "words"\nthreshold = 0.5\n'
        '[pipelines.signs]\ncamera = "sim"\n'
    )
    with Serving(folder, more) as serving:
        serving.start()
        heard = set()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(LONG_S)
            client.connect(str(serving.data / "events.sock"))
            lines = client.makefile()
            while heard < {"hum", "hiss"}:
                event = json.loads(lines.readline())
                assert event["source"] == "words"
                heard.add(event["label"])
            lines.close()
        states = serving.state()
        assert {name: one["kind"] for name, one in states.items()} == {"words": "sound", "signs": "picture"}
        answer = serving.act("record", "words", label="third")
        assert answer["prompt"] == "say third now"
        while (answer := serving.act("tune", "words"))["recording"] is not None:
            pass
        counted = answer["counts"]["third"][0]
        assert counted == 1 or "no word was heard" in answer["said"]
        status, picture = serving.ask("/api/pipelines/words/picture.jpg")
        assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
        if counted:
            newest = serving.ask("/api/pipelines/words/examples?label=third")[1]["examples"][0]["id"]
            status, wav = serving.ask(f"/api/pipelines/words/examples/{newest}.wav")
            assert (status, wav[:4]) == (200, b"RIFF")
        assert serving.ask("/api/pipelines/signs/examples/1.wav")[0] in (400, 404)
