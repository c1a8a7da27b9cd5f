"""Run by the Python of an environment with Home Assistant: its Wyoming integration's wake-word entity at a service.

HOST PORT FILE.wav [WORD]   what it finds there, and what it detects in a recording, sent as its pipelines send a
                            satellite's sound: a line of JSON on stdout
"""

from __future__ import annotations

import asyncio
import json
import sys
import wave
from collections.abc import AsyncIterator
from typing import Any

from homeassistant.components.wyoming.data import WyomingService
from homeassistant.components.wyoming.wake_word import WyomingWakeWordProvider
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant

CHUNK_MS, RATE_HZ, AFTER = 10, 16_000, 1_000
"""After the recording so many chunks of silence follow, until something is detected: sound that ends cuts it short."""


async def sound(path: str) -> AsyncIterator[tuple[bytes, int]]:
    """Chunks as `assist_pipeline` makes them, with their milliseconds."""
    with wave.open(path) as file:
        data = file.readframes(file.getnframes())
    size, at_ms = 2 * CHUNK_MS * RATE_HZ // 1000, 0
    data += bytes(AFTER * size)
    for start in range(0, len(data) - size + 1, size):
        yield data[start : start + size], at_ms
        at_ms += CHUNK_MS
        await asyncio.sleep(0.002)  # no faster than it is heard


async def main(host: str, port: int, path: str, word: str | None) -> dict[str, Any]:
    """What Home Assistant sees."""
    service = await WyomingService.create(host, port)
    assert service is not None
    entry = ConfigEntry(version=1, minor_version=1, domain="wyoming", title="wake", data={}, source="user")
    entity = WyomingWakeWordProvider(HomeAssistant("."), entry, service)
    entity.entity_id = "wake_word.edge_tl"
    words = await entity.get_supported_wake_words()
    found = await entity.async_process_audio_stream(sound(path), word)
    return {
        "version": __version__,
        "name": service.get_name(),
        "platforms": [str(one) for one in service.platforms],
        "words": [[one.id, one.name, one.phrase] for one in words],
        "detected": None if found is None else [found.wake_word_id, found.wake_word_phrase, found.timestamp],
    }


if __name__ == "__main__":
    given = sys.argv[4] if len(sys.argv) > 4 else None
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], given))))
