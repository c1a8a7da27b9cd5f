"""Files that a phone gives to the real process over HTTP: pictures and sounds as examples and as questions."""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from given_files import HERE, give_take, served_by_files, upload
from PIL import Image
from striped import picture

from benchmarks.serving import LONG_S, Serving
from edge_tl.labels import NOISE
from edge_tl.media.image import decode, encode_jpeg
from edge_tl.media.wav import encode_wav

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

from device.serve.requests import AT_ONCE
from device.serve.web_files import MAX_FILE_BYTES, file_name


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service whose camera is not there, taught two classes of two takes by files alone, and trained."""
    with served_by_files(tmp_path_factory.mktemp("files")) as made:
        yield made


def test_a_phone_teaches_with_files_alone_and_asks(serving: Serving) -> None:
    """Without a camera: files of one choice are one take, trained on, and a new file is named rightly, kept nowhere."""
    before = serving.state()["signs"]["counts"]
    assert before["across"][1] >= 2
    for label in ("across", "upright"):
        status, answer = serving.give(f"{HERE}/ask", picture(label, 100), file="what.jpg")
        assert (status, answer["nearest"]) == (200, label)
        assert answer["probabilities"][label] > 0.5
        assert answer["found"]
    assert serving.state()["signs"]["counts"] == before
    assert serving.state()["signs"]["state"] != "open"


def test_a_file_that_is_there_is_passed_over_and_said(serving: Serving) -> None:
    """The same bytes are no second example; under another class they are refused with both names."""
    before = serving.state()["signs"]["counts"]
    said = serving.act("release")["said"]
    status, done = upload(serving, "across", picture("across", 3))
    assert (status, done["added"], done["copies"]) == (200, 0, 1)
    assert serving.act("end-take")["said"] == said
    status, refused = upload(serving, "upright", picture("across", 3), "wrong.jpg")
    assert status == 400
    assert refused["error"].startswith("wrong.jpg: is the same as example")
    assert "'across'" in refused["error"]
    assert "edge-tl" not in refused["error"]
    assert serving.state()["signs"]["counts"] == before
    # Deleted, it is new again.
    example = serving.ask(f"{HERE}/examples?label=across")[1]["examples"][0]["id"]
    data = serving.ask(f"{HERE}/examples/{example}.jpg")
    assert data[0] == 200
    take = give_take(serving, "across", range(60, 61))
    assert upload(serving, "across", picture("across", 60))[1]["copies"] == 1
    assert serving.act("forget-take", take=take)["removed"] == 1
    assert upload(serving, "across", picture("across", 60))[1]["added"] == 1
    serving.act("undo")


def turned_by_exif() -> tuple[bytes, np.ndarray]:
    """A picture that its EXIF turns, brighter at the left as stored, and so at the top once it is upright."""
    stored = np.zeros((120, 160, 3), np.uint8)
    stored[:, :80] = 200
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stored).save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue(), np.rot90(stored, -1)


def test_a_picture_is_kept_upright_and_its_name_means_nothing(serving: Serving) -> None:
    """EXIF turns what is kept, and a PNG called .wav is a picture."""
    data, upright = turned_by_exif()
    status, done = upload(serving, "turned", data)
    assert (status, done["added"]) == (200, 1)
    example = serving.ask(f"{HERE}/examples?label=turned")[1]["examples"][0]["id"]
    small = decode(serving.ask(f"{HERE}/examples/{example}.jpg")[1])
    assert small.shape[0] > small.shape[1]
    assert small[: len(small) // 3].mean() > 150 > 60 > small[-len(small) // 3 :].mean()
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(upright[::-1])).save(out, "PNG")
    assert upload(serving, "turned", out.getvalue(), "sound.wav")[1]["added"] == 1
    serving.act("forget-label", label="turned")


def test_a_clip_is_a_take_of_frames(serving: Serving) -> None:
    """A telephone's film becomes pictures at even distances, all in one take, more than are embedded at once."""
    pytest.importorskip("av", reason='PyAV is not installed: pip install "edge-tl[phone]"')
    from phone_files import film

    data = film([decode(picture("across", 500 + number)) for number in range(40)])
    status, done = upload(serving, "filmed", data, "clip.mov")
    assert (status, done["copies"]) == (200, 0)
    assert AT_ONCE < done["added"] <= 12
    takes = serving.ask(f"{HERE}/takes?label=filmed")[1]["takes"]
    assert [(one["take"], one["total"]) for one in takes] == [(done["take"], done["added"])]
    serving.act("forget-label", label="filmed")


