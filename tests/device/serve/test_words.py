"""Words in the service: told as events, taught from the console, beside a camera in the same process."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving import LONG_S, Serving
from device.commands.main import main
from edge_tl.labels import NOISE
from edge_tl.media.sound import read_sound

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")

from made_words import RATE_HZ, room, spoken, write
from stand_in_voices import install_flite


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


def test_words_and_signs_are_told_by_one_service(folder: Path, tmp_path: Path) -> None:
    """A microphone and a camera in one process: both words come as events with their source, a third is taught, and
    what was told wrongly is marked."""
    shutil.copytree(folder / "state", tmp_path / "state")
    more = (
        f'[pipelines.words]\nmic = "{folder / "mic.wav"}"\nprofile = "words"\nthreshold = 0.5\n'
        '[pipelines.signs]\ncamera = "sim"\n'
    )
    with Serving(tmp_path, more) as serving:
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
        newest = serving.state()["words"]["heard"][-1]
        status, wav = serving.ask(f"/api/pipelines/words/heard/{newest['number']}.wav")
        assert (status, wav[:4]) == (200, b"RIFF")
        assert serving.ask("/api/pipelines/words/heard/999.wav")[0] == 404
        status, picture = serving.ask(f"/api/pipelines/words/told/{newest['number']}.jpg")
        assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
        status, why = serving.ask(f"/api/pipelines/words/why?number={newest['number']}&was=third")
        assert status == 200 or not counted, why
        status, why = serving.ask(f"/api/pipelines/words/why?number={newest['number']}")
        assert status == 200, why
        assert why["nearest"][0]["label"] in ("hum", "hiss", "third")
        assert serving.ask(f"/api/pipelines/words/found/{why['nearest'][0]['id']}.jpg")[1][:3] == b"\xff\xd8\xff"
        before = serving.state()["words"]["counts"][NOISE][0]
        answer = serving.act("mark", "words", number=newest["number"])
        assert answer["counts"][NOISE][0] == before + 1
        assert answer["said"].startswith(f"kept as {NOISE}: it was reported as {newest['label']}")
        marked = next(one for one in answer["heard"] if one["number"] == newest["number"])
        assert (marked["marked"], marked["can_be_marked"]) == ("nothing", False)
        status, refused = serving.ask("/api/pipelines/signs/mark", {"was": "fist"})
        assert (status, "nothing was reported yet" in refused["error"]) == (400, True)


def test_a_word_is_typed_in_the_console(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is spoken by what the device has, listed as typed and trained; what cannot be spoken is one line."""
    shutil.copytree(folder / "state", tmp_path / "state")
    install_flite(monkeypatch, tmp_path / "voices")
    pipeline = f'[pipelines.words]\nmic = "{folder / "mic.wav"}"\nprofile = "words"\n'
    with Serving(tmp_path, pipeline) as serving:
        serving.start()
        answer = serving.act("type", "words", word="fourth")
        assert answer["counts"]["fourth"][0] == 3
        assert "typed fourth: 3 takes of 'fourth' by 1 voice of flite" in answer["said"]
        status, refused = serving.ask("/api/pipelines/words/type", {"word": "<ssml>"})
        assert (status, "cannot be spoken" in refused["error"]) == (400, True)
        status, refused = serving.ask("/api/pipelines/words/type", {"word": "drei", "language": "de"})
        assert (status, "the person who looks after the device" in refused["error"]) == (400, True)
        trained = serving.act("train", "words")
        assert "fourth: typed: better with three recordings of yours" in " ".join(trained["cautions"])


def test_real_words_of_another_recording_are_told(
    data: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three Arabic words of a speaker, seven recordings each: others are told in their order, as by `listen`."""
    taught, asked = tmp_path / "taught", []
    for label in ("right", "left", "up"):
        files = sorted(data(f"speech/arabic/{label}").iterdir())
        own = [path for path in files if path.name[:8] == files[0].name[:8]]
        for path in own[:7]:
            (taught / label).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, taught / label)
        asked += [(number, label, path) for number, path in enumerate(own[7:9])]
    for number in range(3):
        write(taught / NOISE / f"{number}.wav", room(2.0, seed=number))
    words = ["--profile", "words", "--data-dir", str(tmp_path / "state")]
    assert main(["examples", "import", str(taught), *words]) == 0
    assert main(["train", *words]) == 0
    asked.sort()
    said = [part for _, _, path in asked for part in (room(1.2), read_sound(path).at(RATE_HZ))]
    write(tmp_path / "mic.wav", np.concatenate([room(1.0), *said]))
    capsys.readouterr()
    assert main(["listen", "--json", "--mic", str(tmp_path / "mic.wav"), *words]) == 0
    told = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    wanted = iter([label for _, label, _ in asked])
    assert len(told) >= 4
    assert all(label in wanted for label in told)  # what is told is a part of what was said, in its order
    pipeline = f'[pipelines.words]\nmic = "{tmp_path / "mic.wav"}"\nprofile = "words"\n'
    with Serving(tmp_path, pipeline, web=False) as serving:
        serving.start()
        with socket.socket(socket.AF_UNIX) as client, client.makefile() as lines:
            client.settimeout(LONG_S)
            client.connect(str(serving.data / "events.sock"))
            assert [json.loads(lines.readline())["label"] for _ in told] == told
