"""Write device/systemd/locks: what `edge-tl install-service` installs, pinned and with its hashes.

    make lock

uv resolves pyproject.toml once for every Python and processor that edge-tl runs on (markers say which line is for
which) and lists the hashes of all files of each version. base.txt is what edge-tl needs itself, the others what an
extra needs beside it, build.txt what makes a wheel of a checkout. pip is then asked for each Python and processor: it
refuses what says that it is for older Pythons only, which uv takes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from device.serve.locks import blocks

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "device" / "systemd" / "locks"
EXTRAS = ("usb", "speech", "web", "mqtt", "phone", "wyoming", "fleet")
PYTHONS, MACHINES = ("3.11", "3.12", "3.13"), ("aarch64", "x86_64")
GLIBC = range(17, 37)
"""manylinux_2_17 to 2_36, that of Bookworm."""
ROUNDS = 10


def compiled(folder: Path, wanted: list[str], constraints: str) -> dict[str, str]:
    """What uv pins for these requirements, held to what is pinned already; only Linux is installed on."""
    asked, held, out = (folder / name for name in ("wanted.in", "held.txt", "out.txt"))
    asked.write_text("\n".join([*wanted, ""]))
    held.write_text(constraints)
    command = ["uv", "pip", "compile", "-q", "--universal", "--python-version", PYTHONS[0], "--generate-hashes"]
    command += ["--only-binary", ":all:", "--no-header", "--no-annotate", "--no-emit-index-url", "-c", str(held)]
    subprocess.run([sys.executable, "-m", *command, "-o", str(out), str(asked)], check=True, stdout=subprocess.DEVNULL)
    return {line: block for line, block in blocks(out.read_text()).items() if "win32" not in line}


def refused(lines: list[str], python: str, machine: str) -> str:
    """The first `name==version` that pip cannot have for this Python and processor; empty where it has all."""
    surroundings = {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": machine}
    surroundings |= {"sys_platform": "linux", "implementation_name": "cpython"}
    ours = [one for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate(surroundings)]
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "-q"]
    command += ["--only-binary", ":all:", "--python-version", python, "--implementation", "cp", "--target", "none"]
    for number in GLIBC:
        command += ["--platform", f"manylinux_2_{number}_{machine}"]
    command += ["--platform", f"manylinux2014_{machine}"]
    while True:
        asked = [f"{one.name}{one.specifier}" for one in ours]
        ended = subprocess.run([*command, *asked], capture_output=True, text=True, check=False)
        if not ended.returncode:
            return ""
        if found := re.search(r"No matching distribution found for (\S+==\S+)", ended.stderr):
            return found[1]
        # It finds the file for that Python, and then measures it by the Python that runs pip.
        different = re.search(r"Package '(\S+)' requires a different Python: \S+ not in '(.+)'", ended.stderr)
        if different is None or not SpecifierSet(different[2]).contains(f"{python}.0"):
            sys.exit(f"pip failed for Python {python} on {machine}:\n{ended.stderr[-1000:]}")
        ours = [one for one in ours if one.name != different[1]]


def main() -> int:
    """Resolve all extras together, without what pip refuses; then write each with what it adds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    own, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        not_these = ""
        for _ in range(ROUNDS):
            whole = compiled(folder, own + [one for extra in EXTRAS for one in extras[extra]], not_these)
            no = next(filter(None, (refused([*whole], python, one) for python in PYTHONS for one in MACHINES)), "")
            if not no:
                break
            print(f"pip cannot have {no}: without it")
            not_these += no.replace("==", "!=") + "\n"
        else:
            sys.exit(f"pip refuses too much: {not_these}")
        held = "".join(whole.values())
        base = compiled(folder, own, held)
        parts = {"base": base, "build": compiled(folder, project["build-system"]["requires"], held)}
        for extra in EXTRAS:
            more = compiled(folder, own + extras[extra], held)
            parts[extra] = {line: block for line, block in more.items() if line not in base}
    LOCKS.mkdir(exist_ok=True)
    for name, part in parts.items():
        (LOCKS / f"{name}.txt").write_text("".join(part.values()))
        print(f"{name}: {len(part)} pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
