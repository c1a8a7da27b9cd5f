"""TensorFlow.js layers models are read from folders, zip files and URLs, and not trusted."""

from __future__ import annotations

import functools
import http.server
import json
import os
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.errors import ModelError
from host_tools import tfjs
from host_tools.tfjs import read_layers_model

WEIGHTS = {"one/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "one/bias": np.array([1, -1, 0.5], np.float32)}


def described(**changes: Any) -> dict[str, Any]:
    """A model.json of one dense layer, in two shards."""
    dense = {"class_name": "Dense", "config": {"name": "one", "units": 3, "activation": "softmax"}}
    specs = [{"name": name, "shape": list(one.shape), "dtype": "float32"} for name, one in WEIGHTS.items()]
    topology = {"model_config": {"class_name": "Sequential", "config": [dense]}}
    return {
        "modelTopology": topology,
        "weightsManifest": [{"paths": ["a", "b"], "weights": specs}],
        **changes,
    }


def write(folder: Path, model: object, shards: tuple[bytes, bytes] | None = None) -> Path:
    """A folder with the files of a model."""
    data = b"".join(one.tobytes() for one in WEIGHTS.values())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(model))
    for name, part in zip("ab", shards or (data[:7], data[7:]), strict=True):
        (folder / name).write_bytes(part)
    (folder / "metadata.json").write_text(json.dumps({"words": ["x", "y", "z"]}))
    return folder


def same(model: Any) -> None:
    """Assert that what was read is what was written."""
    assert model.layers == [("Dense", {"name": "one", "units": 3, "activation": "softmax"})]
    assert model.labels == ("x", "y", "z")
    for name, values in WEIGHTS.items():
        assert np.array_equal(model.weights[name], values)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server on this machine, of the folder `tmp_path`."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_model_is_read_from_wherever_it_lies(tmp_path: Path, server: str) -> None:
    """A folder, its model.json, a zip file, and a URL with or without model.json give the same model and hash."""
    folder = write(tmp_path / "mine", described())
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    places = [folder, folder / "model.json", tmp_path / "mine.zip", f"{server}/mine", f"{server}/mine/model.json"]
    models = [read_layers_model(str(place)) for place in places]
    for model in models:
        same(model)
    assert len({model.sha256 for model in models}) == 1
    with pytest.raises(ModelError, match="cannot be fetched"):
        read_layers_model(f"{server}/gone")


def test_nested_models_are_unrolled(tmp_path: Path) -> None:
    """A Sequential model may hold another; Teachable Machine calls the labels wordLabels."""
    inner = described()["modelTopology"]["model_config"]
    top = {"class_name": "Dense", "config": {"name": "two", "units": 2}}
    nested = {"class_name": "Sequential", "config": {"name": "s", "layers": [inner, top]}}
    folder = write(tmp_path, described(modelTopology={"model_config": nested}))
    (folder / "metadata.json").write_text(json.dumps({"wordLabels": ["Background Noise", "Class 2"]}))
    model = read_layers_model(str(folder))
    assert [config["name"] for _, config in model.layers] == ["one", "two"]
    assert model.labels == ("Background Noise", "Class 2")
    (folder / "metadata.json").unlink()
    assert read_layers_model(str(folder)).labels == ()


def graph(*calls: tuple[str, list[str]], last: str = "one") -> dict[str, Any]:
    """A model.json whose topology is a graph of dense layers: (name, the layers before it)."""
    layers = [
        {
            "name": name,
            "class_name": "Dense" if before else "InputLayer",
            "config": {"name": name},
            "inbound_nodes": [[[one, 0, 0, {}] for one in before]] if before else [],
        }
        for name, before in calls
    ]
    inner = {"name": "m", "layers": layers, "input_layers": [["in", 0, 0]], "output_layers": [[last, 0, 0]]}
    return described(modelTopology={"class_name": "Model", "config": inner})


def test_a_graph_that_is_a_chain_is_read_in_its_order(tmp_path: Path) -> None:
    """A graph's layers come in the order in which they are applied, however they are listed."""
    model = read_layers_model(str(write(tmp_path, graph(("one", ["two"]), ("in", []), ("two", ["in"])))))
    assert [config["name"] for _, config in model.layers] == ["in", "two", "one"]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (graph(("in", []), ("one", ["in"]), ("two", ["in"])), "branch at two"),
        (graph(("in", []), ("two", []), ("one", ["in"])), "branch at two"),
        (graph(("in", []), ("one", ["in", "in"])), "branch at one"),
        (graph(("in", []), ("one", ["in"]), last="in"), "not one chain"),
        (graph(("in", []), ("one", ["two"]), ("two", ["one"])), "not one chain"),
        (graph(("in", []), ("one", ["in"]), ("x", ["y"])), "not one chain"),
    ],
)
def test_a_graph_with_branches_is_one_line(tmp_path: Path, model: dict[str, Any], says: str) -> None:
    """What is not one layer after the other, circles and loose ends included, is refused."""
    with pytest.raises(ModelError, match=says) as caught:
        read_layers_model(str(write(tmp_path, model)))
    assert "\n" not in str(caught.value)


def test_a_zip_file_may_hold_the_folder(tmp_path: Path) -> None:
    """A packed folder, whose files' names begin with the folder's, is read like packed files."""
    folder = write(tmp_path / "mine", described())
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"mine/{path.name}")
            archive.writestr(f"__MACOSX/mine/._{path.name}", b"not it")
    same(read_layers_model(str(tmp_path / "mine.zip")))


