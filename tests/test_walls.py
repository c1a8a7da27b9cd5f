"""The walls of the house: who may import whom, which package lives where, and what every test owes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("edge_tl", "device", "host_tools")
MAY_IMPORT = {
    "edge_tl": {"edge_tl"},
    "device": {"edge_tl", "device"},
    "host_tools": {"edge_tl", "host_tools"},
}

# Every third-party package has one home: a file, or a folder ending in "/".
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
    "av": ("device/sources/usb.py",),
    "starlette": ("device/serve/web.py",),
    "uvicorn": ("device/serve/web.py",),
    "paho": ("device/serve/mqtt.py",),
    "gpiozero": ("device/serve/pins.py",),
    "curses": ("device/screens/terminal.py",),
    "sqlite3": ("edge_tl/store/database.py",),
    "tensorflow": ("host_tools/",),
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


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_package_stays_in_its_home(path: Path) -> None:
    """A third-party package is imported in its home and nowhere else, and every package used has a home."""
    name = path.relative_to(ROOT).as_posix()
    for package in imports(path) - set(ROOMS):
        if package in HOMES:
            assert name.startswith(HOMES[package]), f"{package} lives in {HOMES[package]}, not in {name}"
        else:
            assert package in sys.stdlib_module_names, f"{package} has no home in HOMES ({name})"


def test_importing_the_library_is_quiet_and_light() -> None:
    """Importing `edge_tl` loads no interpreter, camera, terminal or TensorFlow and starts no thread."""
    code = (
        "import sys, threading, edge_tl;"
        "loud = {'tensorflow', 'ai_edge_litert', 'tflite_runtime', 'picamera2', 'sounddevice', 'curses', 'av',"
        " 'soxr', 'soundfile'};"
        "assert not loud & set(sys.modules), loud & set(sys.modules);"
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", sorted((ROOT / "tests").glob("*.py")), ids=lambda p: p.name)
def test_every_test_carries_one_sentence(path: Path) -> None:
    """Every test says in its docstring what the software promises."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"


def test_the_public_face_is_complete() -> None:
    """`edge_tl.__all__` names each public object once, and each of them exists and has a docstring."""
    import edge_tl

    names = getattr(edge_tl, "__all__", [])
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(edge_tl, name).__doc__, f"edge_tl.{name} has no docstring"
