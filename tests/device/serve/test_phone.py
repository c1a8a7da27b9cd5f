"""A phone before the console, in a real Chromium at a phone's size: its camera, its files, and what it takes along."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import browser
import numpy as np
import pytest
from certificates import certificate
from striped import picture

from benchmarks.serving import Serving
from edge_tl.media.image import decode
from edge_tl.media.wav import encode_wav
from edge_tl.store.profile import Profile

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed (apt install chromium)")

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
AWAY = '[pipelines.signs]\ncamera = "usb:97"\nlook = "frame"\n'
"""A device whose own camera is not there."""


def shot(page: browser.Browser, folder: Path, name: str) -> None:
    """A picture of the page, kept where somebody asked for it."""
    page.screenshot(folder / f"{name}.png")
    if "EDGE_TL_SCREENSHOTS" in os.environ:
        shutil.copy(folder / f"{name}.png", Path(os.environ["EDGE_TL_SCREENSHOTS"]) / f"{name}.png")


def add_class(page: browser.Browser, label: str, number: int) -> str:
    """Add a class on the page; what selects its button."""
    page.do(f"document.querySelector('.new input').value = {json.dumps(label)}")
    page.do("document.querySelector('.new button').click()")
    page.until(f"document.querySelectorAll('.classes li').length === {number}")
    return f".classes li:nth-child({number}) .hold"


def test_a_phone_teaches_with_its_own_camera(tmp_path: Path) -> None:
    """A held class records the phone's frames as one take, trained they give bars and a label, and it lets go again."""
    with Serving(tmp_path / "s", AWAY) as serving, browser.Browser(tmp_path / "p", 390, 844, *CAMERA) as page:
        serving.start()
        page.open(serving.address)
        page.until("document.querySelector('#status').textContent === 'live'")
        held = [add_class(page, label, number) for number, label in enumerate(("one", "two"), 1)]
        page.do("document.querySelector('.phone').open = true")
        page.do("document.querySelector('.camera').click()")
        page.until("document.querySelector('.own').videoWidth > 0")
        page.until("document.querySelector('.live').hidden")
        for take in (1, 2):
            for selector in held:
                small = f"document.querySelector({selector!r} + ' small').textContent"
                page.press(selector)
                page.until(f"document.querySelector({selector!r}).matches('.on')")
                page.until(f"parseInt({small}) >= {5 * take}")
                page.release(selector)
                page.until("document.querySelector('.said').textContent.startsWith('recorded ')")
                page.until(f"!document.querySelector({selector!r}).matches('.on')")
        counts = serving.state()["signs"]["counts"]
        assert [takes for _, takes in counts.values()] == [2, 2]
        listed = serving.ask("/api/pipelines/signs/takes")[1]["takes"]
        assert {one["source"] for one in listed} == {"a phone's camera"}
        example = listed[0]["examples"][0]["id"]
        assert decode(serving.ask(f"/api/pipelines/signs/examples/{example}.jpg")[1]).std() > 10
        page.do("document.querySelector('.train').click()")
        page.until("document.querySelectorAll('.bars .bar').length === 2")
        page.until("document.querySelector('.label').textContent !== ''")
        shot(page, tmp_path, "camera")
        assert page.do("document.documentElement.scrollWidth <= innerWidth")
        page.do("document.querySelector('.turn').click()")
        page.until("document.querySelector('.own').videoWidth > 0 && !document.querySelector('.own').hidden")
        page.do("document.querySelector('.camera').click()")
        page.until("document.querySelector('.own').hidden && !document.querySelector('.live').hidden")
        # Of the device's own camera there is no picture yet, which is a 400, rightly.
        assert [one for one in page.problems if "400" not in one and "503" not in one] == []


def test_a_page_that_may_not_have_the_camera_says_why_and_what_to_do(tmp_path: Path) -> None:
    """Over http by the device's name the browser keeps the camera to itself, and the button says what helps."""
    named = ("--host-resolver-rules=MAP pi.test 127.0.0.1",)
    with (
        Serving(tmp_path / "s", AWAY + '[web]\nport = 0\nhosts = ["pi.test"]\n') as serving,
        browser.Browser(tmp_path / "p", 390, 844, *CAMERA, *named) as page,
    ):
        serving.start()
        page.open(serving.address.replace("127.0.0.1", "pi.test"))
        page.until("document.querySelector('#status').textContent === 'live'")
        assert not page.do("isSecureContext")
        page.do("document.querySelector('.phone').open = true")
        page.do("document.querySelector('.camera').click()")
        page.until("document.querySelector('.why').textContent.includes('came over https')")
        assert page.do("document.querySelector('.own').hidden")
        shot(page, tmp_path, "insecure")