def bomb() -> bytes:
    """A small PNG of far too many pixels."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("address", ["upload", "ask"])
@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"", 400, "is empty"),
        (b"no picture at all", 400, "is no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400, "is no picture"),
        (picture("across", 1)[:2000], 400, "is damaged"),
        (bomb(), 400, "is too large"),
        (bytes(MAX_FILE_BYTES + 1), 413, "at most 32 MB"),
    ],
    ids=["empty", "text", "svg", "truncated", "bomb", "huge"],
)
def test_a_hostile_file_is_refused_in_one_sentence(
    serving: Serving, address: str, data: bytes, status: int, said: str
) -> None:
    """Whatever comes is answered by a line with the file's name, no class is made for it, and the service goes on."""
    code, answer = serving.give(f"{HERE}/{address}", data, label="hostile", file="../../etc/evil\n.jpg")
    assert code == status
    assert answer["error"].startswith("evil.jpg: ")
    assert said in answer["error"]
    assert "\n" not in answer["error"]
    assert "hostile" not in serving.state()["signs"]["counts"]


def test_a_body_without_a_length_is_bounded_too(serving: Serving) -> None:
    """Sent in chunks, without a length in its head, a file that is too large is refused with 413."""
    place = urlsplit(serving.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LONG_S)
    connection.putrequest("POST", f"{HERE}/upload?label=x&file=endless.jpg")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    part = b"%x\r\n" % 1_000_000 + bytes(1_000_000) + b"\r\n"
    for _ in range(MAX_FILE_BYTES // 1_000_000 + 1):
        connection.send(part)
    connection.send(b"0\r\n\r\n")
    response = connection.getresponse()
    assert response.status == 413
    assert b"endless.jpg" in response.read()
    connection.close()


def test_another_site_cannot_send_a_file(serving: Serving) -> None:
    """What a form of another site can send is refused, and so is another Origin; a bad take is one line."""
    for kind in ("multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded"):
        assert serving.give(f"{HERE}/upload", picture("across", 200), kind, label="across")[0] == 415
    status, _ = serving.ask(f"{HERE}/upload?label=across", {"a": 1})
    assert status == 415
    for take in ("x", "-1", "9" * 30, "99999"):
        status, answer = serving.give(f"{HERE}/upload", picture("across", 201), label="across", take=take)
        assert (status, "take" in answer["error"]) == (400, True)
    assert serving.give(f"{HERE}/upload", picture("across", 202), label="")[0] == 400
    assert serving.give("/api/pipelines/none/upload", picture("across", 203), label="x")[0] == 404
    assert serving.ask(f"{HERE}/takes?before=x")[0] == 400


def test_files_need_the_token_and_the_name_of_the_device(tmp_path: Path) -> None:
    """Without the token nothing comes in and nothing goes out, nor from another site or under another name."""
    more = f'[web]\nport = 0\ntoken_file = "{tmp_path}/token"\n'
    with Serving(tmp_path / "s", more).start() as serving:
        for path in ("takes", "model.tflite", "examples.zip"):
            assert serving.ask(f"{HERE}/{path}")[0] == 401
        for path in ("upload", "ask"):
            assert serving.give(f"{HERE}/{path}", picture("across", 1), label="across")[0] == 401
        secret = f"Bearer {(tmp_path / 'token').read_text().strip()}"
        assert serving.ask(f"{HERE}/takes", Authorization=secret)[0] == 200
        place = urlsplit(serving.address)
        for name, value, status in (
            ("Origin", "http://evil.test", 403),
            ("Host", "evil.test", 421),
            ("X-Nothing", "", 200),
        ):
            connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LONG_S)
            headers = {"Content-Type": "image/jpeg", "Authorization": secret, name: value}
            connection.request("POST", f"{HERE}/upload?label=across", picture("across", 2), headers)
            assert connection.getresponse().status == status
            connection.close()


