"""From the start of a process to its first prediction, its peak of memory, and what is installed for it.

Each a fresh process that reads a picture and names it. edge-tl: a profile of head poses. TensorFlow: MobileNet v1 .25
with its 1000 classes, as Keras loads it. PyTorch ships no model with weights, so a network of the same layers with
weights drawn at random. MediaPipe: its hands, whose models are in its package.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.bench_start import LIBRARY, TAIL, run, train
from benchmarks.interleaved import ratio, spread, words
from benchmarks.peers.environments import ENVIRONMENTS as ALL
from benchmarks.peers.environments import size
from benchmarks.peers.rounds import say
from benchmarks.pictures import DATA, ROOT, embed, faces
from benchmarks.record import table
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model

ENVIRONMENTS = ("litert", "tensorflow", "torch", "mediapipe")
ROOTS = {
    "litert": ("ai-edge-litert", "numpy", "pillow"),
    "tensorflow": ("tensorflow-cpu", "pillow"),
    "torch": ("torch", "numpy", "pillow"),
    "mediapipe": ("mediapipe", "pillow"),
}
"""What has to be installed for the program that is measured."""
ROUNDS = 6
OURS, TENSORFLOW, TORCH, MEDIAPIPE = "edge_tl", "TensorFlow", "PyTorch", "MediaPipe"
GOAL_TIMES, GOAL_SHARE, GOAL_MIB = 20.0, 1 / 8, 50.0
ACOUSTICSLAB_MB = 18.0
"""What AcousticsLab publishes of its process (Rust, words only)."""
WEIGHTS = DATA / "mobilenet_v1_0.25_224" / "mobilenet_2_5_224_tf.keras.h5"

TF_CODE = """
import sys
import numpy as np, keras
from PIL import Image
model = keras.applications.MobileNet((224, 224, 3), alpha=0.25, weights=None)
model.load_weights(sys.argv[3])
picture = np.asarray(Image.open(sys.argv[2]).convert("RGB").resize((224, 224)), np.float32)[None] / 127.5 - 1
assert np.asarray(model(picture)).argmax() >= 0
"""
TORCH_CODE = """
import sys
import numpy as np, torch
from PIL import Image
def block(a, b, stride):
    depth = [torch.nn.Conv2d(a, a, 3, stride, 1, groups=a, bias=False), torch.nn.BatchNorm2d(a), torch.nn.ReLU6()]
    return depth + [torch.nn.Conv2d(a, b, 1, bias=False), torch.nn.BatchNorm2d(b), torch.nn.ReLU6()]
layers, wide = [torch.nn.Conv2d(3, 8, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU6()], 8
for b, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1)):
    layers, wide = layers + block(wide, b, stride), b
tail = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(256, 1000)]
model = torch.nn.Sequential(*layers, *tail).eval()
picture = np.asarray(Image.open(sys.argv[2]).convert("RGB").resize((224, 224)), np.float32) / 127.5 - 1
with torch.no_grad():
    assert int(model(torch.from_numpy(picture.transpose(2, 0, 1)[None])).argmax()) >= 0
"""
MEDIAPIPE_CODE = """
import sys
import numpy as np, mediapipe
from PIL import Image
picture = np.asarray(Image.open(sys.argv[2]).convert("RGB"))
with mediapipe.solutions.hands.Hands(static_image_mode=True) as hands:
    hands.process(picture)
"""
MAPS = """
import re
held, of = {}, None
for line in open("/proc/self/smaps"):
    first = line.split()[0]
    if not first.endswith(":"):
        fields = line.split(maxsplit=5)
        of = fields[5].strip() if len(fields) > 5 else ""
    elif first == "Rss:":
        held[of] = held.get(of, 0) + int(line.split()[1]) / 1024
