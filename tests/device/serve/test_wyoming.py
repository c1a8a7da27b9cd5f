"""The wake-word service: the published client of its protocol, and Home Assistant's own, at the real process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import ROOT
from waiting import until

from benchmarks.serving import LONG_S, Serving

pytest.importorskip("wyoming", reason="the package wyoming is not installed (extra wyoming)")
pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")

from made_words import RATE_HZ, room, spoken, teach_words, write, write_clips
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from device.commands.status import lines
from device.serve.satellite_events import MAX_SOUND_BYTES
from edge_tl.media.resample import resample
from edge_tl.media.wav import encode_wav

PIPELINE = '[pipelines.words]\nmic = "none"\nprofile = "words"\n[wyoming]\nport = 0\n'
PYTHON = Path(os.environ.get("EDGE_TL_HOMEASSISTANT", ROOT / ".venv-homeassistant" / "bin" / "python"))
HUM, HISS = (np.concatenate([room(1.5), spoken(label, 30), room(1.5)]) for label in ("hum", "hiss"))


def where(serving: Serving) -> tuple[str, int]:
    """Host and port of the service, as its log names them."""
    host, port = re.findall(r"wake words at tcp://([\d.]+):(\d+)", serving.log)[-1]
    return host, int(port)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """The service without a microphone, taught two words."""
    folder = tmp_path_factory.mktemp("wake")
    teach_words(write_clips(folder / "clips"), folder / "state")
    with Serving(folder, PIPELINE) as made:
        yield made.start()


@asynccontextmanager
async def connected(serving: Serving) -> AsyncIterator[AsyncTcpClient]:
    """The published client, connected."""
    async with asyncio.timeout(LONG_S), AsyncTcpClient(*where(serving)) as client:
        yield client


async def described(serving: Serving) -> dict[str, Any]:
    """Word → its model."""
    async with connected(serving) as client:
        await client.write_event(Describe().event())
        event = await client.read_event()
        assert event is not None
        assert Info.is_type(event.type)
        (program,) = Info.from_event(event).wake
        assert program.installed
        return {model.name: model for model in program.models}


async def told(client: AsyncTcpClient) -> list[Detection]:
    """What is told until it is said that nothing was, or the answer to a ping comes."""
    await client.write_event(Ping("end").event())
    found = []
    while True:
        event = await client.read_event()
        assert event is not None
        if Detection.is_type(event.type):
            found.append(Detection.from_event(event))
        elif Pong.is_type(event.type):
            return found
        else:
            assert NotDetected.is_type(event.type)
            assert not found


async def heard(
    client: AsyncTcpClient,
    samples: np.ndarray,
    *,
    names: list[str] | None = None,
    rate: int = RATE_HZ,
    channels: int = 1,
    stamps: bool = True,
) -> list[Detection]:
    """What is told of a recording, sent as a satellite does: 16 bits, in chunks of 20 ms."""
    await client.write_event(Detect(names=names).event())
    await client.write_event(AudioStart(rate, 2, channels, timestamp=0).event())
    data = (np.repeat(samples[:, np.newaxis], channels, axis=1) * 32767).astype("<i2").tobytes()
    size = rate // 50 * 2 * channels
    for number, start in enumerate(range(0, len(data), size)):
        stamp = 1000 + 20 * number if stamps else None
        await client.write_event(AudioChunk(rate, 2, channels, data[start : start + size], timestamp=stamp).event())
    await client.write_event(AudioStop().event())
    return await told(client)


def named(found: Sequence[Detection]) -> list[str | None]:
    """The names of what was told."""
    return [one.name for one in found]


def test_the_taught_words_are_the_models(serving: Serving) -> None:
    """Each word is a model with its phrase; what is no word, background noise, is none."""
    models = asyncio.run(described(serving))
    assert sorted(models) == ["hiss", "hum"]
    assert all((model.phrase, model.version, model.installed) == (name, "1", True) for name, model in models.items())


def test_words_are_told_with_their_time(serving: Serving) -> None:
    """One stream after the other on one connection: the word, only the one asked for, and that there was none."""

    async def talk() -> None:
        async with connected(serving) as client:
            (hum,) = await heard(client, HUM)
            assert hum.name == "hum"
            assert 2500 < (hum.timestamp or 0) < 4500  # in the chunks' time, which began at 1000
            (hiss,) = await heard(client, HISS, names=["hiss"], stamps=False)
            assert hiss.name == "hiss"
            assert 1500 < (hiss.timestamp or 0) < 3500  # from the beginning of the stream
            assert await heard(client, HUM, names=["hiss"]) == []
            assert await heard(client, room(1.5)) == []

    asyncio.run(talk())


def test_satellites_of_other_rates_are_heard_at_once(serving: Serving) -> None:
    """48 kHz and 44.1 kHz, stereo, one channel silent, and 8 kHz: four connections at a time, each its own word."""

    async def talk(word: np.ndarray, rate: int, channels: int) -> list[str | None]:
        async with connected(serving) as client:
            return named(await heard(client, resample(word, RATE_HZ, rate), rate=rate, channels=channels))

    async def all_at_once() -> list[list[str | None]]:
        kinds = ((HUM, 48_000, 2), (HISS, 44_100, 2), (HUM, 8_000, 1), (HISS, 16_000, 1))
        return await asyncio.gather(*(talk(word, rate, channels) for word, rate, channels in kinds))

    assert asyncio.run(all_at_once()) == [["hum"], ["hiss"], ["hum"], ["hiss"]]


def test_a_stream_that_goes_on_is_told_again_and_again(serving: Serving) -> None:
    """Without a stop, each word as it comes, and a chunk of a whole second is heard as many small ones."""

    async def talk() -> None:
        async with connected(serving) as client:
            for _ in range(3):
                for start in range(0, len(HUM), RATE_HZ):
                    data = (HUM[start : start + RATE_HZ] * 32767).astype("<i2").tobytes()
                    await client.write_event(AudioChunk(RATE_HZ, 2, 1, data).event())
                (one,) = await told(client)
                assert one.name == "hum"

    asyncio.run(talk())


def test_a_new_word_is_a_model_without_a_restart(serving: Serving) -> None:
    """A third word, taught in the console by files while a satellite streams: a model, and told on that connection."""

    async def talk() -> None:
        async with connected(serving) as client:
            assert named(await heard(client, HUM)) == ["hum"]
            for number in range(8):
                sweep = swept(number)
                status, answer = await asyncio.to_thread(
                    serving.give,
                    "/api/pipelines/words/upload",
                    encode_wav(sweep, RATE_HZ),
                    "audio/wav",
                    label="sweep",
                    file=f"{number}.wav",
                )
                assert status == 200, answer
            await asyncio.to_thread(serving.act, "train", "words")
            while (models := await described(serving)).keys() != {"hiss", "hum", "sweep"}:
                await asyncio.sleep(0.05)
            assert models["sweep"].version == "2"
            assert named(await heard(client, swept(20), names=["sweep"])) == ["sweep"]
            await asyncio.to_thread(serving.act, "roll-back", "words")
            while (await described(serving)).keys() != {"hiss", "hum"}:
                await asyncio.sleep(0.05)
            assert named(await heard(client, HUM)) == ["hum"]

    asyncio.run(talk())


def swept(seed: int) -> np.ndarray:
    """A third word: a tone that climbs."""
    time = np.linspace(0, 0.5, RATE_HZ // 2)
    loud = 0.3 * np.hanning(len(time)) * np.sin(2 * np.pi * (600 + 20 * seed + 2500 * time) * time)
    return np.concatenate([room(1.0, seed), loud + room(0.5, seed + 1), room(1.0, seed + 2)]).astype(np.float32)


def test_no_microphone_is_no_fault_and_cannot_record(serving: Serving) -> None:
    """With `mic = "none"` all is well, and who holds the button is told to bring files."""
    until(lambda: serving.ask("/health")[1]["outputs"]["wyoming"]["words"] == ["hiss", "hum"])
    health = serving.ask("/health")[1]
    assert health["status"] == "ok"
    (line,) = [line for line in lines(health) if line.startswith("wyoming")]
    assert line.startswith(f"wyoming: ok at tcp://127.0.0.1:{where(serving)[1]}, ")
    assert line.endswith("detected (hiss, hum)")
    status, answer = serving.ask("/api/pipelines/words/record", {"label": "hum"})
    assert status == 400
    assert 'mic = "none" gives nothing more' in answer["error"]


HOSTILE = {
    "no JSON": b"GET / HTTP/1.1\r\n\r\n",
    "no object": b"[1]\n",
    "no type": b"{}\n",
    "deep": b'{"type":' + b"[" * 10_000 + b"\n",
    "a line without end": b'{"type": "' + b"x" * 100_000,
    "much data": b'{"type": "describe", "data_length": 10000000000}\n',
    "a negative size": b'{"type": "describe", "data_length": -1}\n',
    "a text as size": b'{"type": "describe", "payload_length": "9"}\n',
    "much sound": f'{{"type": "audio-chunk", "payload_length": {MAX_SOUND_BYTES + 1}}}\n'.encode(),
    "data that is no object": b'{"type": "describe", "data": 3}\n',
    "no rate": b'{"type": "audio-start", "data": {}}\n',
    "a rate of 1": b'{"type": "audio-start", "data": {"rate": 1, "width": 2, "channels": 1}}\n',
    "a width of 9": b'{"type": "audio-start", "data": {"rate": 16000, "width": 9, "channels": 1}}\n',
    "half a sample": b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, '
    b'"payload_length": 3}\nabc',
    "names that are none": b'{"type": "detect", "data": {"names": [[]]}}\n',
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE)
def test_who_sends_nonsense_is_told_so_and_let_go(serving: Serving, sent: bytes) -> None:
    """One event says what is wrong, then the connection is over; the log has no traceback and others are served."""
    with socket.create_connection(where(serving), timeout=LONG_S) as client:
        client.sendall(sent)
        answer = b""
        try:
            while more := client.recv(65536):
                answer += more
        except ConnectionResetError:
            pass  # the rest of what was sent was not read
    assert not answer or json.loads(answer.partition(b"\n")[0])["type"] == "error"
    assert sorted(asyncio.run(described(serving))) == ["hiss", "hum"]
    assert "Traceback" not in serving.log
    assert serving.log.count("wyoming: 127.0.0.1 sent") <= 2


def test_an_event_that_is_not_known_is_passed_over(serving: Serving) -> None:
    """As `select-program` of newer clients: what follows is answered."""

    async def talk() -> None:
        async with connected(serving) as client:
            await client.write_event(Event("select-program", {"name": "other"}))
            assert await told(client) == []

    asyncio.run(talk())


@pytest.mark.skipif(not PYTHON.exists(), reason="Home Assistant is not installed: make check-homeassistant")
@pytest.mark.parametrize(("word", "wanted"), [("hum", "hum"), ("hiss", "hiss"), (None, "hum"), ("other", None)])
def test_home_assistants_own_integration_detects_words(
    serving: Serving, tmp_path: Path, word: str | None, wanted: str | None
) -> None:
    """Its entity finds the service and its words, and detects the one that it waits for in a recording of both."""
    both = write(tmp_path / "both.wav", np.concatenate([HUM, HISS]))
    host, port = where(serving)
    asked = [str(PYTHON), str(ROOT / "tests" / "parts" / "homeassistant_wake.py"), host, str(port), str(both)]
    asked += [] if word is None else [word]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert (found["platforms"], found["name"][:7]) == (["wake_word"], "edge-tl")
    assert found["words"] == [["hiss", "hiss", "hiss"], ["hum", "hum", "hum"]]
    if wanted is None:
        assert found["detected"] is None
    else:
        name, phrase, at_ms = found["detected"]
        assert (name, phrase) == (wanted, wanted)
        assert 1500 < at_ms < 8000
