"""What is fetched from the real process over HTTP: the model file, the archive of examples, pages of takes."""

from __future__ import annotations

import http.client
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from given_files import HERE, give_take, served_by_files
from striped import picture

from benchmarks.serving import LONG_S, Serving
from device.commands.main import main
from edge_tl.export.fused import FusedModel
from edge_tl.media.image import decode
from edge_tl.store.folders import Export
from edge_tl.store.profile import Profile

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

from device.serve.requests import SHOWN_EXAMPLES, SHOWN_OF_TAKE, SHOWN_TAKES
from device.serve.web_files import archive


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service whose camera is not there, taught two classes of two takes by files alone, and trained."""
    with served_by_files(tmp_path_factory.mktemp("files")) as made:
        yield made


def test_the_model_file_names_pictures_as_the_service_does(serving: Serving, tmp_path: Path) -> None:
    """What is fetched is the file that `model fuse` writes: it names a new picture as the service does."""
    pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)
    status, data = serving.ask(f"{HERE}/model.tflite")
    assert status == 200
    (tmp_path / "model.tflite").write_bytes(data)
    fused = FusedModel.load(tmp_path / "model.tflite")
    assert fused.observe(decode(picture("upright", 300))).best == "upright"
    out = tmp_path / "fused.tflite"
    assert main(["model", "fuse", "--data-dir", str(serving.data), "--out", str(out)]) == 0
    assert out.read_bytes() == data


def test_the_archive_holds_what_an_export_writes(serving: Serving, tmp_path: Path) -> None:
    """The ZIP unpacks to what `examples export` writes, byte for byte, and a HEAD asks without making it."""
    assert main(["examples", "export", str(tmp_path / "out"), "--data-dir", str(serving.data)]) == 0
    status, data = serving.ask(f"{HERE}/examples.zip")
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        packed.extractall(tmp_path / "in")
    wanted = {path.relative_to(tmp_path / "out"): path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    got = {path.relative_to(tmp_path / "in"): path for path in (tmp_path / "in").rglob("*") if path.is_file()}
    assert len(wanted) >= 48
    assert {name: path.read_bytes() for name, path in got.items()} == {n: p.read_bytes() for n, p in wanted.items()}
    place = urlsplit(serving.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LONG_S)
    connection.request("HEAD", f"{HERE}/examples.zip")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    connection.close()


def test_an_archive_is_never_whole_in_memory() -> None:
    """Of 64 MB of files a few are in memory at once; one that is gone meanwhile is left out, and the rest is whole."""
    plan = Export(("a",), {}, tuple((f"a/{number}.jpg", number) for number in range(64)))
    written = 0
    tracemalloc.start()
    for part in archive(plan, lambda some: [None if number == 5 else bytes(1_000_000) for number in some]):
        written += len(part)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written > 63_000_000
    assert most < 40_000_000
    small = Export(("a", "empty"), {"labels.json": b"{}"}, (("a/1.jpg", 1), ("a/2.jpg", 2)))
    data = b"".join(archive(small, lambda some: [b"one", None][: len(some)]))
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.namelist() == ["a/", "empty/", "labels.json", "a/1.jpg"]


def test_what_cannot_be_fetched_says_why(tmp_path: Path) -> None:
    """Nothing recorded, nothing trained, nothing kept, a head that is no network: each is one sentence for a phone."""
    with Serving(tmp_path, '[store]\nkeep = "embeddings"\n').start() as serving:
        assert "nothing was recorded yet" in serving.ask(f"{HERE}/examples.zip")[1]["error"]
        status, answer = serving.ask(f"{HERE}/model.tflite")
        assert (status, "hold the button" in answer["error"]) == (400, True)
        for label in ("across", "upright"):
            for seeds in (range(8), range(8, 16)):
                give_take(serving, label, seeds)
        assert "kept its picture" in serving.ask(f"{HERE}/examples.zip")[1]["error"]
        assert "press Train" in serving.ask(f"{HERE}/model.tflite")[1]["error"]
        serving.act("train", head="knn")
        answer = serving.ask(f"{HERE}/model.tflite")[1]
        assert "choose ridge under Settings" in answer["error"]
        serving.act("train", head="ridge")
        pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)
        assert serving.ask(f"{HERE}/model.tflite")[0] == 200


def test_ten_thousand_examples_are_pages(tmp_path: Path) -> None:
    """Takes come newest first, a page at a time, each with its newest examples; all of them are reached, none twice."""
    with Profile(tmp_path / "state" / "profiles" / "default", writable=True) as profile:
        for number in range(100):
            take = profile.store.new_take(f"class {number % 2}", "made")
            for _ in range(100):
                profile.store.add(take, None, np.zeros(4, np.float32), "0" * 64)
    with Serving(tmp_path).start() as serving:
        takes, before, pages = [], 0, 0
        while True:
            status, page = serving.ask(f"{HERE}/takes?label=class%201&before={before}")
            assert status == 200
            assert page["total"] == 50
            assert len(page["takes"]) <= SHOWN_TAKES
            assert all(len(take["examples"]) == SHOWN_OF_TAKE for take in page["takes"])
            takes += page["takes"]
            pages += 1
            if not page["older"]:
                break
            before = takes[-1]["take"]
        numbers = [take["take"] for take in takes]
        assert pages == 50 // SHOWN_TAKES
        assert numbers == sorted(set(numbers), reverse=True)
        assert len(numbers) == 50
        assert {take["label"] for take in takes} == {"class 1"}
        first = takes[0]
        rest = serving.ask(f"{HERE}/examples?take={first['take']}&before={first['examples'][-1]['id']}")[1]
        assert (len(rest["examples"]), rest["older"]) == (100 - SHOWN_OF_TAKE, 0)
        everything = serving.ask(f"{HERE}/examples")[1]
        assert (len(everything["examples"]), everything["total"]) == (SHOWN_EXAMPLES, 10_000)
        assert everything["older"] == 10_000 - SHOWN_EXAMPLES
        assert serving.ask(f"{HERE}/forget-take", {"take": "1"})[0] == 400
