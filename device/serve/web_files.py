"""Files over HTTP: pictures and sounds that come as examples and as questions, the model and the examples that go.

A file comes as the body of a POST of its own, with a content type that no form of another site can send, and is bounded
before it is read. An archive of examples goes out as it is made, a few of them in memory at once.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from device.serve.requests import Requests
from edge_tl.errors import ConfigError
from edge_tl.store.folders import Export

MAX_FILE_BYTES = 32_000_000
"""A telephone's camera takes 3 to 15 MB a picture; a minute of sound is 10 MB at most."""
MAX_PASSED_BYTES = 8 * MAX_FILE_BYTES
"""Of a file that is too large so much is read and forgotten: who is cut off while sending never sees why."""
MAX_FILES = 3
"""Are read from the network at once; others wait."""
PATIENCE_S, WHOLE_S = 10.0, 120.0
"""For the next part of a file, and for all of it."""
TAKEN = ("upload", "ask")
"""The last part of the addresses that take a file."""
TYPES = ("application/octet-stream", "image/", "audio/")
"""What a file may come as; what it is, its content says."""
AT_ONCE, PART_BYTES = 16, 250_000
"""So many examples are read between two frames for an archive, and so much is sent in one go."""
_LONGEST_NAME = 80
_YEAR = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP knows: the same examples are the same archive

Answered = Callable[[Request, Callable[[], Any]], Awaitable[Response]]


def takes_file(path: str) -> bool:
    """Whether a POST to this address carries a file."""
    return path.startswith("/api/pipelines/") and path.rsplit("/", 1)[-1] in TAKEN


def refused_type(kind: str) -> str:
    """Why a file is not taken with this content type, in a line; empty where it is."""
    if kind.startswith(TYPES):
        return ""
    return "a file is wanted, with Content-Type: application/octet-stream, image/… or audio/…"


def too_large(file: str) -> str:
    """What is said of a file that is."""
    return f"{file}: is too large; a file of at most {MAX_FILE_BYTES // 1_000_000} MB is wanted"


class FileRoutes:
    """The routes of files. answered: makes a response of what a function returns or raises, in a thread."""

    def __init__(self, requests: Requests, answered: Answered) -> None:
        self._requests, self._answered = requests, answered
        self._reading = asyncio.Semaphore(MAX_FILES)

    def routes(self, here: str) -> list[Route]:
        """Below the address of a pipeline, `{name}` in it."""
        return [
            Route(f"{here}/upload", self._upload, methods=["POST"]),
            Route(f"{here}/ask", self._ask, methods=["POST"]),
            Route(f"{here}/model.tflite", self._model, methods=["GET"]),
            Route(f"{here}/examples.zip", self._examples, methods=["GET"]),
        ]

    async def _upload(self, request: Request) -> Response:
        label = request.query_params.get("label", "")

        def kept(file: str, data: bytes) -> Any:
            return self._requests.upload(_name(request), label, file, data, number_of(request, "take"))

        return await self._with_file(request, kept)

    async def _ask(self, request: Request) -> Response:
        return await self._with_file(request, lambda file, data: self._requests.question(_name(request), file, data))

    async def _with_file(self, request: Request, function: Callable[[str, bytes], Any]) -> Response:
        """What a function makes of the file in a request; 413 for one that is too large, whatever its head said."""
        file = file_name(request.query_params.get("file", ""))
        async with self._reading:
            try:
                data = await asyncio.wait_for(_body(request), WHOLE_S)
            except (TimeoutError, ClientDisconnect):
                return JSONResponse({"error": f"{file}: did not come whole; send it again"}, 408)
            if data is None:
                return JSONResponse({"error": too_large(file)}, 413)
            if not data:
                return JSONResponse({"error": f"{file}: is empty; choose another file"}, 400)
            return await self._answered(request, lambda: function(file, data))

    async def _model(self, request: Request) -> Response:
        name = _name(request)

        def made() -> Response:
            data = self._requests.model(name)
            return Response(data, media_type="application/octet-stream", headers=_saved_as(f"{name}.tflite"))

        return await self._answered(request, made)

    async def _examples(self, request: Request) -> Response:
        name = _name(request)
        only_asked = request.method == "HEAD"  # whether there is anything: a page says so before it goes there

        def made() -> Response:
            plan = self._requests.export(name)
            headers = _saved_as(f"{name}-examples.zip")
            if only_asked:
                return Response(media_type="application/zip", headers=headers)
            return StreamingResponse(self._archive(name, plan), media_type="application/zip", headers=headers)

        return await self._answered(request, made)

    def _archive(self, name: str, plan: Export) -> Iterator[bytes]:
        return archive(plan, lambda examples: self._requests.media(name, examples))


def archive(plan: Export, media: Callable[[list[int]], list[bytes | None]]) -> Iterator[bytes]:
    """A ZIP of an export, part by part, uncompressed, for pictures are; media: the files of some examples.

    An example that is gone meanwhile is left out. Importing the unpacked folder gives the same labels, sessions, takes
    and files.
    """
    out = _Parts()
    with zipfile.ZipFile(out, "w") as packed:
        for folder in plan.folders:
            packed.writestr(zipfile.ZipInfo(f"{folder}/", _YEAR), b"")
        for name, data in plan.files.items():
            packed.writestr(zipfile.ZipInfo(name, _YEAR), data)
        for at in range(0, len(plan.examples), AT_ONCE):
            some = plan.examples[at : at + AT_ONCE]
            for (name, _), stored in zip(some, media([example for _, example in some]), strict=True):
                if stored is not None:
                    packed.writestr(zipfile.ZipInfo(name, _YEAR), stored)
                if out.size >= PART_BYTES:
                    yield out.taken()
    yield out.taken()


class _Parts(io.RawIOBase):
    """What is written, to be taken away part by part; it cannot be gone back in, and ZIP needs no more."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0
        """Of what waits, in bytes."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts, self.size = self._parts, [], 0
        return b"".join(parts)


async def _body(request: Request) -> bytes | None:
    """The body of a request; None where it is too large, TimeoutError where it stands still."""
    parts: list[bytes] = []
    size, stream = 0, request.stream()
    while size <= MAX_PASSED_BYTES:
        try:
            part = await asyncio.wait_for(anext(stream), PATIENCE_S)
        except StopAsyncIteration:
            break
        size += len(part)
        if size <= MAX_FILE_BYTES:
            parts.append(part)
        else:
            parts.clear()
    return b"".join(parts) if size <= MAX_FILE_BYTES else None


def file_name(text: str) -> str:
    """A name from outside as it is told back: without folders, without what does not print, and not too long."""
    name = "".join(one for one in text.replace("\\", "/").rsplit("/", 1)[-1] if one.isprintable()).strip()
    return name[:_LONGEST_NAME] or "the file"


def _name(request: Request) -> str:
    return str(request.path_params["name"])


def number_of(request: Request, name: str) -> int:
    """A number of a request's query, 0 where it has none; ConfigError for what is none."""
    text = request.query_params.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ConfigError(f"{name}: a number is wanted, not {text[:20]!a}")
    return int(text)


def _saved_as(name: str) -> dict[str, str]:
    safe = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in name)
    return {"Content-Disposition": f'attachment; filename="{safe}"'}
