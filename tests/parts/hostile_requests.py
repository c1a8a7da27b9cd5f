"""Requests that nobody well-meaning would send, made by chance."""

from __future__ import annotations

import json
import random

from device.serve.actions import ACTIONS

NUMBERS = ("0", "-1", "1", str(2**63), str(2**64), "9" * 400, "1e999", "NaN", "²", "%00", "")
TEXTS = ("", "a", "\x00", "\x1b[2J", "\ud800", "../../etc", "x" * 70, "🙂", "\u202e", "None", "{}")
WORDS = (
    *(
        "label",
        "to",
        "ids",
        "take",
        "on",
        "off",
        "head",
        "way",
        "box",
        "name",
        "smoothing_s",
        "threshold",
        "hands",
        "was",
    ),
    *("number", "word", "language", "device", "do", "labels", "round", "bytes", "lambda", "temperature"),
)


def value(rng: random.Random, depth: int = 3) -> object:
    """Some JSON."""
    kind = rng.randrange(8 if depth else 6)
    if kind == 6:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {rng.choice(WORDS + TEXTS): value(rng, depth - 1) for _ in range(rng.randrange(4))}
    return (None, rng.random() < 0.5, rng.randrange(-(10**20), 10**20), rng.gauss(0, 1e9), rng.choice(TEXTS), 0)[kind]


def body(rng: random.Random) -> bytes:
    """A body of JSON, whole or not."""
    data = json.dumps({rng.choice(WORDS): value(rng) for _ in range(rng.randrange(4))}).encode()
    kind = rng.randrange(5)
    if kind == 0:
        return data[: rng.randrange(len(data) + 1)]
    if kind == 1 and data:
        at = rng.randrange(len(data))
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if kind == 2:
        return rng.randbytes(rng.randrange(200))
    return data


def request(rng: random.Random) -> bytes:
    """One request, bytes as they go out."""
    here = f"/api/pipelines/{rng.choice(('signs', 'signs', 'words', 'none', '%2e%2e', '%ff', '%00'))}"
    if rng.random() < 0.5:
        number = rng.choice(NUMBERS)
        path = rng.choice(
            (
                f"{here}/examples/{number}.jpg",
                f"{here}/examples/{number}.wav",
                f"{here}/examples?take={number}&label={rng.choice(('a', '%ed%a0%80', '%00'))}",
                f"{here}/takes?before={number}",
                f"{here}/why?number={number}&was={rng.choice(('up', '%00', '%ed%a0%80'))}",
                f"{here}/told/{number}.jpg",
                f"{here}/found/{number}.jpg",
                f"{here}/heard/{number}.wav",
                f"{here}/trained",
                f"{here}/generations",
                "/api/fleet",
                "/metrics",
                f"{here}/model.tflite",
                f"{here}/examples.zip",
                "/api/state",
                f"/{number}",
            )
        )
        head = f"{rng.choice(('GET', 'GET', 'HEAD', 'PUT', 'get'))} {path} HTTP/1.{rng.choice('019')}\r\n"
        data = b""
    else:
        data = body(rng)
        action = rng.choice((*ACTIONS, "upload", "ask", "\\x", "login", "fleet/accept", "fleet/aside", "fleet/undo"))
        path = f"{here}/{action}?label=a&take={rng.choice(NUMBERS)}"
        path = f"/api/{action}" if action.startswith(("login", "fleet")) else path
        kind = rng.choice(("application/json", "application/json", "image/jpeg", "text/plain", ""))
        length = rng.choice((len(data), len(data), len(data), len(data) + 9, 0, "9" * 30, "-1", "1_0", "x"))
        head = f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    host = rng.choice(("localhost", "localhost", "localhost", "127.0.0.1:99999", "", "evil", "[::1", "\xff"))
    made = f"{head}Host: {host}\r\nConnection: close\r\n\r\n".encode("latin-1", "replace") + data
    return made if rng.random() < 0.9 else made[: rng.randrange(len(made))]


def sums_request(rng: random.Random) -> bytes:
    """A request for sums: a line of JSON and a body, whole or not, whose lengths may lie."""
    what = rng.choice(("describe", "sums", "verdicts", "head", "rows", 7))
    labels = rng.choice(
        (["down", "up"], ["up", "down"], [], [rng.choice(TEXTS)] * 2, sorted({*TEXTS, "up"}), "up", None)
    )
    more = {rng.choice(WORDS): value(rng) for _ in range(rng.randrange(3))}
    numbers = rng.randbytes(8 * rng.randrange(40))
    asked = {"do": what, "labels": labels, "lambda": rng.choice((0, 3, -1, 99, 0.5)), "temperature": 0.1, **more}
    length = rng.choice((len(numbers), len(numbers), len(numbers) + 8, -1, 10**12, "8"))
    made = json.dumps({**asked, "bytes": length}).encode() + b"\n" + numbers
    return made if rng.random() < 0.8 else made[: rng.randrange(len(made))]


EVENTS = ("describe", "detect", "audio-start", "audio-chunk", "audio-stop", "ping", "transcribe", "\x1b[2J")


def satellite_events(rng: random.Random) -> bytes:
    """Some events of the Wyoming protocol, broken or not, of sound and of nothing."""
    made = b""
    for _ in range(rng.randrange(1, 6)):
        sound = rng.randbytes(rng.randrange(3000))
        data = {
            "rate": rng.choice((16000, 16000, 8000, 0, -1, 10**9, "x", 1.5)),
            "width": rng.choice((2, 2, 1, 4, 3, 0, 8)),
            "channels": rng.choice((1, 1, 2, 0, 99)),
            "names": rng.choice((None, [], ["up"], [rng.choice(TEXTS)], "up", [1])),
            "timestamp": rng.choice((None, 0, -1, 2**70, 1.5, "x")),
            rng.choice(WORDS): value(rng),
        }
        head: dict[str, object] = {"type": rng.choice(EVENTS), "data": rng.choice((data, data, data, None, [], 0))}
        head["payload_length"] = rng.choice((len(sound), len(sound), len(sound), None, 10**9, -1, "x"))
        head["data_length"] = rng.choice((None, None, None, 0, 5, 10**9))
        made += json.dumps(head).encode() + b"\n" + sound
    return made if rng.random() < 0.8 else made[: rng.randrange(len(made))]
