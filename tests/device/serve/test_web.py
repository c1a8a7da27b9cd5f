"""The web console and its API, in the real process: who may use it, and that it teaches from a browser."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import browser
import pytest
from certificates import certificate

from benchmarks.serving import LONG_S, Serving
from device.serve.access import GUESS_S, GUESSES, MAX_GUESSERS, Access, token_of
from edge_tl.embedders.look.choices import WAYS
from edge_tl.errors import ConfigError
from edge_tl.heads import HEADS
from edge_tl.testing import FakeClock

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service on loopback with the simulated player."""
    with Serving(tmp_path_factory.mktemp("serve")) as made:
        yield made.start()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that is reached from outside, with a token."""
    folder = tmp_path_factory.mktemp("guarded")
    more = f'[web]\nlisten = "0.0.0.0"\nport = 0\ntoken_file = "{folder}/token"\nhosts = ["pi.test"]\n'
    with Serving(folder, more) as made:
        yield made.start()


def token(guarded: Serving) -> str:
    return (guarded.folder / "token").read_text().strip()


def raw(address: str, request: bytes) -> bytes:
    """What a server answers to these bytes."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), LONG_S) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while data := client.recv(65536):
            answer += data
    return answer


def test_a_device_is_taught_trained_and_rolled_back_over_http(serving: Serving) -> None:
    """Held buttons make examples that are on disk, training says how good it is, events arrive, roll-back works."""
    for label in ("up", "down", "left"):
        serving.teach(label, 12)
        serving.teach(label, 12)
    trained = serving.act("train")
    assert trained["generation"] == 1
    assert 0 <= trained["evaluation"]["headline"]["accuracy"] <= 1
    assert trained["advice"]
    again = serving.act("train", head="mlp")
    assert (again["generation"], again["head"]) == (2, "mlp")
    assert len(again["curve"]) > 1
    assert serving.act("train")["head"] == "mlp"
    assert serving.act("roll-back")["generation"] == 2
    assert serving.act("roll-back")["generation"] == 1
    assert serving.act("roll-forward")["generation"] == 2
    assert serving.act("roll-back")["generation"] == 1
    status, generations = serving.ask("/api/pipelines/signs/generations")
    assert status == 200
    assert [(one["number"], one["rolled_back"]) for one in generations] == [(3, True), (2, True), (1, False)]
    state = serving.state()["signs"]
    assert state["classes"] == ["down", "left", "up"]
    assert (state["heads"], state["ways"]) == (list(HEADS), list(WAYS))
    examples = sum(count for count, _ in state["counts"].values())
    status, listed = serving.ask("/api/pipelines/signs/examples?label=up")
    assert listed["total"] == state["counts"]["up"][0]
    first = listed["examples"][0]["id"]
    status, thumbnail = serving.ask(f"/api/pipelines/signs/examples/{first}.jpg")
    assert (status, thumbnail[:3]) == (200, b"\xff\xd8\xff")
    assert serving.act("forget", ids=[first])["removed"] == 1
    assert sum(count for count, _ in serving.state()["signs"]["counts"].values()) == examples - 1
    serving.act("rename", label="left", to="links")
    serving.act("tune", on=0.7, off=0.6)
    assert serving.state()["signs"]["tuning"]["on"] == 0.7
    assert set(serving.state()["signs"]["counts"]) == {"up", "down", "links"}
    serving.act("forget-label", label="links")
    assert serving.act("undo")["undone"][0] == "down"


