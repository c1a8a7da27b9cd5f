"""What satellites cost: CPU time of the service for each second of their sound, by how many stream and how.

    python -m benchmarks.bench_satellites

The real `edge-tl serve` with two words taught and no microphone; each connection sends quiet sound and words in chunks
of 20 ms, faster than it sounds, and the kernel's count of the process' CPU time is divided by all seconds it heard.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.wake import Detect, Detection, NotDetected

from benchmarks.serving import ROOT, Serving

sys.path.insert(0, str(ROOT / "tests" / "parts"))

from made_words import RATE_HZ, room, spoken, teach_words, write_clips

from edge_tl.media.resample import resample

SECONDS = 40.0
"""Of sound each: less than what is heard at once."""


def cpu_s(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def stream(host: str, port: int, data: bytes, rate: int, channels: int) -> int:
    """Send a recording; how many words were told."""
    async with AsyncTcpClient(host, port) as client:
        await client.write_event(Detect().event())
        await client.write_event(AudioStart(rate, 2, channels).event())
        size = rate // 50 * 2 * channels
        for start in range(0, len(data), size):
            await client.write_event(AudioChunk(rate, 2, channels, data[start : start + size]).event())
        await client.write_event(AudioStop().event())
        await client.write_event(AudioStop().event())  # answered by "nothing", where words were told before
        told = 0
        while (event := await client.read_event()) is not None and not NotDetected.is_type(event.type):
            told += Detection.is_type(event.type)
        return told


def main() -> int:
    """Print a line for each number of connections and format."""
    part = np.concatenate([room(3.0), spoken("hum", 30), room(2.0), spoken("hiss", 31)])
    sound = np.tile(part, 20)[: int(SECONDS * RATE_HZ)]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        teach_words(write_clips(folder / "clips"), folder / "state")
        more = '[pipelines.words]\nmic = "none"\nprofile = "words"\n[wyoming]\nport = 0\n'
        with Serving(folder, more, web=False) as serving:
            serving.start()
            assert serving.process is not None
            host, port = re.findall(r"wake words at tcp://([\d.]+):(\d+)", serving.log)[-1]
            for rate, channels in ((16_000, 1), (48_000, 2)):
                samples = np.repeat(resample(sound, RATE_HZ, rate)[:, np.newaxis], channels, axis=1)
                data = (samples * 32767).astype("<i2").tobytes()
                for count in (1, 4):
                    before_s = cpu_s(serving.process.pid)

                    async def all_of_them(data: bytes = data, rate: int = rate, channels: int = channels) -> list[int]:
                        each = (stream(host, int(port), data, rate, channels) for _ in range(count))  # noqa: B023
                        return await asyncio.gather(*each)

                    told = asyncio.run(all_of_them())
                    took_s = cpu_s(serving.process.pid) - before_s
                    each_ms = 1000 * took_s / (count * SECONDS)
                    print(
                        f"{rate} Hz, {channels} channels, {count} at once: {each_ms:.1f} ms of CPU for a second of "
                        f"sound, {1000 / each_ms:.0f} on a core; {sum(told)} words told"
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