def test_a_zip_file_hides_no_path(tmp_path: Path) -> None:
    """A shard's name that leads out of the archive's folder is refused there too."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/model.json", json.dumps(described(weightsManifest=[{"paths": ["../a"], "weights": []}])))
        archive.writestr("a", b"")
    with pytest.raises(ModelError, match="a plain file beside it"):
        read_layers_model(str(tmp_path / "a.zip"))


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0 hello\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b""],
)
def test_what_is_no_web_server_is_one_line(answer: bytes) -> None:
    """Whatever answers at a URL, and a URL that is none, ends with one line."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def reply() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(ModelError, match="cannot be fetched") as caught:
            read_layers_model(f"http://127.0.0.1:{listening.getsockname()[1]}/mine")
        thread.join()
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="cannot be fetched"):
        read_layers_model("http://127.0.0.1/a b")


def test_a_pipe_and_a_shard_named_a_million_times_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither waits for ever nor fills the memory: one line each."""
    os.mkfifo(tmp_path / "model.json")
    with pytest.raises(ModelError, match="no regular file"):
        read_layers_model(str(tmp_path))
    monkeypatch.setattr(tfjs, "MAX_BYTES", 10_000)
    again = described(weightsManifest=[{"paths": ["a"] * 1_000_000, "weights": []}])
    monkeypatch.setattr(tfjs, "_file", lambda path: path.read_bytes())
    with pytest.raises(ModelError, match="shards are larger"):
        read_layers_model(str(write(tmp_path / "many", again)))


def test_packed_weights_are_unpacked(tmp_path: Path) -> None:
    """Weights stored as 8 or 16 bits are scale·q + min, as TensorFlow.js documents it."""
    for kind in (np.uint8, np.uint16):
        spec = {"name": "w", "shape": [4], "dtype": "float32"}
        packed = {"dtype": np.dtype(kind).name, "scale": 0.5, "min": -1.0}
        manifest = [{"paths": ["a"], "weights": [{**spec, "quantization": packed}]}]
        folder = write(tmp_path / np.dtype(kind).name, described(weightsManifest=manifest))
        (folder / "a").write_bytes(np.array([0, 1, 2, 255], kind).tobytes())
        assert read_layers_model(str(folder)).weights["w"].tolist() == [-1.0, -0.5, 0.0, 126.5]


def test_the_published_model_is_read(data: Callable[[str], Path]) -> None:
    """The 18-word model: its 20 labels, its 1 468 684 parameters."""
    model = read_layers_model(str(data("speech_commands_18w")))
    assert sum(one.size for one in model.weights.values()) == 1_468_684
    assert len(model.labels) == 20
    assert [kind for kind, _ in model.layers].count("Conv2D") == 4


BAD: list[tuple[Any, str]] = [
    ([], "is no object"),
    ({}, "is no layers model"),
    (described(modelTopology={"class_name": "Graph\n", "config": {}}), "is a Graph. model; a Sequential one"),
    (described(weightsManifest=[{"paths": ["../a"], "weights": []}]), "a plain file beside it"),
    (described(weightsManifest=[{"paths": ["gone"], "weights": []}]), "cannot be read"),
    (described(weightsManifest=[{"paths": ["a"], "weights": []}]), "get the files again"),
    (described(weightsManifest=[{"paths": ["a"], "weights": [{"name": "w", "shape": [1 << 40]}]}]), "that is none"),
    (described(weightsManifest=[{"paths": ["a"], "weights": [{"name": "w", "shape": [9]}]}]), "end within weight w"),
    (described(weightsManifest=[{"paths": ["a"], "weights": [{"name": "w\n", "shape": ["x"]}]}]), "that is none"),
    (described(weightsManifest=[{"paths": ["a\n"], "weights": []}]), "a plain file beside it"),
    (
        described(weightsManifest=[{"paths": ["a"], "weights": [{"name": "w", "shape": [1], "dtype": "string"}]}]),
        "float32 is wanted",
    ),
]


@pytest.mark.parametrize(("model", "says"), BAD)
def test_what_is_no_model_is_one_line(tmp_path: Path, model: object, says: str) -> None:
    """Files that contradict themselves, are missing, or point elsewhere are refused in one line."""
    with pytest.raises(ModelError, match=says) as caught:
        read_layers_model(str(write(tmp_path, model)))
    assert "\n" not in str(caught.value)


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    """Shards that are cut or hold NaN, JSON that is none, a zip that is none."""
    cut = write(tmp_path / "cut", described(), (b"1234567", b""))
    nan = write(tmp_path / "nan", described(), (b"", np.full(9, np.nan, "<f4").tobytes()))
    text = write(tmp_path / "text", described())
    (text / "model.json").write_text("{")
    (tmp_path / "a.zip").write_bytes(b"PK")
    for where, says in (
        (cut, "end within"),
        (nan, "NaN"),
        (text, "is no JSON"),
        (tmp_path / "a.zip", "a.zip"),
        ("/gone", "gone"),
    ):
        with pytest.raises(ModelError, match=says):
            read_layers_model(str(where))


leaves = st.none() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | st.text(max_size=4)
tree = st.recursive(leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3))


@given(st.sampled_from(["modelTopology", "weightsManifest"]), tree)
@settings(max_examples=80)
def test_any_json_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, part: str, value: object) -> None:
    """Whatever stands in model.json, the answer is a model or one line."""
    folder = write(tmp_path_factory.mktemp("tfjs"), described(**{part: value}))
    said = ""
    try:
        read_layers_model(str(folder))
    except ModelError as error:
        said = str(error)
    assert "\n" not in said