def test_a_browser_without_a_camera_says_so(tmp_path: Path) -> None:
    """Where there is none, or the person refused it, the button says which."""
    with Serving(tmp_path / "s", AWAY) as serving, browser.Browser(tmp_path / "p") as page:
        serving.start()
        page.open(serving.address)
        page.until("document.querySelector('#status').textContent === 'live'")
        page.do("document.querySelector('.phone').open = true")
        page.do("document.querySelector('.camera').click()")
        page.until("/allow it|no camera/.test(document.querySelector('.why').textContent)")
        assert page.do("document.querySelector('.own').hidden")


def test_over_tls_the_camera_is_given_and_logging_out_ends_it(tmp_path: Path) -> None:
    """With a certificate the page has the camera, behind the token; whoever logs out takes it along."""
    key, cert = certificate(tmp_path)
    web = f'[web]\nport = 0\ntoken_file = "{tmp_path}/token"\ntls_cert = "{cert}"\ntls_key = "{key}"\n'
    with (
        Serving(tmp_path / "s", AWAY + web) as serving,
        browser.Browser(tmp_path / "p", 390, 844, *CAMERA, "--ignore-certificate-errors") as page,
    ):
        serving.start()
        page.open(serving.address)
        page.until("!document.querySelector('#login').hidden")
        page.do(f"document.querySelector('#token').value = {json.dumps((tmp_path / 'token').read_text().strip())}")
        page.do("document.querySelector('#login button').click()")
        page.until("document.querySelector('#status').textContent === 'live'")
        held = add_class(page, "one", 1)
        page.do("document.querySelector('.phone').open = true")
        page.do("document.querySelector('.camera').click()")
        page.until("document.querySelector('.own').videoWidth > 0")
        page.press(held)
        page.until(f"parseInt(document.querySelector({held!r} + ' small').textContent) >= 2")
        page.release(held)
        page.do("window.track = document.querySelector('.own').srcObject.getTracks()[0]")
        page.do("document.querySelector('#leave').click()")
        page.until("window.track.readyState === 'ended'")


def test_a_phone_gives_files_and_takes_the_model_and_the_examples_along(tmp_path: Path) -> None:
    """Several files are one take, a bad one is named, "what is this?" is answered, takes are deleted at once."""
    pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)
    files = tmp_path / "files"
    fetched = tmp_path / "fetched"
    for folder in (files, fetched):
        folder.mkdir()
    paths: dict[str, list[Path]] = {"across": [], "upright": []}
    for label, made in paths.items():
        for seed in range(25):
            made.append(files / f"{label}{seed}.jpg")
            made[-1].write_bytes(picture(label, seed))
    (files / "bad.jpg").write_bytes(b"nothing")
    with Serving(tmp_path / "s", AWAY) as serving, browser.Browser(tmp_path / "p") as page:
        serving.start()
        page.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(fetched))
        page.open(serving.address)
        page.until("document.querySelector('#status').textContent === 'live'")
        page.do("document.querySelector('.phone').open = true")
        given = "document.querySelector('.given').textContent"
        page.choose(".add", paths["across"][0])
        page.until(f"{given}.includes('add a class first')")
        page.do("document.querySelector('.zip').click()")
        page.until("document.querySelector('.said').textContent.includes('nothing was recorded yet')")
        for number, (label, made) in enumerate(paths.items(), 1):
            add_class(page, label, number)
            page.do(f"document.querySelector('.of').value = {json.dumps(label)}")
            for some in (made[:13], [*made[12:], files / "bad.jpg"]):
                page.choose(".add", *some)
                page.until(f"{given}.startsWith('added ')")
                page.do("document.querySelector('.given').textContent = ''") if some[-1] in made else None
            assert page.do(given).startswith(f"added 12 to {label} · 1 is there already and was skipped · bad.jpg: ")
        assert [takes for _, takes in serving.state()["signs"]["counts"].values()] == [2, 2]
        page.do("document.querySelector('.train').click()")
        page.until("document.querySelector('.result').textContent.includes('95 % interval')")
        (files / "new.jpg").write_bytes(picture("upright", 99))
        page.choose(".what", files / "new.jpg")
        page.until(f"{given}.startsWith('new.jpg: upright, ')")
        page.until("document.querySelectorAll('.asked canvas').length === 1")
        page.until("document.querySelectorAll('.asked .bar').length === 2")
        page.choose(".what", files / "bad.jpg")
        page.until(f"{given}.includes('bad.jpg: is no picture')")
        shot(page, tmp_path, "files")
        page.do("document.querySelector('.gallery').open = true")
        page.until("document.querySelectorAll('.group').length === 2")
        page.do("document.querySelector('.group').open = true")
        page.until("document.querySelectorAll('.group .take').length === 2")
        page.do("document.querySelector('.take').scrollIntoView()")  # what is not looked at is not fetched
        page.until("document.querySelector('.take img').naturalWidth > 0")
        shot(page, tmp_path, "examples")
        page.do("document.querySelector('.zip').click()")
        page.do("document.querySelector('.model').click()")
        page.until("document.querySelector('.said').textContent.includes('the model file was downloaded')")
        page.do("window.confirm = (text) => { window.asked = text; return true; }")
        page.do("document.querySelector('.forget-take').click()")
        page.until("document.querySelectorAll('.group .take').length === 1")
        assert "with its 12 examples" in page.do("window.asked")
        assert serving.state()["signs"]["counts"]["across"] == [13, 1]
        assert page.do("document.documentElement.scrollWidth <= innerWidth")
        page.until("true")
        wait_for = {"signs.tflite", "signs-examples.zip"}
        while not wait_for <= {path.name for path in fetched.iterdir()}:
            page.do("new Promise((done) => setTimeout(done, 50))")
        assert [one for one in page.problems if "400" not in one and "503" not in one] == []


