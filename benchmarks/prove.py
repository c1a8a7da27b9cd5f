"""The proofs that take too long for CI: `make prove`, or `python -m benchmarks.prove [PROOF ...]`.

Each proof prints its table and writes benchmarks/results/<proof>.json with date and commit. They run with the shipped
embedder and, where it can be had, with MobileNet v1 .25 as the source text takes it: a folder made by
`edge-tl-host convert image`, which this makes itself where TensorFlow is installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from typing import Any

import numpy as np

from benchmarks import (
    proof_alarms,
    proof_boards,
    proof_budget,
    proof_confidence,
    proof_defaults,
    proof_detection,
    proof_digits,
    proof_exercises,
    proof_faces,
    proof_few,
    proof_fleet,
    proof_fleet_flower,
    proof_hands,
    proof_hard_words,
    proof_intervals,
    proof_look,
    proof_look_changed,
    proof_look_strangers,
    proof_mnist,
    proof_movements,
    proof_objects,
    proof_others,
    proof_service,
    proof_sessions,
    proof_strangers,
    proof_why,
    proof_word_heads,
    proof_words,
    proof_words_open,
    proof_words_typed,
)
from benchmarks.bases import MNIST, W18, detection_base, digit_base, source_text_model, speech_bases
from benchmarks.look_ways import Way, models_folder, open_ways, see, takes_of
from benchmarks.pictures import DATA, ROOT, Embedded, digits, embed, faces, sessions
from benchmarks.record import RESULTS, amend, write
from device.teach.voices import ENGINES
from edge_tl.detection.base import read_base
from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import MissingDependency
from edge_tl.models import default_model

PLAIN = ("faces", "digits", "sessions", "strangers")
LOOKING = ("look", "look_changed", "look_strangers", "confidence", "few", "intervals", "others")
"""Those that need the models of hands and faces."""
HANDS = ("hands", "why")
"""That of other people's and other sides of hands, which needs them too."""
PICTURE = ROOT / "docs" / "changes.svg"
"""Where the curves of `look_changed` are drawn."""
WORDS = ("words", "words_open", "words_typed", "word_heads", "hard_words", "alarms")
"""Those of sound."""
SERVICE = ("service",)
"""That of the headless service; it needs no data."""
DIGITS = ("mnist",)
"""Those of the small network of handwritten digits."""
OBJECTS = ("objects",)
"""That of boxes taught with a few examples."""
SCENES = ("detection",)
"""That of drawn scenes."""
EPOCHS, TIMES, FEW, PACES, SCALE = PARTS = (
    "detection_epochs",
    "mnist_times",
    "mnist_few",
    "budget_times",
    "fleet_scale",
)
"""Of `detection` the epochs beside Keras, of `mnist` the times and few examples, of `budget` the times, of `fleet` many
devices and whole trainings; the rest of their records stays."""
DEFAULTS = ("defaults",)
"""That of what a newcomer gets."""
MOVEMENTS = ("movements",)
"""That of movements; its sets lie in downloads/movements, or are left out."""
ALONE = {
    "boards": proof_boards,
    "budget": proof_budget,
    "service": proof_service,
    "defaults": proof_defaults,
    "exercises": proof_exercises,
    "movements": proof_movements,
    "fleet": proof_fleet,
    "fleet_flower": proof_fleet_flower,
}
"""Those that look for what they need themselves."""
PROOFS = (
    PLAIN
    + LOOKING
    + HANDS
    + DEFAULTS
    + ("boards", "budget", "exercises", "fleet", "fleet_flower")
    + WORDS
    + SERVICE
    + DIGITS
    + OBJECTS
    + SCENES
    + MOVEMENTS
)
MODES_PICTURE = ROOT / "docs" / "mnist_modes.svg"
"""Where the curves of `mnist` are drawn."""

DETECTION_CURVE, DETECTION_BOXES = ROOT / "docs" / "detection_curve.svg", ROOT / "docs" / "detection_boxes.png"
"""Where the curve of `detection` and what it finds are drawn."""


def load_embedders() -> dict[str, Embedder]:
    """The shipped embedder, and MobileNet v1 .25 where it can be had."""
    embedders: dict[str, Embedder] = {}
    v1 = source_text_model()
    if v1 is not None:
        embedders["v1 .25"] = TFLiteEmbedder.load(v1)
    embedders["shipped"] = TFLiteEmbedder.load(default_model())
    return embedders


