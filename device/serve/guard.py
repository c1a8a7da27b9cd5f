"""What every HTTP request passes first: name and origin, method and size, session or token.

Who asks with a browser's address line gets a page of one sentence in the place of JSON.
"""

from __future__ import annotations

import base64
import hashlib
import html

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from device.serve.access import Access
from device.serve.bodies import MAX_BYTES, Answer
from device.serve.config import WebConfig
from device.serve.connections import network_of
from device.serve.names import host_allowed, name_and_port
from device.serve.phone_words import on_phone
from device.serve.proxies import FORWARDED, Proxies
from device.serve.sessions import Sessions
from device.serve.web_files import MAX_PASSED_BYTES, file_name, refused_type, takes_file, too_large
from edge_tl.errors import counted

COOKIE = "edge_tl_session"
_STYLE = (
    ":root{color-scheme:light dark}body{max-width:34rem;margin:4rem auto;padding:0 1.2rem;font:1.15rem/1.5 system-ui,"
    "sans-serif;overflow-wrap:anywhere}h1{font-size:1.3rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'self'; style-src 'self' 'sha256-{_STYLE_HASH}'; "
    "img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PORTS = {"http": ":80", "https": ":443"}
_SHOWN = 80
"""Characters of a header that are told back."""


class Guard:
    """ASGI middleware: lets through what may pass, and answers all else with a status and one line.

    open_to_all: addresses that need neither session nor token.
    """

    def __init__(
        self, app: ASGIApp, config: WebConfig, access: Access, sessions: Sessions | None, open_to_all: set[str]
    ) -> None:
        self.app, self.config, self.access, self.sessions, self.open_to_all = app, config, access, sessions, open_to_all
        self.proxies = Proxies(config.proxies)

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
            await refused(request, *refusal)(scope, receive, send_safely)
            return
        await self.app(scope, receive, send_safely)  # a body is counted by who reads it

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        host = request.headers.get("host", "")
        if not host_allowed(host, self.config.listen, self.config.hosts):
            return 421, _wrong_name(request)
        origin = request.headers.get("origin")
        if origin is not None and not _same(origin, host):
            return 403, _wrong_origin(request, origin)
        if request.method not in ("GET", "HEAD", "POST"):
            return 405, "GET or POST is wanted"
        if request.method == "POST":
            kind, length = request.headers.get("content-type", ""), request.headers.get("content-length", "0")
            if takes_file(request.url.path):
                if refused_type(kind):
                    return 415, refused_type(kind)
                if not length.isdigit() or int(length) > MAX_PASSED_BYTES:
                    return 413, too_large(file_name(request.query_params.get("file", "")))
            elif kind.split(";")[0].strip() != "application/json":
                return 415, "JSON is wanted, with Content-Type: application/json"
            elif not length.isdigit() or int(length) > MAX_BYTES:
                return 413, f"at most {counted(MAX_BYTES, 'byte')} are wanted"
        if request.url.path in self.open_to_all or self.permitted(request):
            return None
        if self.access.blocked(self.who(request)):
            return 429, "too many wrong tokens: wait a minute"
        return 401, "the token is wanted: in the console, or as Authorization: Bearer"

    def permitted(self, request: Request) -> bool:
        """Whether the request carries an open session or the token."""
        if self.sessions is None or self.sessions.valid(request.cookies.get(self.cookie(request), "")):
            return True
        word, _, token = request.headers.get("authorization", "").partition(" ")
        return word.lower() == "bearer" and self.access.right(token.strip(), self.who(request))

    def cookie(self, request: Request) -> str:
        """The name of the cookie of a session: with the port, for which browsers keep no cookies apart."""
        port = (
            name_and_port(request.headers.get("host", ""))[1]
            or (request.scope.get("server") or ("", self.config.port))[1]
        )
        return f"{COOKIE}_{port}"

    def who(self, request: HTTPConnection) -> str:
        """Who asks, as it is counted."""
        return network_of(self.proxies.client(_peer(request), request.headers))

    def secure(self, request: Request) -> bool:
        """Whether the browser reached this by https, as far as is known for certain."""
        return self.config.tls_cert is not None or self.proxies.secure(_peer(request), request.headers)


def refused(request: Request, status: int, line: str) -> Response:
    """A status and a line: a page where somebody opened an address in a browser, else JSON."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        said = html.escape(line[:1].upper() + line[1:])
        return HTMLResponse(
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, '
            f'initial-scale=1"><title>edge-tl</title><style>{_STYLE}</style><h1>edge-tl</h1><p>{said}.</p></html>',
            status,
        )
    later = {"Retry-After": "2"} if status == 503 else None
    return Answer({"error": on_phone(line)}, status, later)


def _wrong_name(request: Request) -> str:
    """What to do where a name is none of ours."""
    name = name_and_port(request.headers.get("host", ""))[0][:_SHOWN].encode("ascii", "backslashreplace").decode()
    line = f'"{name}" is not one of this device\'s names: whoever looks after it can add it to hosts under [web]'
    address, port = request.scope.get("server") or ("", None)
    if address in ("", "127.0.0.1", "::1") or port is None:
        return line
    address = network_of(address) if address.startswith("::ffff:") else address
    bracketed = f"[{address}]" if ":" in address else address
    return f"{line}; {request.url.scheme}://{bracketed}:{port}/ is one"


def _wrong_origin(request: Request, origin: str) -> str:
    """Whose fault it may be that a page's origin is not the name that is asked for."""
    place, host = (
        text[:_SHOWN].encode("ascii", "backslashreplace").decode() for text in (origin, request.headers.get("host", ""))
    )
    passed_on = "have it pass on the Host that it got (nginx: proxy_set_header Host $http_host)"
    if any(name in request.headers for name in FORWARDED):
        return f"the page came from {place}, and a proxy asked for it as {host}: {passed_on}"
    return f"another site sent this ({place}, not {host}); if a proxy stands before this device, {passed_on}"


def _same(origin: str, host: str) -> bool:
    """Whether an Origin is the host that is asked for; the port that its scheme implies may be said or not."""
    scheme, _, place = origin.lower().partition("://")
    port = _PORTS.get(scheme, "")
    return bool(place) and place.removesuffix(port) == host.lower().removesuffix(port)


def _peer(request: HTTPConnection) -> str:
    return "" if request.client is None else request.client.host