def test_many_examples_are_turned_over_page_by_page(tmp_path: Path) -> None:
    """The newest ten takes, then the older ones; of a take the newest, then the rest."""
    with Profile(tmp_path / "s" / "state" / "profiles" / "default", writable=True) as profile:
        for _ in range(12):
            take = profile.store.new_take("up", "made")
            for _ in range(30):
                profile.store.add(take, None, np.zeros(4, np.float32), "0" * 64)
    with Serving(tmp_path / "s", AWAY) as serving, browser.Browser(tmp_path / "p") as page:
        serving.start()
        page.open(serving.address)
        page.until("document.querySelector('#status').textContent === 'live'")
        page.do("document.querySelector('.gallery').open = true")
        page.until("document.querySelectorAll('.group').length === 1")
        page.do("document.querySelector('.group').open = true")
        page.until("document.querySelectorAll('.take').length === 10")
        assert page.do("document.querySelector('.about-take').textContent").startswith("take 12 · 30 examples")
        assert page.do("document.querySelector('.older').textContent") == "2 older takes …"
        page.do("document.querySelector('.older').click()")
        page.until("document.querySelectorAll('.take').length === 12 && document.querySelector('.older').hidden")
        assert page.do("document.querySelectorAll('.take:first-child li').length") == 24
        assert page.do("document.querySelector('.take .more').textContent") == "6 more …"
        page.do("document.querySelector('.take .more').click()")
        page.until("document.querySelectorAll('.take:first-child li').length === 30")
        assert page.do("document.querySelector('.take .more').hidden")
        assert page.do("document.documentElement.scrollWidth <= innerWidth")


def test_sound_that_the_device_does_not_read_is_unpacked_by_the_phone(tmp_path: Path) -> None:
    """A page of words sends a WAV as it is, and what else the browser can play as a WAV of its own."""
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")
    import soundfile
    from made_words import RATE_HZ, spoken

    whole = tmp_path / "plain.wav"
    whole.write_bytes(encode_wav(spoken("hum", 1), RATE_HZ))
    packed = tmp_path / "phone.mp3"
    soundfile.write(packed, spoken("hum", 2), RATE_HZ, format="MP3")
    more = f'[pipelines.words]\nmic = "{tmp_path}/none.wav"\nprofile = "words"\n'
    with Serving(tmp_path / "s", more) as serving, browser.Browser(tmp_path / "p") as page:
        serving.start()
        page.open(serving.address)
        page.until("document.querySelector('#status').textContent === 'live'")
        assert page.do("document.querySelector('.camera').hidden")
        page.do("document.querySelector('.phone').open = true")
        add_class(page, "hum", 1)
        page.choose(".add", whole, packed)
        page.until("document.querySelector('.given').textContent === 'added 2 to hum'")
        # Each recording is a take of its own, as when it is spoken.
        assert serving.state()["words"]["counts"]["hum"] == [2, 2]
