"""The web console and the API of HTTP, for people and programs near the device. Home of Starlette and uvicorn.

Every request passes `Guard` first: Host, Origin, session or token, size. What changes anything is a POST of JSON, or of
a file, which a page of another site cannot send. Names from outside are looked up among the pipelines, never used as a
path.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

from device.serve.access import Access, host_allowed, token_of
from device.serve.config import WebConfig
from device.serve.connections import Listener, network_of
from device.serve.event import Event
from device.serve.metrics import TYPE as METRICS
from device.serve.metrics import metrics
from device.serve.phone_words import answer_on_phone, on_phone
from device.serve.requests import NotHere, Requests
from device.serve.subscribers import Hub
from device.serve.web_log import LineLog
from edge_tl.errors import ConfigError, EdgeTLError, MissingDependency, SourceTimeout, counted, to_install

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from device.serve.bodies import MOST_BYTES, Answer, BadBody, json_body
    from device.serve.event_streams import EventStreams
    from device.serve.web_files import (
        MOST_PASSED_BYTES,
        Files,
        file_name,
        number_of,
        refused_type,
        takes_file,
        too_large,
    )
except ImportError as error:
    raise MissingDependency(f"[web] needs Starlette and uvicorn: {to_install('[web]')}") from error

MOST_ACCEPTED, MOST_EACH = 128, 64
"""Connections that are taken, in all and from one address; what they ask at once waits for its turn."""
PATIENCE_S, KEEP_S = 10.0, 15
"""For the head of a request, for its body, and to take an answer; and for another one on the same connection."""
COOKIE = "edge_tl_session"
SCRIPTS = ("ask.js", "draw.js", "files.js", "gallery.js", "phone.js", "pipeline.js", "console.js")
FILES = {"/": ("console.html", "text/html"), "/console.css": ("console.css", "text/css")} | {
    f"/{name}": (name, "text/javascript") for name in SCRIPTS
}
OPEN_TO_ALL = {*FILES, "/api/login", "/health"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware: lets through what may pass, and answers all else with a status and one line of JSON."""

    def __init__(self, app: ASGIApp, config: WebConfig, access: Access) -> None:
        self.app, self.config, self.access = app, config, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
                ]
            await send(message)

        request = Request(scope)
        refusal = self._refusal(request)
        if refusal is not None:
            status, line = refusal
            await Answer({"error": line}, status)(scope, receive, send_safely)
            return
        await self.app(scope, receive, send_safely)  # a body is counted by who reads it

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        host = request.headers.get("host", "")
        if not host_allowed(host, self.config.listen, self.config.hosts):
            return 421, "this name is not one of this device's: add it to hosts in [web]"
        origin = request.headers.get("origin")
        if origin is not None and origin.split("://", 1)[-1] != host:
            return 403, "another site sent this"
        if request.method not in ("GET", "HEAD", "POST"):
            return 405, "GET or POST is wanted"
        if request.method == "POST":
            kind, length = request.headers.get("content-type", ""), request.headers.get("content-length", "0")
            if takes_file(request.url.path):
                if refused_type(kind):
                    return 415, refused_type(kind)
                if not length.isdigit() or int(length) > MOST_PASSED_BYTES:
                    return 413, too_large(file_name(request.query_params.get("file", "")))
            elif kind.split(";")[0].strip() != "application/json":
                return 415, "JSON is wanted, with Content-Type: application/json"
            elif not length.isdigit() or int(length) > MOST_BYTES:
                return 413, f"at most {counted(MOST_BYTES, 'byte')} are wanted"
        if request.url.path in OPEN_TO_ALL or self.permitted(request):
            return None
        if self.access.blocked(_from(request)):
            return 429, "too many wrong tokens: wait a minute"
        return 401, "the token is wanted: in the console, or as Authorization: Bearer"

    def permitted(self, request: Request) -> bool:
        """Whether the request carries an open session or the token."""
        if self.access.session(request.cookies.get(COOKIE, "")):
            return True
        word, _, token = request.headers.get("authorization", "").partition(" ")
        return word.lower() == "bearer" and self.access.right(token.strip(), _from(request))


