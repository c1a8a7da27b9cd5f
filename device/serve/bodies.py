"""JSON of an HTTP request and of its answer: a body that is not whole or no object is refused, and nothing is done.

What is missing of a body must never be taken for what was meant: a cut-off `{"on": 0.8` is not `{}`.
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from edge_tl.errors import EdgeTLError, counted

MAX_BYTES, MAX_DEPTH = 64 * 1024, 16
MAX_PASSED_BYTES = 8 * MAX_BYTES
"""Of a body that is too long so much is read and forgotten: who is cut off while sending never sees why."""
_WANTED = "a JSON object is wanted, {} where there is nothing to say"


class BadBody(EdgeTLError):
    """A body that is refused; `status` is what HTTP calls that."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class Answer(JSONResponse):
    """JSON of anything that a name on this machine may hold: half a character of UTF-16 is told by its number."""

    def render(self, content: Any) -> bytes:
        """The bytes; ValueError for a number that JSON does not know."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")  # "\udcff", which is JSON's own way to write it


async def json_body(request: Request, patience_s: float) -> dict[str, Any]:
    """The object in a body; BadBody where it is too long, does not come whole, or is anything else.

    patience_s: for all of it.
    """
    try:
        async with asyncio.timeout(patience_s):
            body = await _whole(request)
    except (ClientDisconnect, TimeoutError):
        raise BadBody(400, "the body did not come whole, and nothing was done: send it again") from None
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadBody(400, f"this is no JSON, and nothing was done: {_WANTED}") from None
    if not isinstance(value, dict):
        raise BadBody(400, f"got {type(value).__name__} of JSON, and nothing was done: {_WANTED}")
    _check(value, MAX_DEPTH)
    return value


async def _whole(request: Request) -> bytes:
    """All of a body, which says how long it is or does not; BadBody for too much."""
    body, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= MAX_BYTES:
            body += part
        elif size > MAX_PASSED_BYTES:
            break
    if size > MAX_BYTES:
        raise BadBody(413, f"at most {counted(MAX_BYTES, 'byte')} are wanted, and nothing was done")
    return bytes(body)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _check(value: Any, depth: int) -> None:
    """BadBody for texts that are no Unicode, and for what is nested deeper than anything that is asked for."""
    if depth == 0:
        raise BadBody(400, "the JSON is nested too deep, and nothing was done")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadBody(400, "a number is larger than any that is known, and nothing was done")
    if isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value):
        raise BadBody(400, "a text holds half a character of UTF-16, and nothing was done")
    for part in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check(part, depth - 1)
