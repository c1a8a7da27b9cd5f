"""The base models that proofs and benchmarks train on, made where they are missing and TensorFlow is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from benchmarks.pictures import DATA, ROOT
from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.finetune.picture_base import PictureBase, read_picture_base

V1 = ROOT / "downloads" / "mobilenet_v1_0.25"
V1_WEIGHTS = DATA / "mobilenet_v1_0.25_224" / "mobilenet_2_5_224_tf_no_top.h5"
W18 = ROOT / "downloads" / "speech_18w"
W18_TFJS = DATA / "speech_commands_18w"
MNIST = DATA / "mnist.npz"


def source_text_model() -> Path | None:
    """The folder of MobileNet v1 .25 cut at conv_pw_13_relu, converted where missing; None, said aloud, if not."""
    if (V1 / "manifest.json").exists():
        return V1
    wanted = (
        "-m host_tools.cli convert image --architecture mobilenet_v1 --alpha 0.25 --layer conv_pw_13_relu "
        f"--weights {V1_WEIGHTS} --out {V1}"
    )
    if importlib.util.find_spec("tensorflow") is None:
        print(f"MobileNet v1 .25 is left out: no {V1}, and no TensorFlow to make it: python {wanted}", file=sys.stderr)
        return None
    if subprocess.run([sys.executable, *wanted.split()], check=False, cwd=ROOT).returncode:
        print("MobileNet v1 .25 is left out: it could not be converted", file=sys.stderr)
        return None
    return V1


def speech_bases() -> dict[str, SoundEmbedder]:
    """The embedded base, and the published 18-word model where it can be converted."""
    bases: dict[str, SoundEmbedder] = {"speech": SpeechEmbedder.load(1)}
    if not (W18 / "speech.json").exists() and importlib.util.find_spec("tensorflow") is not None:
        wanted = f"-m host_tools.cli convert speech --tfjs {W18_TFJS} --licence Apache-2.0 --out {W18}"
        subprocess.run([sys.executable, *wanted.split()], check=False, cwd=ROOT)
    if (W18 / "speech.json").exists():
        bases["18 words"] = BrowserEmbedder.load(W18, 1)
    else:
        print(f"the 18-word base is left out: no {W18}, and no TensorFlow to make it", file=sys.stderr)
    return bases


def digit_base(digits: str) -> PictureBase | None:
    """The digits network taught e.g. 0-4, made where it is missing; None, said aloud, if it cannot be."""
    folder = ROOT / "downloads" / f"digits_{digits}"
    if not (folder / "network.json").exists() and importlib.util.find_spec("tensorflow") is not None:
        wanted = f"-m host_tools.cli mnist-transfer --mnist {MNIST} --digits {digits} --out {folder}"
        subprocess.run([sys.executable, *wanted.split()], check=False, cwd=ROOT)
    if (folder / "network.json").exists():
        return read_picture_base(folder)
    print(f"mnist is left out: no {folder}, and no TensorFlow to make it", file=sys.stderr)
    return None


def detection_base() -> Path | None:
    """The base of the source text's detector, made where it is missing; None, said aloud, if it cannot be."""
    base = ROOT / "downloads" / "detection_base"
    if not (base / "detector.json").exists() and importlib.util.find_spec("tensorflow") is not None:
        weights = f"--weights {V1_WEIGHTS} --licence Apache-2.0"
        wanted = f"-m host_tools.cli detect train {weights} --epochs 0,0 --out {base}"
        subprocess.run([sys.executable, *wanted.split()], check=False, cwd=ROOT)
    if not (base / "detector.json").exists():
        print(f"detection is left out: no {base}, and no TensorFlow to make it", file=sys.stderr)
        return None
    return base
