"""Requests that nobody well-meaning would send, made by chance."""

from __future__ import annotations

import json
import random

ACTIONS = ("record", "release", "undo", "label", "forget", "forget-take", "session", "train", "tune", "look", "rename")
NUMBERS = ("0", "-1", "1", str(2**63), str(2**64), "9" * 400, "1e999", "NaN", "²", "%00", "")
TEXTS = ("", "a", "\x00", "\x1b[2J", "\ud800", "../../etc", "x" * 70, "🙂", "\u202e", "None", "{}")
WORDS = ("label", "to", "ids", "take", "on", "off", "head", "way", "box", "name", "smoothing_s", "threshold", "hands")


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
    here = f"/api/pipelines/{rng.choice(('signs', 'signs', 'signs', 'none', '%2e%2e', '%ff', '%00'))}"
    if rng.random() < 0.5:
        number = rng.choice(NUMBERS)
        path = rng.choice(
            (
                f"{here}/examples/{number}.jpg",
                f"{here}/examples/{number}.wav",
                f"{here}/examples?take={number}&label={rng.choice(('a', '%ed%a0%80', '%00'))}",
                f"{here}/takes?before={number}",
                f"{here}/generations",
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
        action = rng.choice((*ACTIONS, "upload", "ask", "\\x", "login"))
        path = "/api/login" if action == "login" else f"{here}/{action}?label=a&take={rng.choice(NUMBERS)}"
        kind = rng.choice(("application/json", "application/json", "image/jpeg", "text/plain", ""))
        length = rng.choice((len(data), len(data), len(data), len(data) + 9, 0, "9" * 30, "-1", "1_0", "x"))
        head = f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    host = rng.choice(("localhost", "localhost", "localhost", "127.0.0.1:99999", "", "evil", "[::1", "\xff"))
    made = f"{head}Host: {host}\r\nConnection: close\r\n\r\n".encode("latin-1", "replace") + data
    return made if rng.random() < 0.9 else made[: rng.randrange(len(made))]