def test_events_stream_as_they_come(serving: Serving) -> None:
    """Server-sent events: after a new training the steady label is told to who listens, as it is in `recent`."""
    for label in ("up", "down"):
        serving.teach(label, 12)
    place = urlsplit(serving.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LONG_S)
    connection.request("GET", "/api/events")
    response = connection.getresponse()
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.readline() == b": here\n"
    serving.act("tune", on=0.3, off=0.2, smoothing_s=0.0)
    serving.act("train")
    event = None
    while event is None:
        line = response.readline()
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
    connection.close()
    assert set(event) == {"label", "confidence", "source", "time", "generation"}
    recent = serving.ask("/api/events/recent")[1]
    assert event in recent


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/pipelines/none/train", {}, 404),
        ("/api/pipelines/signs/explode", {}, 404),
        ("/api/pipelines/signs/record", {}, 400),
        ("/api/pipelines/signs/record", {"label": ""}, 400),
        ("/api/pipelines/signs/record", {"label": "x" * 65}, 400),
        ("/api/pipelines/signs/record", {"label": 7}, 400),
        ("/api/pipelines/signs/train", {"head": "tuned"}, 400),
        ("/api/pipelines/signs/train", {"head": ["ridge"]}, 400),
        ("/api/pipelines/signs/forget", {"ids": ["1; drop"]}, 400),
        ("/api/pipelines/signs/forget", {"ids": [10**30]}, 400),
        ("/api/pipelines/signs/tune", {"run": ["/bin/sh"]}, 400),
        ("/api/pipelines/signs/tune", {"on": 2}, 400),
        ("/api/pipelines/signs/rename", {"label": "nobody", "to": "x"}, 400),
        ("/api/pipelines/..%2f..%2fetc/train", {}, 404),
        ("/api/fleet", None, 404),
        ("/api/fleet/aside", {"device": "desk"}, 404),
    ],
)
def test_bad_requests_get_one_line(serving: Serving, path: str, body: Any, status: int) -> None:
    """Whatever is wrong with a request, the answer is a status and one line of JSON, and the service goes on."""
    code, answer = serving.ask(path, body)
    assert code == status
    if isinstance(answer, dict):
        assert "\n" not in answer["error"]
    assert serving.ask("/health")[0] == 200


def test_another_site_cannot_use_it(serving: Serving) -> None:
    """Requests with another site's Origin, a rebound name, or a form's content type are refused."""
    port = urlsplit(serving.address).port
    assert serving.ask("/api/pipelines/signs/undo", {}, Origin="https://evil.example")[0] == 403
    assert serving.ask("/api/state", Origin="null")[0] == 403
    assert serving.ask("/api/state", Host=f"evil.example:{port}")[0] == 421
    assert serving.ask("/api/state", Host=f"localhost:{port}")[0] == 200
    form = b"POST /api/pipelines/signs/undo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    assert (
        b" 415 " in raw(serving.address, form + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}").split(b"\r\n")[0]
    )
    assert serving.ask("/api/state", Origin=serving.address)[0] == 200


def test_bodies_and_garbage_have_limits(serving: Serving) -> None:
    """Too much, chunked without an end, or no HTTP at all: refused, and the next request is answered."""
    kind = b"Host: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    head = b"POST /api/pipelines/signs/undo HTTP/1.1\r\n" + kind
    assert b" 413 " in raw(serving.address, head + b"Content-Length: 99999999\r\n\r\n").split(b"\r\n")[0]
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    raw(serving.address, head + b"Transfer-Encoding: chunked\r\n\r\n" + 3 * chunk)
    assert b"400" in raw(serving.address, b"\x00\xff\x00\r\n\r\n")
    assert b" 405 " in raw(serving.address, b"DELETE /api/state HTTP/1.1\r\n" + kind + b"\r\n").split(b"\r\n")[0]
    assert serving.ask("/health")[0] == 200


def test_from_outside_nothing_is_shown_without_the_token(guarded: Serving) -> None:
    """Off loopback the API asks for the token, as a bearer or by the console's login; the log warns of missing TLS."""
    assert guarded.ask("/api/state")[0] == 401
    assert guarded.ask("/api/pipelines/signs/picture.jpg")[0] == 401
    assert guarded.ask("/api/fleet")[0] == 401
    assert guarded.ask("/api/fleet/accept", {"device": "desk"})[0] == 401
    code, health = guarded.ask("/health")
    assert (code, set(health)) == (200, {"status"})
    assert guarded.ask("/api/state", Authorization=f"Bearer {token(guarded)}")[0] == 200
    assert guarded.ask("/api/state", Authorization="Bearer wrong")[0] == 401
    assert guarded.ask(f"/api/state?token={token(guarded)}")[0] == 401
    assert "without TLS" in guarded.log
    assert token(guarded) not in guarded.log
    assert (guarded.folder / "token").stat().st_mode & 0o777 == 0o640
    assert guarded.ask("/api/state", Authorization=f"Bearer {token(guarded)}", Host="pi.test")[0] == 200
    assert guarded.ask("/api/state", Authorization=f"Bearer {token(guarded)}", Host="evil.test")[0] == 421


