"""The web console and the API of HTTP, for people and programs near the device. Home of Starlette and uvicorn.

Every request passes `Guard` (guard.py) first. What changes anything is a POST of JSON, or of a file, which a page of
another site cannot send. Names from outside are looked up among the pipelines, never used as a
path.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Any

from device.serve.access import Access, token_of
from device.serve.config import WebConfig
from device.serve.connections import ConnectionListener, listening_at
from device.serve.event import LabelEvent
from device.serve.fleet_requests import FleetRequests
from device.serve.metrics import TYPE as METRICS
from device.serve.metrics import metrics
from device.serve.phone_words import answer_on_phone
from device.serve.requests import NotHere, Requests
from device.serve.sessions import SESSION_S, Sessions
from device.serve.subscribers import Hub
from edge_tl.errors import ConfigError, EdgeTLError, MissingDependency, SourceTimeout, to_install

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp

    from device.serve.bodies import Answer, BadBody, json_body
    from device.serve.event_streams import UNBUFFERED, EventStreams
    from device.serve.guard import Guard, refused
    from device.serve.web_files import FileRoutes, number_of
except ImportError as error:
    raise MissingDependency(f"[web] needs Starlette and uvicorn: {to_install('[web]')}") from error

MAX_ACCEPTED, MAX_EACH = 128, 64
"""Connections that are taken, in all and from one address; what they ask at once waits for its turn."""
PATIENCE_S, KEEP_S = 10.0, 15
"""For the head of a request, for its body, and to take an answer; and for another one on the same connection."""
SCRIPTS = (
    "ask.js",
    "draw.js",
    "files.js",
    "fleet.js",
    "gallery.js",
    "marks.js",
    "phone.js",
    "pipeline.js",
    "result.js",
    "why.js",
    "console.js",
)
FILES = {"/": ("console.html", "text/html"), "/console.css": ("console.css", "text/css")} | {
    f"/{name}": (name, "text/javascript") for name in SCRIPTS
}
OPEN_TO_ALL = {*FILES, "/api/login", "/health", "/api/health"}


class Web:
    """An Output that serves the console, in a thread of its own; `address` is where, after `start`.

    requests: what may be asked of the service. hub: where events come from. log: takes one line. sessions_file: where
    it is kept who is logged in. fleet: what may be asked of it, where there is one.
    """

    name = "web"

    def __init__(
        self,
        config: WebConfig,
        requests: Requests,
        hub: Hub,
        clock: Callable[[], float],
        log: Callable[[str], None],
        sessions_file: Path | None = None,
        fleet: FleetRequests | None = None,
    ) -> None:
        self.config, self._requests, self._hub, self._clock, self._log = config, requests, hub, clock, log
        self._sessions_file, self._fleet = sessions_file, fleet
        self._sessions: Sessions | None = None
        self.address = ""
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; ConfigError where the address, the token or the certificate cannot be used."""
        config = self.config
        token = token_of(config.token_file) if config.token_file is not None else None
        self._access = Access(token, self._clock)
        if token is not None:
            self._sessions = Sessions(token, self._clock, self._sessions_file, self._log)
        listening = listening_at(config.listen, config.port, "[web]")
        listener = ConnectionListener(listening, MAX_ACCEPTED, MAX_EACH, PATIENCE_S, KEEP_S + PATIENCE_S)
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
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="edge-tl web", daemon=True
        )
        self._thread.start()
        self._log(f"console at {self.address}" + ("" if token is None else f" (the token is in {config.token_file})"))
        if not config.loopback and config.tls_cert is None:
            self._log(
                "the console can be reached from other machines without TLS: the token and pictures are sent "
                "unencrypted"
            )

    def publish(self, event: LabelEvent) -> None:
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
        if self._sessions is not None:
            self._sessions.keep(soon=True)

    def app(self, listener: ConnectionListener) -> ASGIApp:
        """The application, guarded, for the connections of a listener."""
        refusals = {HTTPException: _no_such_address, Exception: _failed}
        starlette = Starlette(routes=self._routes(), exception_handlers=refusals)
        self._guard = Guard(starlette, self.config, self._access, self._sessions, OPEN_TO_ALL)
        return listener.bounded(self._guard)

    def _routes(self) -> list[Route]:
        def get(path: str, answer: Callable[[Request], Any]) -> Route:
            return Route(path, _sync(answer), methods=["GET"])

        streams = EventStreams(
            self._hub,
            self._requests.live,
            lambda: self._requests.doing,
            lambda request: self._guard.who(request),
            lambda: self._server is not None and self._server.should_exit,
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
            Route("/api/health", self._health, methods=["GET"]),  # below the path that sessions are of
            Route("/api/login", self._login, methods=["POST"]),
            Route("/api/logout", self._logout, methods=["POST"]),
            Route("/api/events", streams.answer, methods=["GET"]),
            get("/metrics", lambda _: Response(metrics(ask.health()), media_type=METRICS)),
            get("/api/state", lambda _: self._state()),
            get("/api/fleet", lambda _: self._of_fleet().state()),
            Route("/api/fleet/{action}", self._act_on_fleet, methods=["POST"]),
            get("/api/events/recent", lambda _: [event.as_dict() for event in list(self._hub.recent)]),
            get(f"{here}/picture.jpg", lambda r: _jpeg(ask.picture(r.path_params["name"]), UNBUFFERED)),
            get(f"{here}/trained", lambda r: ask.trained(r.path_params["name"])),
            get(f"{here}/generations", lambda r: ask.generations(r.path_params["name"])),
            get(
                f"{here}/examples",
                lambda r: ask.examples(*_of_label(r), number_of(r, "take"), number_of(r, "before")),
            ),
            get(f"{here}/takes", lambda r: ask.takes(*_of_label(r), number_of(r, "before"))),
            *FileRoutes(ask, _answered).routes(here),
            get(
                f"{here}/examples/{{id}}.jpg",
                lambda r: _jpeg(ask.thumbnail(*_of_example(r))),
            ),
            get(
                f"{here}/examples/{{id}}.wav",
                lambda r: Response(ask.wav(*_of_example(r)), media_type="audio/wav"),
            ),
            get(
                f"{here}/heard/{{id}}.wav",
                lambda r: Response(ask.heard(*_of_example(r)), media_type="audio/wav"),
            ),
            get(f"{here}/found/{{id}}.jpg", lambda r: _jpeg(ask.found(*_of_example(r)))),
            get(f"{here}/told/{{id}}.jpg", lambda r: _jpeg(ask.told(*_of_example(r)))),
            get(
                f"{here}/why",
                lambda r: ask.why(r.path_params["name"], number_of(r, "number"), r.query_params.get("was", "")),
            ),
            Route(f"{here}/{{action}}", self._act, methods=["POST"]),
        ]

    def _state(self) -> dict[str, Any]:
        if self._sessions is not None:
            self._sessions.keep()
        fleet = None if self._fleet is None else self._fleet.pipeline
        return self._requests.state() | {"guarded": self._sessions is not None, "fleet": fleet}

    def _of_fleet(self) -> FleetRequests:
        if self._fleet is None:
            raise NotHere("this device is in no fleet")
        return self._fleet

    async def _act(self, request: Request) -> Response:
        try:
            body = await json_body(request, PATIENCE_S)
        except BadBody as error:
            return refused(request, error.status, str(error))
        name, action = request.path_params["name"], request.path_params["action"]
        return await _answered(request, lambda: self._requests.act(name, action, body))

    async def _act_on_fleet(self, request: Request) -> Response:
        try:
            body = await json_body(request, PATIENCE_S)
        except BadBody as error:
            return refused(request, error.status, str(error))
        return await _answered(request, lambda: self._of_fleet().act(request.path_params["action"], body))

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
            return refused(request, error.status, str(error))
        who = self._guard.who(request)
        if not isinstance(token, str) or not self._access.right(token, who):
            if self._access.blocked(who):
                return refused(request, 429, "too many wrong tokens: wait a minute")
            return refused(request, 401, "this is not the token")
        response = Answer({})
        if self._sessions is not None:
            self._set_session(request, response, await run_in_threadpool(self._sessions.open), SESSION_S)
        return response

    async def _logout(self, request: Request) -> Response:
        response = Answer({})
        if self._sessions is not None:
            name = request.cookies.get(self._guard.cookie(request), "")
            await run_in_threadpool(self._sessions.close, name)
            self._set_session(request, response, "", 0.0)
        return response

    def _set_session(self, request: Request, response: Response, name: str, seconds: float) -> None:
        """Give a browser the name of its session, for so long."""
        response.set_cookie(
            self._guard.cookie(request),
            name,
            max_age=int(seconds),
            path=None,  # where it was asked from, so that consoles below two paths of one proxy stand side by side
            httponly=True,
            samesite="strict",
            secure=self._guard.secure(request),
        )


