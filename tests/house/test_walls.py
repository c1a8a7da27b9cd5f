"""The walls of the house: who may import whom, which package lives where, and what every test owes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from places import ROOT

ROOMS = ("edge_tl", "device", "host_tools")
MAY_IMPORT = {
    "edge_tl": {"edge_tl"},
    "device": {"edge_tl", "device"},
    "host_tools": {"edge_tl", "host_tools"},
}

# What each file or folder at the top of a package may import of that package, imports inside functions included. It
# reads from the ground up: nothing is named before it has a row of its own, so no arrow runs up.
MODELS = "errors frames files labels media core movements nn tflite models embedders"
LAWS: dict[str, dict[str, str]] = {
    "edge_tl": {
        "errors": "",
        "frames": "errors",
        "files": "errors",
        "labels": "errors",
        "controller": "errors labels",
        "media": "errors files frames labels",
        "core": "errors files frames labels",
        "movements": "errors files core",
        "nn": "errors files core",
        "tflite": "errors files core nn",
        "models": "errors files tflite",
        "sources": "errors files frames labels media core",
        "embedders": "errors frames files labels media core movements nn tflite models sources",
        "heads": "errors labels core nn movements",
        "judge": "errors labels core nn heads",
        "fleet": "errors files labels core nn heads judge",
        "listener": "errors labels controller media core",
        "recognizer": "errors frames labels media core embedders heads judge",
        "line": "errors frames controller media core movements embedders heads listener recognizer",
        "store": f"{MODELS} controller listener sources heads judge fleet",
        "words": f"{MODELS} heads judge listener recognizer store",
        "finetune": f"{MODELS} heads judge recognizer store words",
        "export": f"{MODELS} heads judge recognizer store words finetune",
        "detection": f"{MODELS} heads judge recognizer store words finetune export",
        "testing": "errors frames labels media core embedders",
    },
    "device": {
        "health": "",
        "sources": "",
        "cli": "sources",
        "assembly": "health sources cli",
        "speed": "",
        "teach": "health sources cli assembly",
        "pacman": "health sources cli assembly teach",
        "report": "health sources cli assembly teach",
        "serve": "health sources cli speed assembly teach",
        "screens": "health sources cli assembly teach pacman report serve",
        "commands": "health sources cli speed assembly teach pacman report serve screens",
    },
}
EXCEPTIONS: dict[tuple[str, str], str] = {}
"""(file, file it imports against the laws) → why it cannot be otherwise yet; an entry that is no longer so fails."""
MAX_NAMES = {"edge_tl": 27, "device": 13}
MAX_LINES = 400

# Every third-party package, and what of the standard library should not spread, has its homes: a file, or a folder
# ending in "/".
HOMES: dict[str, tuple[str, ...]] = {
    "numpy": ("",),
    "PIL": (
        "edge_tl/media/image.py",
        "edge_tl/sources/drawn_head.py",
        "edge_tl/sources/drawn_hand.py",
        "edge_tl/sources/drawn_room.py",
        "edge_tl/detection/scenes.py",
    ),
    "ai_edge_litert": ("edge_tl/tflite/interpreter.py", "edge_tl/tflite/schema.py"),
    "flatbuffers": ("edge_tl/tflite/schema.py",),
    "tflite_runtime": ("edge_tl/tflite/interpreter.py",),
    "soundfile": ("edge_tl/media/wav.py",),
    "soxr": ("edge_tl/media/resample.py",),
    "picamera2": ("device/sources/picamera.py",),
    "sounddevice": ("device/sources/microphone.py",),
    "pi_heif": ("edge_tl/media/heic.py",),
    "av": ("edge_tl/media/containers.py",),
    "starlette": tuple(f"device/serve/{name}.py" for name in ("web", "web_files", "bodies", "event_streams", "guard")),
    "uvicorn": ("device/serve/web.py",),
    "paho": ("device/serve/mqtt.py", "device/serve/mqtt_retain.py"),
    "wyoming": tuple(f"device/serve/{name}.py" for name in ("wyoming", "satellite", "satellite_events")),
    "zeroconf": ("device/serve/announcing.py",),
    "ifaddr": ("device/serve/announcing.py",),
    "gpiozero": ("device/serve/pins.py",),
    "argparse": ("device/cli/", "device/commands/", "host_tools/"),
    "curses": ("device/screens/codes.py",),
    "shtab": ("device/commands/completion.py",),
    "sklearn": ("edge_tl/heads/estimators.py",),
    "cryptography": ("edge_tl/fleet/keys.py",),
    "flwr": ("host_tools/flower_app/",),
    "sqlite3": ("edge_tl/store/database.py",),
    "tensorflow": ("host_tools/",),
}


# A name that an object may lack is asked for only where the object is not ours: its library's versions, or its errors,
# differ in what they have. Ours say what they are: in a class, a protocol, or by isinstance.
MAY_LACK: dict[str, set[str]] = {
    "edge_tl/store/database.py": {"sqlite_errorname"},  # an error that Python's module raised itself has none
    "device/cli/output.py": {"encoding"},  # a stream that took the place of stdout
    "device/health.py": {"strerror"},  # a ValueError has none
    "device/sources/picamera.py": {"range", "name"},  # libcamera's colour space, of several versions
    "device/sources/usb.py": {"errno", "strerror"},  # FFmpeg's errors
    "edge_tl/media/containers.py": {"rotation"},  # PyAV's frame since 13
}


def python_files(*rooms: str) -> list[Path]:
    """The Python files of the rooms."""
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """The top-level names of the packages a file imports anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_what_its_law_allows(path: Path) -> None:
    """`edge_tl` imports neither of the others, and `device` and `host_tools` never import each other."""
    room = path.relative_to(ROOT).parts[0]
    assert imports(path) & set(ROOMS) <= MAY_IMPORT[room]