def test_a_login_gives_a_cookie_that_scripts_cannot_read(guarded: Serving) -> None:
    """The cookie is HttpOnly and SameSite=Strict, is no token, and ends with the logout."""
    place = urlsplit(guarded.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LONG_S)
    kind = {"Content-Type": "application/json"}
    connection.request("POST", "/api/login", json.dumps({"token": token(guarded)}), kind)
    response = connection.getresponse()
    response.read()
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert token(guarded) not in cookie
    session = cookie.split(";")[0]
    assert guarded.ask("/api/state", Cookie=session)[0] == 200
    assert guarded.ask("/api/logout", {}, Cookie=session)[0] == 200
    assert guarded.ask("/api/state", Cookie=session)[0] == 401
    connection.close()


def test_tokens_cannot_be_guessed() -> None:
    """After ten wrong tokens in a minute an address has to wait, no other one has, and the right token is right."""
    clock = FakeClock(1000.0)
    access = Access("the-right-token-of-this-device", clock)
    for _ in range(GUESSES):
        assert not access.blocked("one")
        assert not access.right("wrong", "one")
    assert access.blocked("one")
    assert not access.blocked("other")
    clock.advance(GUESS_S + 1)
    assert not access.blocked("one")
    for _ in range(GUESSES):
        assert not access.right("wrong", "one")
    assert access.right("the-right-token-of-this-device", "one")
    assert not access.blocked("one")
    for number in range(2 * MAX_GUESSERS):
        assert not access.right("wrong", str(number))
    assert len(access._wrong) == MAX_GUESSERS


def test_a_token_file_that_everybody_reads_is_refused(tmp_path: Path) -> None:
    """A token that is open to all, too short or unreadable is a ConfigError that says what to do."""
    path = tmp_path / "token"
    made = token_of(path)
    assert len(made) > 40
    assert token_of(path) == made
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 0640"):
        token_of(path)
    path.chmod(0o640)
    path.write_text("short\n")
    with pytest.raises(ConfigError, match="5 characters"):
        token_of(path)
    with pytest.raises(ConfigError, match="cannot be used"):
        token_of(tmp_path / "no" / "token")


