"""The model card: what this was made of, by what, from where, under which licence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from device.report.contents import Provenance
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.models import FACE, LANDMARKS, LICENCE, PALM, VERSION, ModelPart
from edge_tl.embedders.look.ways import inner_of
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import counted
from edge_tl.store.moments import NOT_SET


def card(of: Provenance) -> str:
    """The card as a table of two columns."""
    rows = [*embedder_rows(of.embedder), *head_rows(of)]
    rows.append(("Versions", ", ".join(f"{name} {version}" for name, version in of.versions.items())))
    rows.append(("Report of", of.date))
    lines = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
    return f'<div class="wide"><table class="card"><tbody>{lines}</tbody></table></div>'


def embedder_rows(embedder: Embedder) -> Iterator[tuple[str, str]]:
    """What looks at the pictures, with the models in it."""
    yield "Embedder", f"{embedder.name}, shape {embedder.embedding_shape}"
    yield "Fingerprint", embedder.fingerprint
    for part in parts_of(embedder):
        yield f"Model {part.name}", f"MediaPipe {VERSION}, licence {LICENCE}, SHA-256 {part.sha256}"
    inner = inner_of(embedder)
    if isinstance(inner, TFLiteEmbedder):
        manifest = inner.manifest
        alpha = "" if manifest.alpha is None else f", width {manifest.alpha:g}"
        yield "Image model", f"{manifest.name}: {manifest.architecture}{alpha}, cut at {manifest.layer}"
        yield "Input", f"{manifest.input_shape}, {manifest.colour_order}, {manifest.resize}; {manifest.quantization}"
        yield "Model file", f"{manifest.model}, SHA-256 {manifest.sha256}"
        yield from ((f"Weights: {name}", str(text)) for name, text in manifest.weights.items())
        if manifest.tools:
            yield "Made with", ", ".join(f"{name} {version}" for name, version in manifest.tools.items())


def parts_of(embedder: Embedder) -> tuple[ModelPart, ...]:
    """The MediaPipe models that a way to look runs."""
    if embedder.name.startswith("hand"):
        return PALM, LANDMARKS
    return (FACE,) if embedder.name.startswith("face") else ()


def head_rows(of: Provenance) -> Iterator[tuple[str, str]]:
    """What was trained, and how."""
    if of.saved is None or of.generation is None:
        yield "Head", f"{of.head}; nothing was trained and saved yet"
        return
    number, time_s = of.generation
    when = f", {NOT_SET}" if time_s is None else f", saved {datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M} UTC"
    meta = of.saved.meta
    yield "Head", f"{meta['head']['name']}, generation {number}{when}"
    yield "Its parameters", plain(meta["head"])
    if "features" in meta:  # a head of boxes reads the map cell by cell
        yield "Features", plain(meta["features"])
    if "train_ms" in meta:
        yield "Trained", f"on {counted(meta.get('examples', '?'), 'example')} in {meta['train_ms']:.1f} ms"
    if of.head != meta["head"]["name"]:
        yield "Judged here", f"a {of.head} head, not the saved one"


def plain(values: Mapping[str, Any]) -> str:
    """The parameters that are single values."""
    named = {name: value for name, value in values.items() if isinstance(value, (str, int, float)) and name != "name"}
    shown = (f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in named.items())
    return ", ".join(shown) or "none"