def arrows() -> set[tuple[str, str]]:
    """Every import of one of our files by another, imports inside functions included: (file, file), below the root."""
    files = {path.relative_to(ROOT).as_posix() for path in python_files(*ROOMS)}

    def file_of(module: str) -> str | None:
        name = module.replace(".", "/")
        return next((file for file in (f"{name}.py", f"{name}/__init__.py") if file in files), None)

    found = set()
    for file in files:
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.Import):
                targets = [file_of(alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                targets = [file_of(f"{node.module}.{alias.name}") or file_of(node.module) for alias in node.names]
            else:
                continue
            found |= {(file, target) for target in targets if target is not None and target != file}
    return found


def room_of(file: str) -> tuple[str, str]:
    """The package and the file or folder at its top: `edge_tl/nn/layers.py` is in ("edge_tl", "nn")."""
    package, _, rest = file.partition("/")
    return package, rest.partition("/")[0].removesuffix(".py")


def test_no_import_runs_up() -> None:
    """Between rooms only what `LAWS` allows is imported, and the exceptions are those that are named."""
    against = set()
    for file, target in arrows():
        (package, room), (other, below) = room_of(file), room_of(target)
        if package != other or "__init__" in (room, below) or package not in LAWS or room == below:
            continue
        if below not in LAWS[package][room].split():
            against.add((file, target))
    assert against == set(EXCEPTIONS)


@pytest.mark.parametrize("package", LAWS)
def test_the_laws_name_every_room_from_the_ground_up(package: str) -> None:
    """Each file and folder has a row, and each row names only rooms of rows before it, so that there is no circle."""
    rooms = {room_of(path.relative_to(ROOT).as_posix())[1] for path in python_files(package)} - {"__init__"}
    assert rooms == set(LAWS[package])
    before: set[str] = set()
    for room, below in LAWS[package].items():
        assert set(below.split()) <= before, room
        before.add(room)


def test_no_files_import_each_other_in_a_circle() -> None:
    """Inside a room no import runs in a circle either, nor between a folder's files and a folder in it."""
    graph: dict[str, set[str]] = {}
    for file, target in arrows():
        graph.setdefault(file, set()).add(target)
    TopologicalSorter(graph).prepare()  # CycleError names the circle
    nested = {(Path(a).parent.as_posix(), Path(b).parent.as_posix()) for a, b in arrows()}
    # A package's face imports its rooms; everything else in it is below one.
    both = {(a, b) for a, b in nested if a != b and (b, a) in nested and a.count("/") and b.count("/")}
    assert not both


@pytest.mark.parametrize("package", MAX_NAMES)
def test_a_look_into_a_package_is_enough(package: str) -> None:
    """So few files and folders stand at the top that they can be held in one's head."""
    names = {path.name for path in (ROOT / package).iterdir() if path.name != "__pycache__"}
    assert len(names) <= MAX_NAMES[package], sorted(names)


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_holds_two_things(path: Path) -> None:
    """A file of more than 400 lines holds two things, and is two files."""
    assert len(path.read_text().splitlines()) <= MAX_LINES


def test_the_service_loads_no_screen_report_or_command() -> None:
    """The headless service, imported in a fresh process, loads none of what a person looks at."""
    pytest.importorskip("wyoming", reason="the package wyoming is not installed (extra wyoming)")
    code = (
        "import pkgutil, sys, importlib, device.serve;"
        "[importlib.import_module(f'device.serve.{one.name}') for one in pkgutil.iter_modules(device.serve.__path__)];"
        "loud = sorted(name for name in sys.modules"
        " if name.startswith(('device.screens', 'device.report', 'device.commands', 'device.pacman', 'curses')));"
        "assert not loud, loud"
    )
    but = "ignore:'audioop' is deprecated"  # which the package wyoming asks for
    subprocess.run([sys.executable, "-W", "error", "-W", but, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_package_stays_in_its_home(path: Path) -> None:
    """A third-party package is imported in its home and nowhere else, and every package used has a home."""
    name = path.relative_to(ROOT).as_posix()
    for package in imports(path) - set(ROOMS):
        if package in HOMES:
            assert name.startswith(HOMES[package]), f"{package} lives in {HOMES[package]}, not in {name}"
        else:
            assert package in sys.stdlib_module_names, f"{package} has no home in HOMES ({name})"


@pytest.mark.parametrize("path", python_files("device"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_command_reads_only_options_that_it_declares(path: Path) -> None:
    """Nothing asks whether a command has an option: a Namespace that lacks one is a mistake, and fails."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            assert ast.unparse(node.args[0]) != "arguments", f"{path.name}:{node.lineno}"


def test_no_object_of_ours_is_asked_what_it_has() -> None:
    """`getattr` and `hasattr` with a literal name are used on foreign objects only: exactly those of `MAY_LACK`."""
    found: dict[str, set[str]] = {}
    for path in python_files("edge_tl", "device"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(ast.Name("getattr" | "hasattr"), [_, ast.Constant(name), *_]):
                    found.setdefault(path.relative_to(ROOT).as_posix(), set()).add(name)
    assert found == MAY_LACK


def test_every_drawing_is_made_in_one_place() -> None:
    """The marks of SVG are written by `device/report/svg.py` alone; reports and benchmarks call it."""
    marks = re.compile(r"<(line|path|polyline|polygon|circle|rect|text)[ >]")
    found = {path for path in python_files("edge_tl", "device", "benchmarks") if marks.search(path.read_text())}
    assert found == {ROOT / "device" / "report" / "svg.py"}


def test_importing_the_library_is_quiet_and_light() -> None:
    """All that `edge_tl` offers loads no interpreter, camera, terminal or TensorFlow and starts no thread."""
    code = (
        "import sys, threading, numpy;"
        "drawn = 'numpy.random' in sys.modules;"  # NumPy 1 loads its generators at once
        "from edge_tl import *;"
        "assert drawn or 'numpy.random' not in sys.modules;"
        "loud = {'tensorflow', 'ai_edge_litert', 'tflite_runtime', 'picamera2', 'sounddevice', 'curses', 'av',"
        " 'soxr', 'soundfile'};"
        "assert not loud & set(sys.modules), loud & set(sys.modules);"
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


def test_a_recognizer_stands_without_database_and_speech() -> None:
    """It is taught from arrays, learns and answers where neither SQLite nor anything that hears can be imported."""
    code = """
import sys
away = ("sqlite3", "edge_tl.store", "edge_tl.words", "edge_tl.media.sound", "edge_tl.embedders.stream")
sys.modules.update(dict.fromkeys((*away, "edge_tl.embedders.speech", "edge_tl.embedders.browser", "soxr")))
import numpy as np
from edge_tl import Recognizer
from edge_tl.testing import FakeEmbedder
recognizer = Recognizer(FakeEmbedder())
for take, (label, shade) in enumerate([("dark", 20), ("light", 230)] * 3):
    recognizer.teach(np.full((32, 32, 3), shade + take, np.uint8), label, take)
recognizer.learn()
assert recognizer.observe(np.full((32, 32, 3), 232, np.uint8)).label == "light"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


def test_what_is_missing_is_installed_by_the_interpreter_that_runs() -> None:
    """No message has an install command of its own: one function knows which interpreter and which checkout."""
    found = {path.relative_to(ROOT).as_posix() for path in python_files(*ROOMS) if "pip install" in path.read_text()}
    assert not found


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_test_carries_one_sentence(path: Path) -> None:
    """Every test says in its docstring what the software promises."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"


def test_the_public_face_is_complete() -> None:
    """`edge_tl.__all__` names each public object once, and each of them exists and has a docstring."""
    import edge_tl

    names = edge_tl.__all__
    assert len(names) == len(set(names))
    assert set(names) - {"__version__"} == set(edge_tl._HOME)
    for name in names:
        assert getattr(edge_tl, name).__doc__, f"edge_tl.{name} has no docstring"