def main() -> int:
    """Run the proofs named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Prove on real pictures what the README says.")
    known = f"{', '.join(PROOFS)} (default: all), or {', '.join(PARTS)}"
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=known)
    chosen = parser.parse_args().proofs or PROOFS
    if unknown := [name for name in chosen if name not in (*PROOFS, *PARTS)]:
        parser.error(f"no proof {', '.join(unknown)}; there are {', '.join(PROOFS)}")
    for name, proof in ALONE.items():
        if name in chosen:
            result, text = proved(proof)
            record(name, result, text, {})
    if set(chosen) <= set(ALONE):
        return 0
    if not (DATA / "cmu_faces").is_dir():
        print(f"no pictures in {DATA}: set EDGE_TL_DATA to the folder of the shared data", file=sys.stderr)
        return 1
    plain = [name for name in chosen if name in PLAIN]
    if plain:
        prove_plain(plain)
    looking = [name for name in chosen if name in LOOKING]
    if looking:
        prove_looking(looking)
    if "hands" in chosen and (folder := models_folder()) is not None:
        ways = {name: one for name, one in open_ways(folder).items() if name in proof_hands.WAYS}
        result, text = proved(proof_hands, ways, folder)
        record("hands", result, text, ways)
    if "why" in chosen and (folder := models_folder()) is not None:
        opened_ways = open_ways(folder)
        seen, looked = proof_why.sets(opened_ways, speech_or_none())
        result, text = proved(proof_why, seen, looked)
        record("why", result, text, opened_ways)
    if "words" in chosen:
        bases = speech_bases()
        result, text = proved(proof_words, bases)
        record("words", result, text, dict(bases))
    if "word_heads" in chosen:
        bases = speech_bases()
        result, text = proved(proof_word_heads, bases)
        record("word_heads", result, text, dict(bases))
    if "words_open" in chosen:
        base = SpeechEmbedder.load(1)
        result, text = proved(proof_words_open, base)
        record("words_open", result, text, {"speech": base})
    if "words_typed" in chosen:
        missing = [engine.name for engine in ENGINES if not engine.installed]
        if missing:
            print(f"words_typed is left out: it needs {' '.join(missing)} (apt)", file=sys.stderr)
        else:
            base = SpeechEmbedder.load(1)
            result, text = proved(proof_words_typed, base)
            record("words_typed", result, text, {"speech": base})
    if "alarms" in chosen:
        if shutil.which("espeak-ng") is None:
            print("alarms is left out: it needs espeak-ng (apt)", file=sys.stderr)
        else:
            base = SpeechEmbedder.load(1)
            result, text = proved(proof_alarms, base)
            record("alarms", result, text, {"speech": base})
    if "hard_words" in chosen:
        browser = speech_bases().get("18 words")
        if shutil.which("espeak-ng") is None or not isinstance(browser, BrowserEmbedder):
            print("hard_words is left out: it needs espeak-ng (apt) and the 18-word base", file=sys.stderr)
        else:
            opened = BrowserEmbedder.load(W18, 1, unfrozen=1)
            result, text = proved(proof_hard_words, browser, opened)
            record("hard_words", result, text, {"18 words": browser})
    if "mnist" in chosen:
        prove_mnist()
    if "objects" in chosen:
        embedder = TFLiteEmbedder.load(default_model(), threads=1)
        result, text = proved(proof_objects, embedder)
        record("objects", result, text, {"shipped": embedder})
    if "detection" in chosen:
        prove_detection()
    if EPOCHS in chosen and (folder := detection_base()) is not None:
        found = proof_detection.epochs(read_base(folder, 1), proof_detection.ROUNDS)
        print(amend("prove_detection", "Epochs", {"epochs": found}).relative_to(ROOT))
    if {TIMES, FEW} & set(chosen) and (digits_base := digit_base("0-4")) is not None:
        most, *few = proof_mnist.SIZES
        if TIMES in chosen:
            found = proof_mnist.modes(digits_base, MNIST, (most,), proof_mnist.KERAS_SEEDS)["modes"][str(most)]
            print(amend("prove_mnist", "Times", {"times": found}).relative_to(ROOT))
        if FEW in chosen:
            found = proof_mnist.modes(digits_base, MNIST, tuple(few))["modes"]
            known = json.loads((RESULTS / "prove_mnist.json").read_text())["result"]["modes"]
            print(amend("prove_mnist", "Few examples", {"modes": {**known, **found}}).relative_to(ROOT))
    if PACES in chosen and (models := models_folder()) is not None:
        found = proof_budget.measure_times(sessions(), faces(), models)
        print(amend("prove_budget", "Times", found).relative_to(ROOT))
    if SCALE in chosen and (models := models_folder()) is not None:
        found = proof_fleet.many(models)
        print(amend("prove_fleet", "Scale", found).relative_to(ROOT))
    return 0


def prove_detection() -> None:
    """The proof of the detector, the full training made where it is missing; nothing, said aloud, without its base."""
    base, trained = detection_base(), ROOT / "downloads" / "detection_shapes"
    if base is None:
        return
    if not (trained / proof_detection.FIGURES).exists():
        wanted = ["model", "detector", str(base), "--json", "--out", str(trained)]
        run = "import sys; from device.commands.main import main; sys.exit(main(sys.argv[1:]))"
        said = subprocess.run([sys.executable, "-c", run, *wanted], check=True, cwd=ROOT, stdout=subprocess.PIPE)
        (trained / proof_detection.FIGURES).write_bytes(said.stdout)
    result, text = proved(proof_detection, base, trained)
    proof_detection.draw(result, trained, DETECTION_CURVE, DETECTION_BOXES)
    record("detection", result, text, {})


def prove_mnist() -> None:
    """The proof of layer freezing; nothing, said aloud, without its bases."""
    base, whole = digit_base("0-4"), digit_base("0-9")
    if base is None or whole is None:
        return
    result, text = proved(proof_mnist, base, whole, MNIST)
    MODES_PICTURE.write_text(proof_mnist.drawing(result), encoding="utf-8")
    record("mnist", result, text, {})


def prove_plain(chosen: list[str]) -> None:
    """The proofs of whole pictures, with each embedder."""
    embedders = load_embedders()
    sets = {"faces": faces(), "digits": digits(), "hands": sessions()}
    seen: dict[str, dict[str, Embedded]] = {}
    for name, pictures in sets.items():
        print(f"embedding {len(pictures.paths)} pictures of {name}", file=sys.stderr)
        seen[name] = {model: embed(pictures, embedder) for model, embedder in embedders.items()}
    for name in chosen:
        if name == "faces":
            result, text = proved(proof_faces, seen["faces"], embedders)
        elif name == "digits":
            result, text = proved(proof_digits, seen["digits"])
        elif name == "sessions":
            result, text = proved(proof_sessions, seen["hands"])
        else:
            result, text = proved(proof_strangers, seen["digits"], seen["faces"], seen["hands"], embedders)
        record(name, result, text, embedders)


def prove_looking(chosen: list[str]) -> None:
    """The proofs of the ways to look, with the shipped embedder inside; nothing, said aloud, without their models."""
    folder = models_folder()
    if folder is None:
        return
    ways = open_ways(folder)
    sets = {"hands": (sessions(), proof_look.HANDS), "faces": (faces(), proof_look.FACES)}
    seen: dict[str, dict[str, Embedded]] = {}
    for kind, (pictures, names) in sets.items():
        print(f"looking at {len(pictures.paths)} pictures of {kind}", file=sys.stderr)
        seen[kind] = see(pictures, {name: ways[name] for name in names})
    takes = {"hands": takes_of(sets["hands"][0]), "faces": proof_look.face_takes(sets["faces"][0])}
    of = {
        kind: {name: Way(ways[name], seen[kind][name], takes[kind]) for name in names}
        for kind, (_, names) in sets.items()
    }
    for name in chosen:
        if name == "look":
            result, text = proved(proof_look, seen["hands"], seen["faces"], ways)
        elif name == "look_changed":
            result, text = proved(proof_look_changed, of["hands"], of["faces"])
            PICTURE.write_text(proof_look_changed.drawing(result), encoding="utf-8")
        elif name == "confidence":
            result, text = proved(proof_confidence, confidence_cases(ways, seen))
        elif name in ("few", "intervals", "others"):
            shown = see(digits(), {kind: ways[kind] for kind in proof_look.HANDS})
            signs = {kind: Way(ways[kind], one, np.arange(len(one.y))) for kind, one in shown.items()}
            proof: Any = {"few": proof_few, "intervals": proof_intervals, "others": proof_others}[name]
            result, text = proved(proof, {"digits": signs, "poses": of["faces"], "rooms": of["hands"]})
        else:
            signs = see(digits(), {kind: ways[kind] for kind in proof_look.FACES})
            result, text = proved(
                proof_look_strangers, of["hands"], of["faces"], {kind: one.X for kind, one in signs.items()}
            )
        record(name, result, text, ways)


def confidence_cases(ways: dict[str, Embedder], seen: dict[str, dict[str, Embedded]]) -> list[proof_confidence.Case]:
    """Every case of that proof; without words, said aloud, where the base of speech is not installed."""
    cases: list[proof_confidence.Case] = []
    for name in ("frame", "face-crop"):
        cases += proof_confidence.simulated(name, ways[name])
    for name in ("frame", "hand", "hand-crop"):
        cases += proof_confidence.hands(name, ways[name], seen["hands"][name])
    for name in ("frame", "face", "face-crop"):
        cases += proof_confidence.faces(name, ways[name], seen["faces"][name])
    for name, signs in see(digits(), {name: ways[name] for name in ("frame", "hand")}).items():
        cases += proof_confidence.digits(name, ways[name], signs)
    spoken = speech_or_none()
    return cases if spoken is None else cases + list(proof_confidence.words(spoken))


def speech_or_none() -> SpeechEmbedder | None:
    """The base of speech; None, said aloud, where it is not installed."""
    try:
        return SpeechEmbedder.load(1)
    except MissingDependency as error:
        print(f"words are left out: {error}", file=sys.stderr)
        return None


def record(name: str, result: dict[str, Any], text: str, embedders: dict[str, Embedder]) -> None:
    """Write and print what a proof measured with these."""
    models = {key: {"model": one.name, "fingerprint": one.fingerprint} for key, one in embedders.items()}
    path = write(f"prove_{name}", result, embedders=models)
    print(f"\n{name}: {path.relative_to(ROOT)}\n\n{text}", flush=True)


def proved(proof: Any, *arguments: Any) -> tuple[dict[str, Any], str]:
    """What a proof measured, and its tables."""
    result = proof.measure(*arguments)
    return result, proof.report(result)


if __name__ == "__main__":
    sys.exit(main())
