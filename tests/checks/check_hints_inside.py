"""What check_hints.sh runs in its bare root as a user who is not root: what the pages and the messages say to type.

Every line of the README's code blocks is run as it stands there, in one shell after the other as a reader would, and
what messages advise is taken from the messages and run too. What is no command, or cannot be run here, stands in a
table with its reason, and a row that nothing asks for any more fails. Only Python's own library is used.
"""

from __future__ import annotations

import pty
import re
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path

HOME = Path.home()
CHECKOUT = HOME / "edge-tl"
LONG_S = 600.0
NOT_HERE = {
    "sudo apt install -y python3-venv make git": "the bare root has them, and nobody here is root",
    "sudo apt install -y libportaudio2 && pip install -e '.[speech]'": "needs root; its second half is run by itself",
    "edge-tl teach --mic --profile words": "there is no microphone",
    "edge-tl listen --profile words": "there is no microphone",
    "edge-tl play --mic --profile words": "there is no microphone",
}
"""Lines of the README that cannot be run in the bare root."""
KEYS = {"edge-tl teach --camera sim": "q"}
"""Lines that take a terminal until a key is pressed: they are run in one, and the key is pressed when they draw."""
UNTIL_STOPPED = {"edge-tl serve --camera sim --web 8765": "http://127.0.0.1:8765"}
"""Lines that run until they are stopped, and what they say when they are ready."""
WORDS = {
    "FOLDER": "/t/pictures",
    "FILE": "/t/pictures/dark/0/0.png",
    "ID": "1",
    "WAY": "frame",
    "DIR": "/t/out",
    "PICTURE": "/t/pictures/dark/0/0.png",
}
"""What a reader puts in the place of a word in capitals."""
TERMINAL = ("teach", "play", "listen", "serve")
"""Commands that run until a key: that they are found is seen by their --help."""
PROVOKED = (
    (".venv/bin/edge-tl doctor", ()),
    (".venv/bin/edge-tl train --profile none", ("edge-tl teach", "edge-tl examples import FOLDER")),
    (".venv/bin/edge-tl evaluate --profile none", ("edge-tl teach", "edge-tl examples import FOLDER")),
    (".venv/bin/edge-tl predict /t/pictures/dark/0/0.png", ()),
    (".venv/bin/edge-tl listen --profile words", ()),
    (".venv/bin/edge-tl examples import /t/pictures", ()),
    (".venv/bin/edge-tl train", ()),
    (".venv/bin/edge-tl evaluate", ()),
    (".venv/bin/edge-tl predict /t/pictures/dark/0/0.png", ()),
    (".venv/bin/edge-tl examples remove --id 1", ("edge-tl train",)),
    (".venv/bin/edge-tl report --out /t/out.html", ()),
    (".venv/bin/edge-tl status", ()),
    (".venv/bin/edge-tl demo --look frame --seconds 1", ()),
)
"""A command, and hints that it must give (each without its path), in the shell of a reader who activated nothing."""


def bash(line: str, *, activated: bool = False) -> subprocess.CompletedProcess[str]:
    """A line in a new shell of the checkout, as a reader types it."""
    first = ". .venv/bin/activate && " if activated else ""
    return subprocess.run(
        ["bash", "-c", first + line],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )


def told(what: str, start_s: float) -> None:
    """A line of the report."""
    print(f"{time.monotonic() - start_s:6.1f} s  {what}", flush=True)


def in_terminal(line: str, until: str, end: str) -> str:
    """Run a line in a terminal of its own until a text came, then type `end` and wait for it; all that it said."""
    child, master = pty.fork()
    if child == 0:
        import os

        os.chdir(CHECKOUT)
        os.execvp("bash", ["bash", "-c", f". .venv/bin/activate && stty rows 24 cols 80 && exec {line}"])
    import os

    said, limit_s, typed = b"", time.monotonic() + LONG_S, False
    while time.monotonic() < limit_s:
        if select.select([master], [], [], 0.2)[0]:
            try:
                said += os.read(master, 65536)
            except OSError:
                break
        if not typed and until.encode() in said:
            os.write(master, end.encode())
            typed = True
    _, status = os.waitpid(child, 0)
    assert typed, f"{line}: {until!r} never came:\n{said.decode(errors='replace')[-2000:]}"
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 130, 143), f"{line}: ended with {code}"
    return said.decode(errors="replace")


