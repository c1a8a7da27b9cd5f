"""The microphone: real PortAudio where it is installed, faults by a PortAudio of our own making."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sound_card import PulseAudio, card, needs_portaudio

from device.sources import microphone
from device.sources.channels import Channels
from device.sources.choose import open_mic
from device.sources.microphone import STALLED_S, Microphone, microphones, play
from device.sources.muted import GATED_S, HISSES_S, MUTED_S
from device.sources.reconnect import ReconnectingSource
from edge_tl.errors import ConfigError, MissingDependency, SourceClosed, SourceError, SourceTimeout, to_install
from edge_tl.media.sound import Sound
from edge_tl.media.wav import encode_wav
from edge_tl.testing import FakeClock

RNG = np.random.default_rng(0)

RECORD = """
import hashlib, json, sys, time
import numpy as np
from device.sources.choose import open_mic
blocks, times, lost = [], [], 0
with open_mic(sys.argv[1]) as mic:
    while sum(map(len, blocks)) < int(sys.argv[2]):
        frame = mic.read(5.0)
        blocks.append(frame.data); times.append(frame.time_s); lost += frame.dropped
    rate, name = frame.rate_hz, mic.name
samples = np.concatenate(blocks)
np.save(sys.argv[3], samples)
print(json.dumps({"rate": rate, "name": name, "lost": lost, "span": times[-1] - times[0], "blocks": len(blocks)}))
"""


def record(env: dict[str, str], which: str, count: int, out: Path) -> dict[str, Any]:
    """What a process of its own hears through PortAudio."""
    words = [sys.executable, "-c", RECORD, which, str(count), str(out)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def both(samples: np.ndarray) -> np.ndarray:
    """One sound on two channels, as a mono microphone comes through most drivers."""
    return np.stack([samples, samples], axis=1)


def test_samples_arrive_bit_for_bit(tmp_path: Path) -> None:
    """What the sound card gives is what a frame holds, sample for sample, at the card's own rate."""
    needs_portaudio()
    samples = RNG.integers(-32768, 32768, 44_100).astype(np.int16)
    told = record(card(tmp_path, both(samples)), "edge_mic", 20_000, tmp_path / "out.npy")
    heard = np.load(tmp_path / "out.npy")
    assert "edge_mic" in told["name"]
    assert np.array_equal(heard, samples[: len(heard)] / np.float32(32768))


def test_blocks_come_in_real_time(tmp_path: Path) -> None:
    """On a card with a clock a second of sound takes a second, in blocks of 40 ms, and none is lost."""
    needs_portaudio()
    server = PulseAudio(tmp_path)
    try:
        samples = RNG.integers(-32768, 32768, 4 * 44_100).astype(np.int16)
        told = record(card(tmp_path, both(samples), "clock16", server.clock), "edge_mic", 66_000, tmp_path / "out.npy")
    finally:
        server.close()
    heard = np.load(tmp_path / "out.npy")
    assert np.array_equal(heard, samples[: len(heard)] / np.float32(32768))
    assert told["lost"] == 0
    assert told["span"] == pytest.approx((len(heard) - 0.04 * told["rate"]) / told["rate"], rel=0.25)


def test_a_microphone_that_fills_the_right_channel_is_heard(tmp_path: Path) -> None:
    """Through a real PortAudio: a card whose left channel is silent is as loud as its right one, sample for sample."""
    needs_portaudio()
    samples = np.zeros((44_100, 2), np.int16)
    samples[:, 1] = RNG.integers(-32768, 32768, 44_100)
    record(card(tmp_path, samples), "edge_mic", 20_000, tmp_path / "out.npy")
    heard = np.load(tmp_path / "out.npy")
    assert np.array_equal(heard, samples[: len(heard), 1] / np.float32(32768))


def test_the_right_channel_of_a_stereo_source_is_taken_in_real_time(tmp_path: Path) -> None:
    """A two-channel null sink of PulseAudio in which only the right side sounds: heard as loud as it was played."""
    needs_portaudio()
    played = np.zeros((60 * 16_000, 2), np.int16)
    played[:, 1] = RNG.choice([-8000, 8000], len(played))
    server = PulseAudio(tmp_path, played)
    try:
        record(server.card(tmp_path), "clock16", 44_100, tmp_path / "out.npy")
    finally:
        server.close()
    loud = np.sort(np.abs(np.load(tmp_path / "out.npy")))[-1000:]
    assert np.median(loud) > 0.9 * 8000 / 32768  # mixed with the silent one it would be half of it