class Web:
    """An Output that serves the console, in a thread of its own; `address` is where, after `start`.

    requests: what may be asked of the service. hub: where events come from. log: takes one line.
    """

    name = "web"

    def __init__(
        self, config: WebConfig, requests: Requests, hub: Hub, clock: Callable[[], float], log: Callable[[str], None]
    ) -> None:
        self.config, self._requests, self._hub, self._clock, self._log = config, requests, hub, clock, log
        self.address = ""
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._lines = LineLog(log, clock)

    def start(self) -> None:
        """Listen; ConfigError where the address, the token or the certificate cannot be used."""
        config = self.config
        token = token_of(config.token_file) if config.token_file is not None else None
        self._access = Access(token, self._clock)
        try:
            listening = socket.create_server(
                (config.listen, config.port), family=socket.AF_INET6 if ":" in config.listen else socket.AF_INET
            )
        except OSError as error:
            raise ConfigError(
                f"{config.listen}:{config.port} cannot be listened at ({error.strerror or error}): check [web]"
            ) from error
        listener = Listener(listening, MOST_ACCEPTED, MOST_EACH, PATIENCE_S, KEEP_S + PATIENCE_S)
        scheme = "https" if config.tls_cert is not None else "http"
        host = f"[{config.listen}]" if ":" in config.listen else config.listen
        self.address = f"{scheme}://{host}:{listener.getsockname()[1]}/"
        settings = uvicorn.Config(
            self.app(listener),
            http="h11",
            loop="asyncio",  # which accepts from a Listener; uvloop would take its connections past it
            proxy_headers=False,  # a client is who is connected
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=KEEP_S,
            timeout_graceful_shutdown=1,
            ssl_certfile=config.tls_cert,
            ssl_keyfile=config.tls_key,
        )
        try:
            settings.load()
        except (OSError, ValueError) as error:
            listener.close()
            raise ConfigError(f"tls_cert {config.tls_cert} cannot be used ({error}): check [web]") from error
        self._lines.attach()
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="edge-tl web", daemon=True
        )
        self._thread.start()
        self._log(f"console at {self.address}" + ("" if token is None else f" (the token is in {config.token_file})"))
        if not config.loopback and config.tls_cert is None:
            self._log("the console is reached from outside without TLS: token and pictures can be read on the way")

    def publish(self, event: Event) -> None:
        """Nothing to do: the hub tells the console."""

    def health(self) -> dict[str, Any]:
        """Where it is."""
        alive = self._thread is not None and self._thread.is_alive()
        return {"state": "ok" if alive else "failed", "address": self.address}

    def stop(self) -> None:
        """Let all go."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(5.0)
        self._lines.detach()

    def app(self, listener: Listener) -> ASGIApp:
        """The application, guarded, for the connections of a listener."""
        self._guard = Guard(Starlette(routes=self._routes()), self.config, self._access)
        return listener.bounded(self._guard)

    def _routes(self) -> list[Route]:
        def get(path: str, answer: Callable[[Request], Any]) -> Route:
            return Route(path, _sync(answer), methods=["GET"])

        streams = EventStreams(
            self._hub, self._requests.live, lambda: self._server is not None and self._server.should_exit
        )
        ask, files = self._requests, resources.files("device.serve") / "console"
        routes = [
            Route(path, _file((files / name).read_bytes(), kind), methods=["GET"])
            for path, (name, kind) in FILES.items()
        ]
        here = "/api/pipelines/{name}"
        return [
            *routes,
            Route("/health", self._health, methods=["GET"]),
            Route("/api/login", self._login, methods=["POST"]),
            Route("/api/logout", self._logout, methods=["POST"]),
            Route("/api/events", streams.answer, methods=["GET"]),
            get("/metrics", lambda _: Response(metrics(ask.health()), media_type=METRICS)),
            get("/api/state", lambda _: ask.state() | {"guarded": self._access.needed}),
            get("/api/events/recent", lambda _: [event.as_dict() for event in list(self._hub.recent)]),
            get(f"{here}/picture.jpg", lambda r: _jpeg(ask.picture(r.path_params["name"]))),
            get(f"{here}/generations", lambda r: ask.generations(r.path_params["name"])),
            get(
                f"{here}/examples",
                lambda r: ask.examples(*_of_label(r), number_of(r, "take"), number_of(r, "before")),
            ),
            get(f"{here}/takes", lambda r: ask.takes(*_of_label(r), number_of(r, "before"))),
            *Files(ask, _answered).routes(here),
            get(
                f"{here}/examples/{{id}}.jpg",
                lambda r: _jpeg(ask.thumbnail(*_of_example(r))),
            ),
            get(
                f"{here}/examples/{{id}}.wav",
                lambda r: Response(ask.wav(*_of_example(r)), media_type="audio/wav"),
            ),
            Route(f"{here}/{{action}}", self._act, methods=["POST"]),
        ]

    async def _act(self, request: Request) -> Response:
        try:
            body = await json_body(request, PATIENCE_S)
        except BadBody as error:
            return _refused(error, error.status)
        name, action = request.path_params["name"], request.path_params["action"]
        return await _answered(lambda: self._requests.act(name, action, body))

    async def _health(self, request: Request) -> Response:
        health = self._requests.health()  # a snapshot: it waits for nobody
        status = 200 if health["status"] in ("ok", "degraded") else 503
        # Who may not use the console may still ask whether all is well, as a supervisor does.
        health = answer_on_phone(health)
        return Answer(health if self._guard.permitted(request) else {"status": health["status"]}, status)

    async def _login(self, request: Request) -> Response:
        try:
            token = (await json_body(request, PATIENCE_S)).get("token")
        except BadBody as error:
            return _refused(error, error.status)
        if not isinstance(token, str) or not self._access.right(token, _from(request)):
            if self._access.blocked(_from(request)):
                return Answer({"error": "too many wrong tokens: wait a minute"}, 429)
            return Answer({"error": "this is not the token"}, 401)
        response = Answer({})
        if self._access.needed:
            secure = self.config.tls_cert is not None
            response.set_cookie(
                COOKIE,
                self._access.open_session(),
                max_age=30 * 86_400,
                httponly=True,
                samesite="strict",
                secure=secure,
            )
        return response

    async def _logout(self, request: Request) -> Response:
        self._access.close_session(request.cookies.get(COOKIE, ""))
        response = Answer({})
        response.delete_cookie(COOKIE)
        return response


def _file(data: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response(data, media_type=kind)

    return answer


def _sync(function: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await _answered(lambda: function(request))

    return answer


async def _answered(function: Callable[[], Any]) -> Response:
    """What a function returns, or its error as a status and a line."""
    try:
        made = await run_in_threadpool(function)
    except NotHere as error:
        return _refused(error, 404)
    except SourceTimeout as error:
        return _refused(error, 503)
    except EdgeTLError as error:
        return _refused(error, 400)
    return made if isinstance(made, Response) else Answer(answer_on_phone(made))


def _refused(error: EdgeTLError, status: int) -> Response:
    return Answer({"error": on_phone(str(error))}, status)


def _of_label(request: Request) -> tuple[str, str]:
    """The pipeline and the label that are asked for."""
    return request.path_params["name"], request.query_params.get("label", "")


def _of_example(request: Request) -> tuple[str, int]:
    """The pipeline and the example that are asked for; NotHere for what is no number of any."""
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotHere(f"there is no example {text[:20]!a}")
    return request.path_params["name"], int(text)


def _from(request: Request) -> str:
    """Who asks, as it is counted."""
    return network_of("" if request.client is None else request.client.host)


def _jpeg(data: bytes) -> Response:
    return Response(data, media_type="image/jpeg")
