"""Model files of other programs: what each is by its first bytes and its name, and what to do with it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePath

from edge_tl.core.archive import Archive, DamagedArchive

_ON_A_PC = "convert it to .tflite on a PC"
_MADE_FROM = "take the model that it was made from"
_BY_ENDING: dict[str, str] = {
    ".onnx": f"is an ONNX model: {_ON_A_PC}, for example with onnx2tf",
    **dict.fromkeys(
        (".pt", ".pth", ".safetensors", ".ckpt"),
        "holds a PyTorch model or its weights: export it to .tflite where it was trained (for YOLO `format=tflite`; "
        "`edge-tl model build --weights` takes those of MobileNetV2 and EfficientNet-Lite0)",
    ),
    ".pb": f"is a TensorFlow graph: {_ON_A_PC} with tf.lite.TFLiteConverter.from_saved_model",
    ".mlmodel": f"is a Core ML model, which runs on Apple's devices alone: {_MADE_FROM}",
    ".mlpackage": f"is a Core ML model, which runs on Apple's devices alone: {_MADE_FROM}",
    ".hef": f"is compiled for a Hailo accelerator, which is not used here: {_MADE_FROM}",
    ".rpk": f"is packed for Sony's IMX500 camera, which is not used here: {_MADE_FROM}",
    **dict.fromkeys((".engine", ".plan"), f"is built by TensorRT for one NVIDIA GPU: {_MADE_FROM}"),
    **dict.fromkeys((".blob", ".dlc", ".rknn"), f"is compiled for an accelerator that is not used here: {_MADE_FROM}"),
}
_JSON = (
    "is a model of TensorFlow.js: `edge-tl-host convert teachable` takes the folder of an image project of Teachable "
    "Machine, `edge-tl-host convert speech` that of a sound project"
)
_HDF5 = (
    "is a Keras file: `edge-tl-host convert teachable` takes Teachable Machine's keras_model.h5, `edge-tl model build "
    f"--weights` a MobileNet's; any other: {_ON_A_PC} with tf.lite.TFLiteConverter.from_keras_model"
)
_KERAS = f"is a Keras model: {_ON_A_PC} with tf.lite.TFLiteConverter.from_keras_model"
_SAVED_MODEL = f"holds a TensorFlow SavedModel: {_ON_A_PC} with tf.lite.TFLiteConverter.from_saved_model"


def other_format(data: bytes, name: str) -> str:
    """What a file is that is no TFLite model, and what to do; empty where nobody can tell. name: its path."""
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return _HDF5
    if data.startswith(b"\x7fELF"):
        return "is a program, as Edge Impulse's .eim: take the TensorFlow Lite file of its dashboard"
    if data.startswith(b"PK") and (inside := _packed(data)):
        return inside
    if data.lstrip()[:1] == b"{" and (b"weightsManifest" in data or PurePath(name).name == "model.json"):
        return _JSON
    return _BY_ENDING.get(PurePath(name).suffix.lower(), "")


def other_folder(folder: Path) -> str:
    """The same of a folder that holds no manifest of ours."""
    if (folder / "saved_model.pb").is_file():
        return _SAVED_MODEL
    for file, said in (("model.json", _JSON), ("keras_model.h5", _HDF5)):
        if (folder / file).is_file():
            return f"its {file} {said}"
    with suppress(OSError):
        found = sorted(file.name for file in folder.iterdir() if file.suffix == ".tflite")
        if found:
            return f"has no manifest.json: give the file in it, {folder / found[0]}"
    return ""


def _packed(data: bytes) -> str:
    """What a ZIP file with a model in it is; empty for any other."""
    try:
        with Archive(data) as packed:
            names = packed.names
    except DamagedArchive:
        return ""
    lite = next((name for name in names if name.endswith(".tflite")), None)
    if lite is not None:
        return f"is an archive: unpack it and give {lite[:60]}, with the labels beside it"
    if "config.json" in names and "model.weights.h5" in names:
        return _KERAS
    if any(name.endswith("data.pkl") for name in names):
        return _BY_ENDING[".pt"]
    held = {name.rpartition("/")[2] for name in names}
    if "saved_model.pb" in held:
        return f"is an archive that {_SAVED_MODEL}"
    for file, said in (("model.json", _JSON), ("keras_model.h5", _HDF5)):
        if file in held:
            return f"is an archive, and its {file} {said}"
    return ""
