"""Behind reverse proxies: the files of the documents under a real nginx and a real Caddy, and who is believed."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import browser
import pytest
from certificates import certificate
from places import ROOT
from raw_http import free_port

from benchmarks.serving import LONG_S, Serving
from device.serve.config import parse_config
from device.serve.proxies import Proxies
from edge_tl.errors import ConfigError

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

NAME = "pi.home.arpa"
PAGE = (ROOT / "docs" / "proxies.md").read_text()
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CADDY = shutil.which("caddy")


def block(language: str) -> str:
    """The one block of a language on the page."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def replaced(text: str, **said: tuple[str, str]) -> str:
    """A text with what the page says replaced by what holds here; all of it must be there."""
    for what, meant in said.values():
        assert what in text, what
        text = text.replace(what, meant)
    return text


@contextlib.contextmanager
def running(command: list[str], *ready: str, **environment: str) -> Iterator[None]:
    """A program while it lasts, from when it said all that says that it is ready."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        said = ""
        try:
            while not all(word in said for word in ready):
                line = process.stderr.readline()
                assert line, f"{command[0]} did not start: {said}"
                said += line
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield
        finally:
            process.terminate()
            process.wait(LONG_S)


@contextlib.contextmanager
def nginx(folder: Path, port: int, kitchen: int, hall: int) -> Iterator[ssl.SSLContext]:
    """nginx with the file of the page; what trusts its certificate."""
    key, cert = certificate(folder, NAME)
    text = replaced(
        block("nginx"),
        listen=("listen 443", f"listen 127.0.0.1:{port}"),
        cert=("/etc/ssl/pi.pem", str(cert)),
        key=("/etc/ssl/pi.key", str(key)),
        kitchen=("127.0.0.1:8765;", f"127.0.0.1:{kitchen};"),
        hall=("127.0.0.1:8766/;", f"127.0.0.1:{hall}/;"),
    )
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr notice;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}{text}}}\n"
    )
    assert NGINX is not None
    with running([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")], "start worker process "):
        yield ssl.create_default_context(cafile=str(cert))


@contextlib.contextmanager
def caddy(folder: Path, port: int, kitchen: int, hall: int) -> Iterator[ssl.SSLContext]:
    """Caddy with the file of the page; what trusts its own authority."""
    text = replaced(
        block("caddy"),
        kitchen=("127.0.0.1:8765\n", f"127.0.0.1:{kitchen}\n"),
        hall=("127.0.0.1:8766\n", f"127.0.0.1:{hall}\n"),
    )
    own = f"admin off\nhttps_port {port}\nskip_install_trust\nauto_https disable_redirects\n"
    own += f"storage file_system {folder}\n"
    (folder / "Caddyfile").write_text(f"{{\n{own}}}\n{text}")
    assert CADDY is not None
    command = [CADDY, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with running(command, "serving initial configuration", "certificate obtained", HOME=str(folder)):
        context = ssl.create_default_context(cafile=str(folder / "pki" / "authorities" / "local" / "root.crt"))
        until_s = time.monotonic() + LONG_S
        while True:  # it says that it has its certificate a little before it shows it
            try:
                with context.wrap_socket(socket.create_connection(("127.0.0.1", port), LONG_S), server_hostname=NAME):
                    break
            except ssl.SSLError:
                if time.monotonic() > until_s:
                    raise
        yield context


Proxy = Callable[[Path, int, int, int], contextlib.AbstractContextManager[ssl.SSLContext]]


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Serving]]:
    """Two services with the settings of the page, each on a port of its own."""
    folder, made = tmp_path_factory.mktemp("devices"), {}
    with contextlib.ExitStack() as stack:
        for name in ("kitchen", "hall"):
            more = replaced(
                block("toml"),
                port=("port = 8765", f"port = {free_port()}"),
                token=("/var/lib/edge-tl/token", f"{folder}/{name}/token"),
            )
            made[name] = stack.enter_context(Serving(folder / name, more)).start()
        yield made


@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed (apt install chromium)")
@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_two_consoles_behind_the_proxy_of_the_documents(
    tmp_path: Path, proxy: Proxy, devices: dict[str, Serving]
) -> None:
    """With the file of the page: logins are Secure and stand side by side, events come at once, it is taught."""
    if (NGINX if proxy is nginx else CADDY) is None:
        pytest.skip(f"{proxy.__name__} is not installed (apt install {proxy.__name__})")
    port, label = free_port(), proxy.__name__
    with contextlib.ExitStack() as stack:
        ports = [int(one.address.rsplit(":", 1)[1]) for one in devices.values()]
        context = stack.enter_context(proxy(tmp_path, port, *ports))
        trusting(context, port, devices["kitchen"])
        at = f"MAP {NAME}:443 127.0.0.1:{port}"
        page = stack.enter_context(
            browser.Browser(tmp_path / "p", 390, 844, f"--host-resolver-rules={at}", "--ignore-certificate-errors")
        )
        for name, path in (("kitchen", "/"), ("hall", "/hall/"), ("kitchen", "/")):
            page.open(f"https://{NAME}{path}")
            page.until("location.protocol === 'https:' && document.querySelector('#leave')")
            page.until("!document.querySelector('#login').hidden || document.querySelector('.live')?.naturalWidth > 0")
            if not page.do("document.querySelector('#login').hidden"):
                secret = json.dumps((devices[name].folder / "token").read_text().strip())
                page.do(f"document.querySelector('#token').value = {secret}")
                page.do("document.querySelector('#login button').click()")
            page.until("document.querySelector('#status').textContent === 'live'")
            page.until("document.querySelector('.live').naturalWidth > 0")
            page.do(f"document.querySelector('.new input').value = '{label}'")
            page.do("document.querySelector('.new button').click()")
            page.until(f"[...document.querySelectorAll('.hold b')].some((one) => one.textContent === '{label}')")
        cookies = page.send("Network.getAllCookies")["cookies"]
        assert sorted(one["path"] for one in cookies) == ["/api", "/hall/api"]
        assert all(one["secure"] and one["httpOnly"] for one in cookies)


def trusting(context: ssl.SSLContext, port: int, serving: Serving) -> None:
    """What a program sees through the proxy: its certificate is good, and a quiet stream's first line comes at once."""
    token = (serving.folder / "token").read_text().strip()
    plain = socket.create_connection(("127.0.0.1", port), LONG_S)
    with context.wrap_socket(plain, server_hostname=NAME) as client:
        client.sendall(f"GET /api/events HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        response = http.client.HTTPResponse(client)
        response.begin()
        assert response.status == 200
        assert response.readline() == b": here\n"


def test_only_a_proxy_that_is_named_is_believed() -> None:
    """X-Forwarded-For and -Proto count from there alone; of several addresses the last that is no proxy of ours."""
    ours = Proxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])
    for peer, said, meant in (
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("::ffff:127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("2001:db8::9", "[2001:db9::1]:4711", "2001:db9::1"),
        ("127.0.0.1", "192.0.2.66, 192.0.2.7:55, 10.1.2.3", "192.0.2.7"),
        ("127.0.0.1", "192.0.2.66, unknown", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("192.0.2.1", "192.0.2.7", "192.0.2.1"),
        ("", "192.0.2.7", ""),
    ):
        assert ours.client(peer, {"x-forwarded-for": said}) == meant, (peer, said)
    for peer, said, secure in (
        ("127.0.0.1", "https", True),
        ("127.0.0.1", "http, HTTPS", True),
        ("127.0.0.1", "https, http", False),
        ("127.0.0.1", "", False),
        ("192.0.2.1", "https", False),
    ):
        assert ours.secure(peer, {"x-forwarded-proto": said}) is secure, (peer, said)
    assert not Proxies([]).secure("127.0.0.1", {"x-forwarded-proto": "https"})


def test_a_proxy_that_changes_the_name_is_told_of(devices: dict[str, Serving]) -> None:
    """Origin and Host differ: the line names the proxy where one speaks, else both that may be; 443 may be left out."""
    serving = devices["hall"]
    bearer = f"Bearer {(serving.folder / 'token').read_text().strip()}"
    body, page = {"label": "up"}, "https://pi.home.arpa"
    status, answer = serving.ask("/api/pipelines/signs/label", body, Origin=page, X_Forwarded_For="192.0.2.7")
    assert status == 403
    assert f"the page came from {page}, and a proxy asked for it as 127.0.0.1:" in answer["error"]
    assert "proxy_set_header Host $http_host" in answer["error"]
    status, answer = serving.ask("/api/pipelines/signs/label", body, Origin=page)
    assert status == 403
    assert answer["error"].startswith(f"another site sent this ({page}, not 127.0.0.1:")
    assert "if a proxy stands before this device" in answer["error"]
    for origin, host, status in (
        ("https://localhost", "localhost:443", 200),
        ("https://localhost:443", "localhost", 200),
        ("http://localhost:8080", "localhost", 403),
        ("http://localhost:443", "localhost", 403),
        ("null", "localhost", 403),
    ):
        assert (
            serving.ask("/api/pipelines/signs/label", body, Origin=origin, Host=host, Authorization=bearer)[0] == status
        ), origin


def test_proxies_are_checked_and_ask_for_a_token() -> None:
    """What is no address, and a console that a proxy opens to all without a token, are mistakes of the settings."""
    signs = '[pipelines.signs]\ncamera = "sim"\n[web]\n'
    with pytest.raises(ConfigError, match="proxies: 'nginx': an address or a network is wanted"):
        parse_config(f'{signs}token_file = "/t"\nproxies = ["nginx"]\n')
    with pytest.raises(ConfigError, match="give token_file"):
        parse_config(f'{signs}proxies = ["127.0.0.1"]\n')
    assert parse_config(f'{signs}token_file = "/t"\nproxies = ["127.0.0.1", "10.0.0.0/8"]\n').web is not None