def _file(data: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response(data, media_type=kind)

    return answer


def _sync(function: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await _answered(request, lambda: function(request))

    return answer


async def _answered(request: Request, function: Callable[[], Any]) -> Response:
    """What a function returns, or its error as a status and a line."""
    try:
        made = await run_in_threadpool(function)
    except NotHere as error:
        return refused(request, 404, str(error))
    except SourceTimeout as error:
        return refused(request, 503, str(error))
    except EdgeTLError as error:
        return refused(request, 400, str(error))
    return made if isinstance(made, Response) else Answer(answer_on_phone(made))


async def _no_such_address(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return refused(request, status, "there is nothing at this address" if status == 404 else "GET or POST is wanted")


async def _failed(request: Request, _: Exception) -> Response:
    return refused(request, 500, "this failed, and the log says why")


def _of_label(request: Request) -> tuple[str, str]:
    """The pipeline and the label that are asked for."""
    return request.path_params["name"], request.query_params.get("label", "")


def _of_example(request: Request) -> tuple[str, int]:
    """The pipeline and the example that are asked for; NotHere for what is no number of any."""
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotHere(f"there is no example {text[:20]!a}")
    return request.path_params["name"], int(text)


def _jpeg(data: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(data, media_type="image/jpeg", headers=headers)
