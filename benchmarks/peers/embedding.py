"""What `embed` costs beyond the bare interpreter, on both runtimes, with threads, float and int8; and MediaPipe.

From a uint8 picture that has the model's size already. `bare` is set_tensor, invoke, get_tensor on an input that was
scaled beforehand, `by hand` scales with NumPy each time; both bring quantised answers to real numbers, as `embed` does.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.bases import source_text_model
from benchmarks.bench_build import OURS as BUILD
from benchmarks.bench_build import V1, V2, run
from benchmarks.interleaved import ratio, spread, words
from benchmarks.peers.protocol import PeerError
from benchmarks.peers.rounds import alternate, number, ratios, say, start, values
from benchmarks.pictures import DATA
from benchmarks.record import table
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model

ENVIRONMENTS = ("litert", "tflite-runtime", "mediapipe")
THREADS = (1, 2, 4)
ROUNDS, CALLS = 20, 10
LIMIT_S = 60.0
"""Of one row."""
GOAL = 1.05
INT8 = ("--quantize", "int8", "--representative", str(DATA / "sign_digits"))


def measure(rounds: int = ROUNDS, threads: tuple[int, ...] = THREADS, int8: bool = True) -> dict[str, Any]:
    """Every model, runtime and number of threads; then MediaPipe beside one thread of ours, in turns."""
    found: dict[str, Any] = {"rows": [], "mediapipe": {}, "skipped": {}}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        models = folders(folder, int8)
        runtimes = tuple((name, name, "ours_embed") for name in ENVIRONMENTS[:2])
        peers, found["skipped"] = start(stack, runtimes, {})
        for model, path in models.items():
            for count in threads:
                if count > len(os.sched_getaffinity(0)):
                    found["skipped"][f"{count} threads"] = "more than this machine's cores: they wait for each other"
                    continue
                for name, peer in list(peers.items()):
                    say(f"embedding, {model}, {name}, {count} threads")
                    try:
                        about = peer.ask("open", folder=str(path), threads=count)
                        ms = peer.ask("measure", LIMIT_S, rounds=rounds, calls=CALLS)["ms"]
                    except PeerError as error:
                        found["skipped"][f"{name} from {model}, {count} threads on"] = str(error)
                        say(str(error))
                        del peers[name]
                        continue
                    row = {"model": model, "runtime": name, "threads": count, "apart": about["apart"]}
                    row |= {way: spread(took) for way, took in ms.items()}
                    row |= {"over_bare": ratio(ms["embed"], ms["bare"]), "over_hand": ratio(ms["embed"], ms["by hand"])}
                    found["rows"].append(row)
        if "litert" in peers:
            found["mediapipe"], failed = beside_mediapipe(stack, peers["litert"], models, rounds)
            found["skipped"] |= failed
    return found


def folders(folder: Path, int8: bool) -> dict[str, Path]:
    """The folders of the models: as they are, and with int8 made by `edge-tl model build`."""
    models = {"shipped": default_model()}
    if v1 := source_text_model():
        models["v1 .25"] = v1
    for name, arguments in {"shipped": V2, "v1 .25": V1}.items() if int8 else ():
        if Path(arguments[-1]).exists():
            say(f"building {name} in int8")
            models[f"{name}, int8"] = folder / name.replace(" ", "-")
            run(BUILD, (*arguments, *INT8), models[f"{name}, int8"])
    return models


def beside_mediapipe(
    stack: ExitStack, ours: Any, models: dict[str, Path], rounds: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """MediaPipe's image embedder and ours on the same model files."""
    found: dict[str, Any] = {}
    started, skipped = start(stack, (("mediapipe", "mediapipe", "mediapipe_embed"),), {})
    for model, path in models.items() if started else ():
        manifest = TFLiteEmbedder.load(path, threads=1).manifest
        std, mean = 1 / manifest.scaling.scale[0], -manifest.scaling.offset[0] / manifest.scaling.scale[0]
        say(f"embedding, {model}, mediapipe")
        try:
            started["mediapipe"].ask(
                "open", path=str(path / manifest.model), mean=mean, std=std, shape=list(manifest.input_shape)
            )
        except PeerError as error:
            skipped[f"mediapipe, {model}"] = str(error)
            continue
        ours.ask("open", folder=str(path), threads=1)

        def of_ours(turn: int) -> dict[str, Any]:
            return {"ms": min(ours.ask("measure", rounds=1, calls=CALLS)["ms"]["embed"])}

        turns = {"edge_tl": of_ours, "mediapipe": lambda turn: started["mediapipe"].ask("measure", calls=CALLS)}
        answers, failed = alternate(turns, rounds)
        skipped |= failed
        if "mediapipe" in answers:
            found[model] = {
                "ms": {who: values(of) for who, of in answers.items()},
                "over": ratios(answers["edge_tl"], answers["mediapipe"]),
            }
    return found, skipped


def report(result: dict[str, Any]) -> str:
    """A row for each model, runtime and number of threads; then MediaPipe."""
    rows: list[list[object]] = [
        [
            one["model"],
            one["runtime"],
            one["threads"],
            words(one["bare"]),
            words(one["embed"]),
            words(one["over_bare"], 3),
            "reached" if one["over_bare"]["median"] <= GOAL else "missed",
            words(one["over_hand"], 3),
        ]
        for one in result["rows"]
    ]
    head = ["model", "runtime", "threads", "bare, ms", "embed, ms", "embed / bare", f"goal ≤ {GOAL}", "embed / by hand"]
    text = table(head, rows)
    theirs: list[list[object]] = [
        [model, number(one["ms"]["mediapipe"]), number(one["ms"]["edge_tl"]), words(one["over"], 3)]
        for model, one in result["mediapipe"].items()
    ]
    if theirs:
        text += "\n\n" + table(["model", "MediaPipe's embedder, ms", "embed, ms", "embed / MediaPipe's"], theirs)
    return text