import json
print("held " + json.dumps(held))
"""
PROGRAMS = {
    OURS: ("", LIBRARY),
    TENSORFLOW: ("tensorflow", TF_CODE),
    TORCH: ("torch", TORCH_CODE),
    MEDIAPIPE: ("mediapipe", MEDIAPIPE_CODE),
}


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """Seconds and MiB of each program in turns, what is installed, and what our memory is made of."""
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profiles" / "default"
        profile.mkdir(parents=True)
        seen = embed(faces(), TFLiteEmbedder.load(default_model()))
        train(profile, seen)
        arguments = (str(profile), str(seen.pictures.paths[-1]), str(WEIGHTS))
        programs = {}
        for name, (environment, code) in PROGRAMS.items():
            reason = ALL[environment].absent() if environment else None
            if reason is not None:
                skipped[name] = reason
                continue
            programs[name] = (ALL[environment].command("")[0] if environment else sys.executable, code)
        found: dict[str, dict[str, list[float]]] = {name: {"s": [], "mib": []} for name in programs}
        for turn in range(-1, rounds):
            say(f"start, round {turn + 1} of {rounds}")
            for name, (python, code) in list(programs.items()):
                try:
                    elapsed_s, peak = run(code + TAIL, *arguments, python=python)
                except RuntimeError as error:
                    skipped[name] = str(error)
                    del programs[name]
                    continue
                if turn >= 0:
                    found[name]["s"].append(elapsed_s)
                    found[name]["mib"].append(peak)
        held = memory(arguments)
    rows = {name: {key: spread(of) for key, of in found[name].items()} for name in programs}
    for name in programs:
        rows[name]["over"] = {key: ratio(found[name][key], found[OURS][key]) for key in ("s", "mib")}
        rows[name]["installed_mb"] = installed_mb(PROGRAMS[name][0])
    return {"rows": rows, "held": held, "skipped": skipped}


def installed_mb(environment: str) -> float | None:
    """Megabytes on the disk: packages and what they ask for; for ours the two packages and LiteRT, NumPy, Pillow."""
    if environment:
        return ALL[environment].bytes(ROOTS[environment]) / 1e6
    if ALL["litert"].absent() is not None:
        return None
    return (ALL["litert"].bytes(ROOTS["litert"]) + size(ROOT / "edge_tl") + size(ROOT / "device")) / 1e6


def memory(arguments: tuple[str, ...]) -> dict[str, float]:
    """MiB that our process holds after its first prediction, by what they are of."""
    import json

    command = [sys.executable, "-c", LIBRARY + MAPS, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    held = json.loads(done.stdout.splitlines()[-1].removeprefix("held "))
    kinds: dict[str, float] = {}
    for path, mib in held.items():
        kinds[kind_of(path)] = kinds.get(kind_of(path), 0.0) + mib
    return dict(sorted(kinds.items(), key=lambda one: -one[1]))


def kind_of(path: str) -> str:
    """What a mapped file is part of."""
    for part, words_ in (
        ("openblas", "OpenBLAS (in NumPy)"),
        ("numpy", "NumPy's own libraries"),
        ("litert", "LiteRT"),
        ("PIL", "Pillow"),
        ("pillow", "Pillow"),
        ("libpython", "Python"),
        ("/bin/python", "Python"),
        ("lib-dynload", "Python"),
        ("[heap]", "heap: Python's objects, the model's weights and buffers"),
        ("tflite", "the model's file"),
    ):
        if part in path:
            return words_
    if not path or path.startswith("["):
        return "heap: Python's objects, the model's weights and buffers"
    return "libraries of the system (libc, libstdc++, SQLite …)"


def report(result: dict[str, Any]) -> str:
    """A row a program, then what our memory is."""
    rows: list[list[object]] = []
    for name, one in result["rows"].items():
        ours = name == OURS
        size_ = one["installed_mb"]
        rows.append(
            [
                name,
                words(one["s"], 3),
                "" if ours else words(one["over"]["s"], 1),
                words(one["mib"], 1),
                "" if ours else words(one["over"]["mib"], 1),
                "not measured" if size_ is None else f"{size_:.0f}",
            ]
        )
    head = ["fresh process", "s to the first prediction", "× ours", "peak MiB", "× ours", "installed, MB"]
    lines = []
    if TENSORFLOW in result["rows"]:
        over = result["rows"][TENSORFLOW]["over"]
        faster, less = over["s"]["median"], over["mib"]["median"]
        lines += [
            f"{faster:.1f} times faster than TensorFlow: goal ≥ {GOAL_TIMES:.0f} {met(faster >= GOAL_TIMES)}.",
            f"1/{less:.1f} of its memory: goal ≤ 1/8 {met(1 / less <= GOAL_SHARE)}.",
        ]
    ours_mib = result["rows"][OURS]["mib"]["median"]
    lines.append(
        f"Our process {ours_mib:.0f} MiB: goal ≤ {GOAL_MIB:.0f} {met(ours_mib <= GOAL_MIB)} "
        f"(AcousticsLab publishes {ACOUSTICSLAB_MB:.0f} MB for its own, which is written in Rust and knows words only)."
    )
    held: list[list[object]] = [[kind, f"{mib:.1f}"] for kind, mib in result["held"].items()]
    return table(head, rows) + "\n\n" + "\n".join(lines) + "\n\n" + table(["our process holds", "MiB"], held)


def met(reached: bool) -> str:
    """In words."""
    return "reached" if reached else "missed"