def test_no_microphone_is_one_line() -> None:
    """On a machine without a sound card the command says so, and names the recording that does instead."""
    needs_portaudio()
    code = "from device.sources.choose import open_mic; open_mic('auto')"
    env = {name: value for name, value in os.environ.items() if name != "ALSA_CONFIG_PATH"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    if done.returncode == 0:
        pytest.skip("this machine has a microphone")
    assert "SourceError: no microphone found: plug one in" in done.stderr


class FakeStream:
    """An InputStream whose blocks the test pushes."""

    def __init__(self, rate: int, block: int, number: int, channels: int, dtype: str, callback: Any) -> None:
        self.arguments = (rate, block, number, channels, dtype)
        self.callback, self.active, self.closed = callback, False, False
        FakePortAudio.opened.append(self)
        if channels in FakePortAudio.refused:
            raise FakePortAudio.PortAudioError("Invalid number of channels [PaErrorCode -9998]")

    def start(self) -> None:
        """Runs."""
        self.active = True

    def push(self, samples: np.ndarray, overflow: bool = False) -> None:
        """A block from the card."""
        self.callback(samples, len(samples), None, types.SimpleNamespace(input_overflow=overflow))

    def abort(self, ignore_errors: bool) -> None:
        """Stops."""
        self.active = False

    def close(self, ignore_errors: bool) -> None:
        """Ends."""
        self.closed = True


class FakePortAudio:
    """What Microphone uses of sounddevice."""

    opened: list[FakeStream] = []  # noqa: RUF012  emptied by the fixture
    refused: tuple[int, ...] = ()
    InputStream = FakeStream

    class PortAudioError(Exception):
        """PortAudio's error."""

    devices: list[dict[str, Any]] = [  # noqa: RUF012
        {"name": "HDMI", "max_input_channels": 0, "default_samplerate": 48000.0},
        {"name": "USB Microphone: Audio (hw:1,0)", "max_input_channels": 1, "default_samplerate": 48000.0},
        {"name": "usb", "max_input_channels": 2, "default_samplerate": 44100.0},
    ]
    default = types.SimpleNamespace(device=(-1, 0))

    @classmethod
    def query_devices(cls) -> list[dict[str, Any]]:
        """All of them."""
        return cls.devices

    @staticmethod
    def _terminate() -> None: ...

    @staticmethod
    def _initialize() -> None: ...

    @classmethod
    def play(cls, samples: np.ndarray, rate: int) -> None:
        """There is no loudspeaker."""
        raise cls.PortAudioError("Error querying device -1")


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> type[FakePortAudio]:
    """In the place of sounddevice."""
    FakePortAudio.opened.clear()
    monkeypatch.setattr(FakePortAudio, "refused", ())
    monkeypatch.setattr(microphone, "_sounddevice", lambda: FakePortAudio)
    return FakePortAudio


def block(level: int = 3000) -> np.ndarray:
    """40 ms at 48 kHz."""
    return np.full((1920, 1), level, np.int16)


@pytest.mark.parametrize(("which", "number"), [(None, 1), (2, 2), ("usb", 2), ("USB Micro", 1), ("audio", 1)])
def test_a_microphone_is_chosen_by_name_or_number(portaudio: Any, which: str | int | None, number: int) -> None:
    """The default, a number, a whole name before a part of one, in any case."""
    with Microphone(which):
        assert portaudio.opened[-1].arguments[2] == number


def test_a_microphone_that_is_not_there_is_one_line(portaudio: Any) -> None:
    """The line says which there are; outputs are not among them."""
    for which in ("blue", 0, 7):
        with pytest.raises(SourceError, match=r"there are: 1 USB Microphone.*, 2 usb"):
            Microphone(which).open()
    assert microphones() == ["1 USB Microphone: Audio (hw:1,0)", "2 usb"]


def test_a_card_that_gives_only_stereo_is_mixed(portaudio: Any) -> None:
    """Where one channel is refused two are taken, and their mean is what is heard."""
    FakePortAudio.refused = (1,)
    with Microphone(clock=FakeClock(5.0)) as mic:
        stream = portaudio.opened[-1]
        stream.push(np.tile(np.array([6_554, 13_107], np.int16), (100, 1)))
        frame = mic.read()
    assert frame.data == pytest.approx(0.3, abs=1e-4)
    assert frame.rate_hz == 48_000
    assert frame.time_s == pytest.approx(5.0 - 100 / 48_000)
    FakePortAudio.refused = (1, 2)
    with pytest.raises(SourceError, match="is another program using it"):
        Microphone().open()


def test_what_is_lost_is_counted(portaudio: Any) -> None:
    """An overflow of the card and blocks that nobody read in time show in the next frame's `dropped` and its index."""
    with Microphone() as mic:
        stream = portaudio.opened[-1]
        for _ in range(53):
            stream.push(block())
        frames = [mic.read(0.0) for _ in range(50)]
        with pytest.raises(SourceTimeout):
            mic.read(0.0)
        stream.push(block(), overflow=True)
        last = mic.read(0.0)
    assert [frame.dropped for frame in frames] == [0] * 50
    assert last.dropped == 4
    assert last.index == 54


def test_a_muted_microphone_is_named(portaudio: Any) -> None:
    """After a second of nothing but zeros a line says so, until something is heard."""
    with Microphone() as mic:
        stream = portaudio.opened[-1]
        for _ in range(int(MUTED_S / 0.04) + 1):
            stream.push(block(0))
            mic.read(0.0)
        assert "nothing but zeros" in mic.fault
        stream.push(block(1))
        mic.read(0.0)
        assert mic.fault == ""


def give(mic: Microphone, stream: FakeStream, level: int, long_s: float) -> list[str]:
    """So much of one loudness; what the microphone said was wrong, each once."""
    faults: dict[str, None] = {}
    for _ in range(round(long_s / 0.04)):
        stream.push(block(level))
        mic.read(0.0)
        faults[mic.fault] = None
    return list(faults)


def test_zeros_between_words_are_no_fault(portaudio: Any) -> None:
    """A microphone with a gate gives zeros while nobody speaks, from a moment to an hour: nothing is wrong."""
    with Microphone() as mic:
        stream = portaudio.opened[-1]
        give(mic, stream, 1000, 0.4)
        for pause_s in (GATED_S + 0.1, 2.0, 60.0, 0.5, 600.0):
            assert give(mic, stream, 0, pause_s) == [""]
            assert give(mic, stream, 1000, 0.4) == [""]
        assert give(mic, stream, 1000, HISSES_S + 1) == [""]  # a radio
        assert give(mic, stream, 0, 10.0) == [""]


def test_a_microphone_that_always_hissed_is_muted_when_it_gives_zeros(portaudio: Any) -> None:
    """Half a minute of hiss without a row of zeros, then zeros: somebody pressed the button."""
    with Microphone() as mic:
        stream = portaudio.opened[-1]
        assert give(mic, stream, 1, HISSES_S + 1) == [""]
        *_, last = give(mic, stream, 0, MUTED_S + 0.1)
        assert "nothing but zeros" in last
        assert give(mic, stream, 1, 1.0) == [""]


def stereo(left: int, right: int, count: int = 1920) -> np.ndarray:
    """40 ms at 48 kHz of two channels, each with its loudness."""
    return (RNG.standard_normal((count, 2)) * (left, right)).astype(np.int16)


@pytest.mark.parametrize("silent", ["left", "right"])
@pytest.mark.parametrize("floor", [0, 2, 1500], ids=["zeros", "hiss", "hum of the card's own"])
def test_the_channel_with_sound_is_taken(silent: str, floor: int, portaudio: Any) -> None:
    """A card with two channels is opened with both; who fills one of them is heard as loud as it is."""
    with Microphone("usb") as mic:
        stream = portaudio.opened[-1]
        assert stream.arguments[3] == 2
        steady = np.zeros((1920, 2), np.int16)
        steady[:, 0 if silent == "left" else 1] = floor if floor > 2 else 0  # no sound, however much it is
        loud = 0 if silent == "right" else 1
        for _ in range(3):
            given = stereo(3000 if loud == 0 else 2, 3000 if loud == 1 else 2)
            given[:, 1 - loud] = steady[:, 1 - loud] + (given[:, 1 - loud] if floor == 2 else 0)
            stream.push(given)
            assert np.array_equal(mic.read(0.0).data, given[:, loud] / np.float32(32768))


def test_two_channels_with_sound_are_mixed_and_stay_so(portaudio: Any) -> None:
    """What comes from one side is louder there, and quiet moments are no reason to drop a channel."""
    with Microphone("usb") as mic:
        stream = portaudio.opened[-1]
        for left, right in ((3000, 1500), (30, 30), (0, 0), (1500, 3000), (3, 3)):
            given = stereo(left, right)
            stream.push(given)
            assert np.array_equal(mic.read(0.0).data, given.mean(axis=1, dtype=np.float32) / np.float32(32768))


def test_a_channel_that_comes_back_is_heard_again() -> None:
    """A plug that was half out: the second channel counts again as soon as it is nearly as loud."""
    channels = Channels(2)
    for level, used in ((1, [True, False]), (200, [True, False]), (2000, [True, True])):
        channels.mixed(stereo(2000, level), 48_000)
        assert list(channels._used) == used


def test_a_name_that_fits_two_microphones_lists_them(portaudio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one is meant is not guessed: both are named with their numbers; a whole name is that one."""
    twins = [{"name": f"USB PnP (hw:{n},0)", "max_input_channels": 1, "default_samplerate": 48000.0} for n in (1, 2)]
    monkeypatch.setattr(FakePortAudio, "devices", twins)
    with pytest.raises(
        SourceError, match=r"may be several microphones: 0 USB PnP \(hw:1,0\), 1 USB PnP \(hw:2,0\); give"
    ):
        Microphone("usb pnp").open()
    with Microphone("usb pnp (hw:2,0)"):
        assert portaudio.opened[-1].arguments[2] == 1


def test_a_card_with_more_than_two_channels_is_opened_with_all(portaudio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither one nor two are given, e.g. by an array of microphones."""
    array = [{"name": "seeed-4mic", "max_input_channels": 4, "default_samplerate": 16000.0}]
    monkeypatch.setattr(FakePortAudio, "devices", array)
    FakePortAudio.refused = (1, 2)
    with Microphone():
        assert [stream.arguments[3] for stream in portaudio.opened] == [2, 1, 4]


def test_an_unplugged_microphone_is_lost_and_comes_back(portaudio: Any) -> None:
    """Whether its stream ends or only falls silent, `read` says it is gone, and the next microphone is taken up."""
    clock = FakeClock()
    with ReconnectingSource(lambda: open_mic("auto", clock=clock), clock=clock, sleep=clock.sleep) as source:
        portaudio.opened[-1].push(block())
        assert source.read(0.0).index == 0
        clock.advance(STALLED_S + 0.1)
        with pytest.raises(SourceTimeout, match=r"lost.*unplugged"):
            source.read(0.0)
        assert (source.state, portaudio.opened[-1].closed) == ("waiting", True)
        clock.advance(1.0)
        with pytest.raises(SourceTimeout, match="no sound within"):
            source.read(0.0)
        assert source.state == "open"
        portaudio.opened[-1].push(block(500))
        assert source.read(0.0).index == 1
        portaudio.opened[-1].active = False
        with pytest.raises(SourceTimeout, match="lost"):
            source.read(0.0)


def test_closed_it_gives_nothing(portaudio: Any) -> None:
    """Before `open` and after `close` reading is refused; closing twice does no harm."""
    mic = Microphone()
    with pytest.raises(SourceClosed):
        mic.read()
    mic.open()
    mic.close()
    mic.close()
    with pytest.raises(SourceClosed):
        mic.read()


def test_without_a_loudspeaker_replay_is_one_line(portaudio: Any) -> None:
    """A machine that has none says so."""
    with pytest.raises(SourceError, match="no loudspeaker"):
        play(Sound(np.zeros(10, np.float32), 16_000))


def test_without_sounddevice_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is not installed the install line is told."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependency, match=re.escape(to_install("[speech]"))):
        Microphone().open()


def test_a_recording_takes_the_microphones_place(tmp_path: Path) -> None:
    """A path is a sound file, played in blocks; what is no path and no microphone is refused."""
    pytest.importorskip("soundfile")
    path = tmp_path / "word.wav"
    path.write_bytes(encode_wav(np.zeros(16_000, np.float32), 16_000))
    with open_mic(str(path), paced=False) as source:
        assert len(source.read().data) == 640
    with pytest.raises(SourceError, match=r"none\.wav"):
        open_mic(str(tmp_path / "none.wav"))
    for bad in ("", "  ", "a\0b"):
        with pytest.raises(ConfigError, match="--mic"):
            open_mic(bad)
