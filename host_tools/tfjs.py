"""TensorFlow.js layers models, read: model.json, weight shards and metadata.json, of a folder, a zip file or a URL.

The format is documented with TensorFlow.js (LayersModel, IOHandler): `modelTopology` is Keras' JSON, `weightsManifest`
lists groups of weights and the files ("shards") in which their bytes lie one after the other. Teachable Machine exports
the same. The files are not trusted: whatever contradicts itself ends with one line.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ModelError, counted
from edge_tl.files import read_limited

MAX_BYTES = 200_000_000
"""Of one file and of all weights together: models of sound or pictures for a browser have at most some ten MB."""
DTYPES = {"float32": "<f4", "uint8": "<u1", "uint16": "<u2"}
TIMEOUT_S = 30.0

Read = Callable[[str], bytes]
"""The bytes of a file beside model.json, by its name."""


@dataclass(frozen=True)
class LayersModel:
    """What such a model holds."""

    layers: list[tuple[str, dict[str, Any]]]
    """(class name, Keras' configuration) of each layer in turn, nested models unrolled."""
    weights: dict[str, np.ndarray]
    """`layer/kernel` → float32."""
    labels: tuple[str, ...]
    """Of its outputs; empty where no metadata names them."""
    sha256: str
    """Of model.json and all shards, one after the other."""


@dataclass(frozen=True)
class RawModel:
    """The same before anything of its layers is believed."""

    config: dict[str, Any]
    """Keras' description: class_name and config."""
    weights: dict[str, np.ndarray]
    metadata: dict[str, Any]
    """What metadata.json holds; empty where there is none."""
    sha256: str


def read_layers_model(where: str) -> LayersModel:
    """Read a model of a folder, of its model.json, of a .zip or of an http(s) URL of model.json or its folder.

    ModelError, one line, for what is no such model, is damaged or makes no sense, and for a model of pictures.
    """
    raw = read_raw_model(where)
    package = str(raw.metadata.get("packageName", ""))
    if package.startswith("@teachablemachine/"):
        kind = package.removeprefix("@teachablemachine/")[:20]
        raise ModelError(
            f"{where}: is a Teachable Machine project of {kind}s; one of sound is wanted: `edge-tl-host convert "
            "teachable` takes those of images"
        )
    with _one_line(where):
        layers = _unrolled(raw.config, where)
    return LayersModel(layers, raw.weights, _labels(raw.metadata, where), raw.sha256)


@contextmanager
def _one_line(where: str) -> Iterator[None]:
    """What reading a model.json that makes no sense can raise, as one ModelError."""
    try:
        yield
    except ModelError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        reason = _shown(f"{type(error).__name__}: {error}")
        raise ModelError(f"{where}: model.json is no layers model ({reason})") from None


def read_raw_model(where: str) -> RawModel:
    """Read the files of a model, wherever they lie; as `read_layers_model`, of whatever kind it is."""
    read = _reader(where)
    raw = read("model.json")
    described = _json(raw, f"{where}: model.json")
    digest = hashlib.sha256(raw)
    weights: dict[str, np.ndarray] = {}
    with _one_line(where):
        groups = described["weightsManifest"]
        for group in groups:
            data = _joined(read, group["paths"], where)
            digest.update(data)
            weights |= _weights(group["weights"], data, where)
            if sum(one.nbytes for one in weights.values()) > MAX_BYTES:
                raise ModelError(f"{where}: its weights are larger than {MAX_BYTES // 1_000_000} MB")
        topology = described["modelTopology"]
        config = topology.get("model_config", topology)
    try:
        metadata = _json(read("metadata.json"), f"{where}: metadata.json")
    except ModelError as error:
        if "metadata.json is no" in str(error):
            raise
        metadata = {}
    return RawModel(config, weights, metadata, digest.hexdigest())


def _joined(read: Read, names: list[Any], where: str) -> bytes:
    """The bytes of a group's shards; each is looked at as it comes, since a list may name one file a million times."""
    data = bytearray()
    for name in names:
        data += read(_plain(name))
        if len(data) > MAX_BYTES:
            raise ModelError(f"{where}: its shards are larger than {MAX_BYTES // 1_000_000} MB")
    return bytes(data)


def _unrolled(config: dict[str, Any], where: str) -> list[tuple[str, dict[str, Any]]]:
    """The layers of a model in their order, those of models in it included.

    Teachable Machine's exports are no Sequential model: the head is one, put upon the base's layers as a graph.
    """
    kind, inner = config["class_name"], config["config"]
    if kind == "Sequential":
        listed = inner["layers"] if isinstance(inner, dict) else inner
    elif kind in ("Model", "Functional"):
        listed = _chained(inner, where)
    else:
        raise ModelError(
            f"{where}: is a {_shown(kind)} model; a Sequential one, or a graph without branches, is wanted"
        )
    layers: list[tuple[str, dict[str, Any]]] = []
    for layer in listed:
        if layer["class_name"] in ("Sequential", "Model", "Functional"):
            layers += _unrolled(layer, where)
        else:
            layers.append((str(layer["class_name"]), dict(layer["config"])))
    return layers


def _chained(inner: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """The layers of a graph from its input to its output; ModelError where they are not one chain."""
    after: dict[str, dict[str, Any]] = {}
    for layer in inner["layers"]:
        calls = layer["inbound_nodes"]
        before = [one[0] for call in calls for one in call] if calls else [""]
        if len(before) != 1 or before[0] in after:
            raise ModelError(f"{where}: its layers branch at {_shown(layer['name'])}; one after the other is wanted")
        after[before[0]] = layer
    chain: list[dict[str, Any]] = []
    name = ""
    while name in after:
        chain.append(after.pop(name))
        name = chain[-1]["name"]
    if after or [one[0] for one in inner["output_layers"]] != [name]:
        raise ModelError(f"{where}: its layers are not one chain from its input to its output")
    return chain


def _weights(specs: list[dict[str, Any]], data: bytes, where: str) -> dict[str, np.ndarray]:
    """The arrays of one group, which must fill its bytes exactly."""
    made: dict[str, np.ndarray] = {}
    at = 0
    for spec in specs:
        name, shape = str(spec["name"]), tuple(spec["shape"])
        if not all(isinstance(side, int) and 0 < side <= MAX_BYTES for side in shape) or len(shape) > 8:
            raise ModelError(f"{where}: weight {_shown(name)} has the shape {_shown(shape)}; that is none")
        packed = spec.get("quantization") or {}
        kind = DTYPES.get(str(packed.get("dtype", spec.get("dtype", "float32"))))
        if kind is None or spec.get("dtype", "float32") != "float32":
            raise ModelError(f"{where}: weight {_shown(name)} is of {_shown(spec.get('dtype'))}; float32 is wanted")
        count = 1
        for side in shape:
            count *= side
        size = count * np.dtype(kind).itemsize
        if at + size > len(data):
            raise ModelError(f"{where}: its shards end within weight {_shown(name)}; get the files again")
        values = np.frombuffer(data, kind, count, at).astype(np.float32).reshape(shape)
        if packed:
            values = values * np.float32(packed["scale"]) + np.float32(packed["min"])
        if not np.isfinite(values).all():
            raise ModelError(f"{where}: weight {_shown(name)} holds NaN or infinity; get the files again")
        made[name] = values
        at += size
    if at != len(data):
        raise ModelError(
            f"{where}: its shards have {counted(len(data), 'byte')}, its weights {at}; get the files again"
        )
    return made


def _labels(content: dict[str, Any], where: str) -> tuple[str, ...]:
    """The labels of metadata.json: `words` (speech commands) or `wordLabels` (Teachable Machine)."""
    return names_of(content.get("words") or content.get("wordLabels") or [], where)


def names_of(labels: Any, where: str) -> tuple[str, ...]:
    """A list of labels in metadata.json; ModelError for what is none."""
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        raise ModelError(f"{where}: metadata.json names no words")
    return tuple(labels)


def _json(raw: bytes, what: str) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        raise ModelError(f"{what} is no JSON; a TensorFlow.js layers model is wanted") from None
    if not isinstance(content, dict):
        raise ModelError(f"{what} is no object; a TensorFlow.js layers model is wanted")
    return content


def _shown(value: object) -> str:
    """What a file says of itself, short and on one line, whatever it says."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(value)[:60])


def _plain(name: Any) -> str:
    """The name of a shard, which must lie beside model.json."""
    text = str(name)
    if PurePosixPath(text).name != text or "\\" in text or text == ".." or not text.isprintable():
        raise ModelError(f"model.json names the shard {text[:60]!r}; a plain file beside it is wanted")
    return text


def _reader(where: str) -> Read:
    """How files beside model.json are read."""
    if where.startswith(("http://", "https://")):
        base = where if where.endswith((".json", "/")) else where + "/"
        return lambda name: _fetch(urllib.parse.urljoin(base, name))
    path = Path(where)
    if path.suffix.lower() == ".zip":
        return lambda name: _unzipped(path, name)
    folder = path.parent if path.name == "model.json" else path
    return lambda name: _file(folder / name)


def _file(path: Path) -> bytes:
    try:
        return read_limited(path, MAX_BYTES)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); a TensorFlow.js layers model is wanted"
        ) from error


def _unzipped(path: Path, name: str) -> bytes:
    try:
        with Archive(path) as archive:
            # Whoever packs a folder has its name before each file's.
            models = [PurePosixPath(one) for one in archive.names if PurePosixPath(one).name == "model.json"]
            inside = min(models, key=lambda one: len(one.parts)).parent if models else PurePosixPath()
            return archive.read(str(inside / name), MAX_BYTES)
    except (OSError, DamagedArchive) as error:
        raise ModelError(f"{path}: {name} cannot be taken out of it ({' '.join(str(error).split())[:80]})") from None


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return _limited(answer.read(MAX_BYTES + 1), url)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ModelError(f"{url}: cannot be fetched ({' '.join(str(error).split())[:80]})") from None


def _limited(data: bytes, what: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise ModelError(f"{what}: is larger than {MAX_BYTES // 1_000_000} MB")
    return data
