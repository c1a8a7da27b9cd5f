"""A real PortAudio microphone without a sound card: ALSA's file plugin in front of nothing, or of a PulseAudio sink."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

ALSA = Path("/usr/share/alsa/alsa.conf")


def needs_portaudio() -> None:
    """Skip where sounddevice, PortAudio or ALSA's configuration is not installed."""
    if importlib.util.find_spec("sounddevice") is None:
        pytest.skip("sounddevice is not installed: pip install -e .[speech]")
    if ctypes.util.find_library("portaudio") is None or not ALSA.exists():
        pytest.skip("PortAudio is not installed: apt install libportaudio2")


def card(folder: Path, samples: np.ndarray, slave: str = "null", more: str = "") -> dict[str, str]:
    """The environment of a process whose only microphone, `edge_mic`, gives these 16-bit samples (count, 2).

    It would be opened with any number of channels, and gives one sample after the other to each. slave: its clock.
    """
    raw, config = folder / "in.raw", folder / "asound.conf"
    raw.write_bytes(samples.astype("<i2").tobytes())
    inner = "slave.pcm { type null }" if slave == "null" else f'slave.pcm "{slave}"'
    config.write_text(
        f"<{ALSA}>\n{more}\npcm.edge_mic {{ type file {inner} "
        f'file "/dev/null" infile "{raw}" format "raw" hint {{ show on description "edge microphone" }} }}\n'
    )
    return {**os.environ, "ALSA_CONFIG_PATH": str(config)}


class PulseAudio:
    """A PulseAudio server of its own with a null sink of 16 kHz, whose monitor is a clock; stopped by `close`.

    played: 16-bit samples (count, 2) that sound there, so that the monitor is a stereo microphone; without them it is a
    silent one of one channel.
    """

    def __init__(self, folder: Path, played: np.ndarray | None = None) -> None:
        if not shutil.which("pulseaudio") or not shutil.which("pacat"):
            pytest.skip("PulseAudio is not installed: apt install pulseaudio pulseaudio-utils libasound2-plugins")
        channels, sound = (1, Path("/dev/zero")) if played is None else (2, folder / "played.raw")
        if played is not None:
            sound.write_bytes(played.astype("<i2").tobytes())
        self.socket = folder / "pulse.sock"
        home = folder / "run"
        home.mkdir(mode=0o700)
        script = folder / "pulse.pa"
        script.write_text(
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={self.socket}\n"
            f"load-module module-null-sink sink_name=edge16 rate=16000 channels={channels} format=s16le\n"
        )
        env = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
        words = ["--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes", "--realtime=no"]
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", f"--file={script}", *words, "--high-priority=no"],
            env=env,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        tone = ["pacat", "--raw", "--rate=16000", f"--channels={channels}", "--format=s16le", "--latency-msec=40"]
        env["PULSE_SERVER"] = f"unix:{self.socket}"
        ready = subprocess.run(
            ["bash", "-c", f"for i in $(seq 200); do test -S {self.socket} && exit 0; sleep 0.05; done; exit 1"]
        )
        assert ready.returncode == 0, self._server.communicate(timeout=5)
        self._keep = subprocess.Popen([*tone, "-d", "edge16", str(sound)], env=env, stderr=subprocess.DEVNULL)

    @property
    def clock(self) -> str:
        """Lines of an ALSA configuration with the device `clock16`."""
        return f'pcm.clock16 {{ type pulse server "unix:{self.socket}" device "edge16.monitor" }}'

    def card(self, folder: Path) -> dict[str, str]:
        """The environment of a process whose only microphone, `clock16`, gives what is played."""
        config = folder / "asound.conf"
        config.write_text(f"<{ALSA}>\n{self.clock}\n")
        return {**os.environ, "ALSA_CONFIG_PATH": str(config)}

    def close(self) -> None:
        """Stop it."""
        for process in (self._keep, self._server):
            process.terminate()
            process.wait(timeout=10)
        assert self._server.stderr is not None
        self._server.stderr.close()