def test_a_take_from_a_phone_decides_what_is_looked_at(tmp_path: Path, look_models: Path) -> None:
    """Where the way to look is open, frames that came as files decide as the camera's do; then they are found."""
    serving = Serving(tmp_path, '[pipelines.signs]\ncamera = "sim"\n')
    serving.data.mkdir()
    (serving.data / "models").symlink_to(look_models)
    with serving:
        serving.start()
        frames: set[bytes] = set()
        while len(frames) < 6:
            status, frame = serving.ask(f"{HERE}/picture.jpg")
            frames |= {frame} if status == 200 else set()
        take = 0
        for frame in frames:
            take = upload(serving, "up", frame, take=take)[1]["take"]
        assert serving.state()["signs"]["look"] == "auto"
        state = serving.act("end-take")
        while state["embedding"] is not None:
            state = serving.state()["signs"]
        assert state["look"] in ("face-crop", "hand")
        assert upload(serving, "up", serving.ask(f"{HERE}/picture.jpg")[1])[0] == 200
        assert "add a second class" in serving.ask(f"{HERE}/train", {})[1]["error"]
        walls = [encode_jpeg(np.full((240, 320, 3), 90 + 10 * shade, np.uint8)) for shade in range(5)]
        for wall in walls[:4]:
            assert upload(serving, "nobody there", wall)[1]["added"] == 1
        serving.act("train")
        answer = serving.give(f"{HERE}/ask", walls[4])[1]
        assert (answer["answer"], answer["found"]) == ("nobody there", False)
        answer = serving.give(f"{HERE}/ask", frames.pop())[1]
        assert answer["found"]
        assert answer["nearest"] == "up"
        assert "choose the whole picture under Settings" in serving.ask(f"{HERE}/model.tflite")[1]["error"]


def test_recordings_come_as_an_import_takes_them(tmp_path: Path) -> None:
    """Of words each file is a take, long noise becomes parts, a long one its words; what is none is named in a line."""
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")
    from made_words import RATE_HZ, room, spoken

    here = "/api/pipelines/words"
    with Serving(tmp_path, f'[pipelines.words]\nmic = "{tmp_path}/none.wav"\nprofile = "words"\n').start() as serving:

        def given(action: str, samples: np.ndarray, label: str = "") -> tuple[int, Any]:
            return serving.give(f"{here}/{action}", encode_wav(samples, RATE_HZ), label=label, file="a.wav")

        for label in ("hum", "hiss"):
            for seed in range(5):
                status, done = given("upload", spoken(label, seed), label)
                assert (status, done["added"]) == (200, 1), done
        assert given("upload", spoken("hum", 1), "hum")[1]["copies"] == 1
        status, done = given("upload", room(8.0), NOISE)
        assert (status, done["added"]) == (200, 4)
        assert serving.state()["words"]["counts"] == {"hum": [5, 5], "hiss": [5, 5], NOISE: [4, 4]}
        status, refused = given("upload", room(5.0), "hum")
        said = "a.wav: is 5.0 s long, and nothing in it stands out as a word"
        assert (status, refused["error"].startswith(said)) == (400, True)
        long = np.concatenate([spoken("hum", 20 + seed) for seed in range(10)])
        status, done = given("upload", long, "hum")
        assert (status, done["added"], done["copies"]) == (200, 10, 0)
        assert serving.state()["words"]["counts"]["hum"] == [15, 15]
        status, refused = serving.give(f"{here}/upload", picture("across", 1), label="hum", file="a.jpg")
        assert (status, refused["error"].startswith("a.jpg: is a picture, not a sound")) == (400, True)
        serving.act("train", pipeline="words")
        status, answer = given("ask", spoken("hum", 50))
        assert (status, answer["nearest"]) == (200, "hum")
        status, refused = given("ask", room(31.0))
        assert (status, "30 s at most" in refused["error"]) == (400, True)


@pytest.mark.parametrize(
    ("text", "name"),
    [("", "the file"), ("a/b\\c.jpg", "c.jpg"), ("x\x00\x1b[2Jy.png", "x[2Jy.png"), ("é" * 200, "é" * 80)],
)
def test_a_name_from_outside_is_told_back_safely(text: str, name: str) -> None:
    """Without folders and control characters, and no longer than a line holds."""
    assert file_name(text) == name