def readme_lines() -> list[str]:
    """The commands of the README's code blocks, in their order, without what is said beside them."""
    blocks = re.findall(r"^```\n(.*?)^```", (CHECKOUT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    return [re.split(r"\s+# ", line)[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def check_readme() -> None:
    """Every line of the README, as it stands there."""
    lines = readme_lines()
    for table in (NOT_HERE, KEYS, UNTIL_STOPPED):
        assert set(table) <= set(lines), f"no line of the README any more: {set(table) - set(lines)}"
    for line in lines:
        start_s = time.monotonic()
        if line in NOT_HERE:
            told(f"left out: {line}: {NOT_HERE[line]}", start_s)
            continue
        if line in KEYS:
            in_terminal(line, "t train", KEYS[line])
        elif line in UNTIL_STOPPED:
            check_service(line, UNTIL_STOPPED[line])
        elif line == "edge-tl status":
            told("edge-tl status: was run beside the service", start_s)
            continue
        else:
            done = bash(line, activated=(CHECKOUT / ".venv/bin/activate").exists())
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        told(line, start_s)
    for extra in ("usb", "speech"):
        start_s = time.monotonic()
        done = bash(f"pip install -q -e '.[{extra}]'", activated=True)
        assert done.returncode == 0, done.stderr
        told(f"pip install -e '.[{extra}]'", start_s)


def check_service(line: str, ready: str) -> None:
    """The service answers at its address, `status` tells of it, and ended before a lesson it leaves no profile."""
    words = ["bash", "-c", f". .venv/bin/activate && exec {line}"]
    with subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        said = []
        assert process.stdout is not None
        for one in process.stdout:
            said.append(one)
            if ready in one:
                break
        assert ready in "".join(said), "".join(said)
        done = bash("edge-tl status", activated=True)
        assert done.returncode == 0, done.stdout + done.stderr
        process.terminate()
        process.stdout.read()
        assert process.wait(LONG_S) == 0
    profiles = HOME / ".local" / "share" / "edge-tl" / "profiles"
    left = [path.name for path in profiles.iterdir()] if profiles.is_dir() else []
    assert not left, f"profiles that nobody taught: {left}"


def hints_of(text: str) -> list[str]:
    """The commands that a message names: in backticks, behind an arrow, or an install command at its end."""
    found = re.findall(r"`([^`]+)`", text)
    found += re.findall(r"→ ([^\n]+)$", text, re.MULTILINE)
    found += re.findall(r": (\S*python\S* -m pip install [^\n]+)$", text, re.MULTILINE)
    return [hint for hint in found if re.match(r"(\S*/)?(edge-tl|python3?|pip|make|sudo)\b", hint)]


def check_hint(hint: str) -> None:
    """A hint does what it says, in a new shell in which nothing was activated."""
    start_s = time.monotonic()
    words = shlex.split(hint)
    if words[0] == "sudo":
        told(f"left out: {hint}: needs root", start_s)
        return
    place = bash(f"command -v {shlex.quote(words[0])}")
    assert place.returncode == 0, f"`{hint}`: {words[0]} is not found"
    filled = [WORDS.get(word, word) for word in words]
    if len(words) > 1 and words[1] in TERMINAL:
        filled = [words[0], words[1], "--help"]
    done = bash(shlex.join(filled))
    expected = (0, 1) if Path(words[0]).name == "edge-tl" else (0,)
    assert done.returncode in expected, f"`{hint}`:\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    told(f"hint: {hint}", start_s)


def check_messages() -> None:
    """What messages say to type can be typed: by the name under which it is found here."""
    checked: set[str] = set()
    for command, wanted in PROVOKED:
        done = bash(command)
        said = done.stdout + done.stderr
        assert done.returncode in (0, 1), f"{command}:\n{said}"
        assert "Traceback" not in said, said
        hints = hints_of(said)
        named = {re.sub(r"^\S*/edge-tl ", "edge-tl ", hint) for hint in hints}
        assert set(wanted) <= named, f"{command}: {named}\n{said}"
        for hint in hints:
            if hint not in checked:
                checked.add(hint)
                check_hint(hint)
    print(f"{len(checked)} hints of messages", flush=True)
    assert len(checked) >= 5


def main() -> int:
    """Clone, and run all of it; an AssertionError ends the check."""
    start_s = time.monotonic()
    subprocess.run(["git", "clone", "-q", "/t/edge-tl.bundle", "edge-tl"], cwd=HOME, check=True)
    told("git clone", start_s)
    make_pictures = """
import numpy as np
from pathlib import Path
from edge_tl.media.image import save_png
for label, grey in (("dark", 40), ("light", 200)):
    for take in range(3):
        for number in range(4):
            path = Path("/t/pictures", label, str(take), f"{number}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng([grey, take, number])
            save_png(path, np.clip(grey + rng.normal(0, 20, (48, 64, 3)), 0, 255).astype(np.uint8))
"""
    check_readme()
    subprocess.run([CHECKOUT / ".venv/bin/python", "-c", make_pictures], check=True, cwd=CHECKOUT)
    check_messages()
    return 0


if __name__ == "__main__":
    sys.exit(main())