def test_tls_encrypts_what_is_sent(tmp_path: Path) -> None:
    """With a certificate the console is HTTPS and its cookie is Secure; a broken one is told at start."""
    key, cert = certificate(tmp_path)
    more = f'[web]\nport = 0\ntoken_file = "{tmp_path}/token"\ntls_cert = "{cert}"\ntls_key = "{key}"\n'
    with Serving(tmp_path / "s", more) as serving:
        serving.start()
        place = urlsplit(serving.address)
        context = ssl.create_default_context(cafile=str(cert))
        connection = http.client.HTTPSConnection("localhost", place.port, timeout=LONG_S, context=context)
        body = json.dumps({"token": (tmp_path / "token").read_text().strip()})
        connection.request("POST", "/api/login", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        assert "Secure" in response.headers["Set-Cookie"]
        connection.close()
        assert serving.stop() == 0
        cert.write_text("no certificate")
        with pytest.raises(AssertionError, match="tls_cert"):
            serving.start()


@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed (apt install chromium)")
def test_a_person_teaches_it_in_a_real_browser(tmp_path: Path) -> None:
    """In Chromium, at a phone's size: log in, hold buttons, train, look at curves and examples, roll back, log out."""
    more = f'[web]\nport = 0\ntoken_file = "{tmp_path}/token"\n'
    with Serving(tmp_path / "s", more) as serving, browser.Browser(tmp_path / "profile") as page:
        serving.start()
        page.open(serving.address)
        page.until("!document.querySelector('#login').hidden")
        page.do("document.querySelector('#token').value = 'not the token at all'")
        page.do("document.querySelector('#login button').click()")
        page.until("document.querySelector('#refused').textContent.includes('not the token')")
        secret = json.dumps((tmp_path / "token").read_text().strip())
        page.do(f"document.querySelector('#token').value = {secret}")
        page.do("document.querySelector('#login button').click()")
        page.until("document.querySelector('#status').textContent === 'live'")
        # Whatever a label holds is shown as text.
        labels = ["up", "down", "<img src=x onerror=alert(1)>"]
        for number, label in enumerate(labels, 1):
            page.do(f"document.querySelector('.new input').value = {json.dumps(label)}")
            page.do("document.querySelector('.new button').click()")
            page.until(f"document.querySelectorAll('.classes li').length === {number}")
            selector = f".classes li:nth-child({number}) .hold"
            examples = f"(parseInt(document.querySelector({selector!r} + ' small').textContent) || 0)"
            for take in (1, 2):
                wanted = page.do(examples) + 15
                page.press(selector)
                page.until(f"{examples} >= {wanted}")
                page.release(selector)
                # A machine that stands still for two seconds lets the button go, and the next message presses it again.
                takes = f"document.querySelector({selector!r} + ' small').textContent.split(' in ')[1]"
                page.until(f"parseInt({takes}) >= {take} && !document.querySelector({selector!r}).matches('.on')")
        heads = page.do("[...document.querySelectorAll('.tuning select')[0].options].map((one) => one.value)")
        assert heads == ["", *HEADS]
        page.do("document.querySelector('.tuning select').value = 'mlp'")
        page.do("document.querySelector('.train').click()")
        page.until("document.querySelector('.result').textContent.includes('95 % interval')")
        page.until("document.querySelector('.result').textContent.includes('naive random split')")
        page.until("document.querySelectorAll('.confusion td').length === 9")
        page.until("document.querySelectorAll('.result .curve polyline').length === 2")
        page.until("document.querySelectorAll('.bars .bar').length === 3")
        page.until("document.querySelector('.live').naturalWidth > 100")
        page.do("document.querySelector('.gallery').open = true")
        page.until("document.querySelectorAll('.group').length === 3")
        page.do("document.querySelector('.group').open = true")
        page.until("document.querySelectorAll('.group img').length >= 30")
        page.do("document.querySelector('.group').scrollIntoView()")  # what is not looked at is not fetched
        # The first is deleted next: a picture that is gone before it was shown is a 404, rightly.
        page.until("document.querySelector('.group img').naturalWidth > 0")
        before = page.do("document.querySelectorAll('.group li').length")
        page.do("document.querySelector('.group li button').click()")
        page.until(f"document.querySelectorAll('.group li').length === {before - 1}")
        page.do("window.prompt = () => 'hoch'")
        page.do("document.querySelector('.group .rename').click()")
        page.until("[...document.querySelectorAll('.hold b')].some((one) => one.textContent === 'hoch')")
        page.do("document.querySelector('.gallery').open = false")
        page.do("document.querySelector('.generations').open = true")
        page.do("document.querySelector('.train').click()")
        page.until("document.querySelectorAll('.generations li').length === 2")
        page.until("document.querySelectorAll('.history circle').length === 2")
        page.until("!document.querySelector('.back').disabled")
        page.do("document.querySelector('.back').click()")
        page.until("document.querySelector('.generations').textContent.includes('set aside')")
        page.until("!document.querySelector('.forward').disabled && document.querySelector('.back').disabled")
        page.do("document.querySelector('#health').open = true")
        page.until("document.querySelector('#health dl').textContent.includes('ok')")
        page.until("document.querySelector('#health').textContent.includes('95 % within')")
        assert page.do("document.documentElement.scrollWidth <= innerWidth")
        # 503: a picture was asked for while it trained.
        assert [one for one in page.problems if "401" not in one and "503" not in one] == []
        page.screenshot(tmp_path / "console.png")
        if "EDGE_TL_SCREENSHOT" in os.environ:
            shutil.copy(tmp_path / "console.png", os.environ["EDGE_TL_SCREENSHOT"])
        assert serving.state_by(json.loads(secret))["signs"]["generation"] == 1
        page.do("document.querySelector('#leave').click()")
        page.until("!document.querySelector('#login').hidden")
