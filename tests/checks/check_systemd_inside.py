"""Run by check_systemd.sh inside a booted system: installs the service and does to it what months would do."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

CONFIG = """data_dir = "/var/lib/edge-tl"
socket = "/run/edge-tl/events.sock"
[pipelines.signs]
camera = "CAMERA"
[web]
token_file = "/var/lib/edge-tl/token"
"""
DROP_IN = Path("/etc/systemd/system/edge-tl.service.d/check.conf")
WATCHDOG_S = 3
SUDO = """#!/bin/sh
[ "$1" = -u ] || exec "$@"
user=$2; shift 2
exec setpriv --reuid="$user" --regid="$user" --init-groups "$@"
"""
"""Where there is none: all that push asks of it."""


def run(*command: str) -> str:
    """A program; its output, and a failure with it."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return ended.stdout


def shown(name: str) -> str:
    """A property of the unit."""
    return run("systemctl", "show", "-P", name, "edge-tl").strip()


def proved(what: str, holds: bool) -> None:
    """Say it, or end with all that is known."""
    if not holds:
        log = subprocess.run(["systemctl", "status", "--no-pager", "-l", "edge-tl"], capture_output=True, text=True)
        sys.exit(f"NOT proved: {what}\n{log.stdout}\n{log.stderr}")
    print(f"proved: {what}", flush=True)


def ask(path: str, body: Any = None) -> Any:
    """The console's API, with the token."""
    token = Path("/var/lib/edge-tl/token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:8765{path}", data, headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())


def until(what: str, holds: Any, seconds: float) -> None:
    """Wait for something, and say it."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s and not holds():
        time.sleep(0.2)
    proved(what, holds())


def configure(camera: str) -> None:
    """Write the configuration."""
    Path("/etc/edge-tl.toml").write_text(CONFIG.replace("CAMERA", camera))


def main() -> None:
    """All of it, in order."""
    wheel = str(next(Path("/t/wheels").glob("*.whl")))
    if not Path("/t/venv/bin/pip").exists():
        run("python3", "-m", "venv", "/t/venv")
    run("/t/venv/bin/pip", "install", "-q", "--upgrade", f"{wheel}[web]")
    run("/t/venv/bin/pip", "install", "-q", "--no-deps", "--force-reinstall", wheel)
    install = ["/t/venv/bin/edge-tl", "install-service", "--wheel", wheel]
    dry = run(*install, "--dry-run")
    proved("a dry run says the steps and does none", "would" in dry and not Path("/opt/edge-tl").exists())
    configure("sim")
    run(*install)
    proved("installed and active (Type=notify: READY=1 was sent)", shown("ActiveState") == "active")
    pinned = re.findall(r"^(\S+)==(\S+)", Path("/opt/edge-tl/packages.txt").read_text(), re.MULTILINE)
    there = run("/opt/edge-tl/bin/python", "-m", "pip", "freeze").lower().replace("_", "-").replace(".", "-")
    proved(
        f"all of the {len(pinned)} locked packages that are for this Python are there, as they are locked",
        sum(f"{name}=={version}".replace(".", "-") in there for name, version in pinned) >= len({*dict(pinned)}),
    )
    pid = int(shown("MainPID"))
    status = Path(f"/proc/{pid}/status").read_text()
    proved("it runs as the system user edge-tl", Path(f"/proc/{pid}").stat().st_uid == pwd_uid())
    proved(
        "without capabilities and with a system call filter",
        "CapEff:\t0000000000000000" in status and "Seccomp:\t2" in status,
    )
    until("systemctl shows its status line", lambda: shown("StatusText").startswith("ok: signs"), 20)
    proved("the token is the service's alone", Path("/var/lib/edge-tl/token").stat().st_mode & 0o777 == 0o640)
    proved("/var/lib/edge-tl is closed to others", Path("/var/lib/edge-tl").stat().st_mode & 0o007 == 0)
    for label in ("up", "down") * 2:
        for _ in range(12):
            ask("/api/pipelines/signs/record", {"label": label})
            time.sleep(0.1)
        ask("/api/pipelines/signs/release", {})
    trained = ask("/api/pipelines/signs/train", {})
    proved(
        "taught and trained inside the sandbox",
        trained["generation"] == 1 and sum(c for c, _ in trained["counts"].values()) > 20,
    )

    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text(f"[Service]\nWatchdogSec={WATCHDOG_S}\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "edge-tl")
    before = int(shown("NRestarts"))
    pid = int(shown("MainPID"))
    os.kill(pid, signal.SIGSTOP)
    until("a process that stands still is restarted by the watchdog", lambda: int(shown("NRestarts")) == before + 1, 60)
    until("and is active again", lambda: shown("ActiveState") == "active" and int(shown("MainPID")) != pid, 60)
    os.kill(int(shown("MainPID")), signal.SIGKILL)
    until("a killed process is restarted", lambda: int(shown("NRestarts")) == before + 2, 60)
    until("and is active again", lambda: shown("ActiveState") == "active" and shown("StatusText").startswith("ok"), 60)
    proved("with all that was taught", ask("/api/state")["pipelines"]["signs"]["generation"] == 1)

    configure("/nowhere/camera.mp4")
    run("systemctl", "restart", "edge-tl")
    until("a camera that is not there is sought", lambda: "waiting" in shown("StatusText"), 30)
    before, pid = int(shown("NRestarts")), int(shown("MainPID"))
    time.sleep(10 * WATCHDOG_S)
    same = int(shown("NRestarts")) == before and int(shown("MainPID")) == pid
    proved(f"unplugged for 10 x WatchdogSec ({10 * WATCHDOG_S} s): no restart", same)

    config = Path("/etc/edge-tl.toml")
    whole = config.read_text()
    config.write_text(whole[: len(whole) - 30])
    subprocess.run(["systemctl", "restart", "edge-tl"], capture_output=True, check=False)
    until("a torn configuration stops it", lambda: shown("ActiveState") == "failed", 30)
    before = int(shown("NRestarts"))
    time.sleep(10)
    proved("once, not again and again", shown("ActiveState") == "failed" and int(shown("NRestarts")) == before)

    configure("sim")
    counts = {label: count for label, (count, _) in trained["counts"].items()}
    run(*install)
    until("installed again: active", lambda: shown("StatusText").startswith("ok"), 60)
    state = ask("/api/state")["pipelines"]["signs"]
    kept = {label: count for label, (count, _) in state["counts"].items()} == counts and state["generation"] == 1
    proved("an upgrade keeps what was taught", kept)
    push()
    state = ask("/api/state")["pipelines"]["signs"]
    taken = state["generation"] == 2 and not state["last_error"]
    proved("a model that was pushed is in use, by a new generation, and the service runs again", taken)
    run("systemctl", "stop", "edge-tl")
    proved("stopped cleanly", shown("Result") == "success" and shown("ExecMainStatus") == "0")
    run("/t/venv/bin/edge-tl", "remove-service")
    gone = not Path("/opt/edge-tl").exists() and not Path("/etc/systemd/system/edge-tl.service").exists()
    proved("removed; what was taught is still there", gone and Path("/var/lib/edge-tl/profiles").exists())


def push() -> None:
    """What `edge-tl-host push --service` has the device do, with the shipped model under another name and hash."""
    said = "from edge_tl.models import default_model; from host_tools.push import _orders; print(default_model()); "
    said += "print(_orders('/t/other', 'default', True, '', True))"
    shipped, orders = run("/t/venv/bin/python", "-c", said).splitlines()
    shutil.rmtree("/t/other", ignore_errors=True)
    shutil.copytree(shipped, "/t/other")
    manifest = Path("/t/other/manifest.json")
    about = json.loads(manifest.read_text())
    model = manifest.with_name(about["model"])
    model.write_bytes(model.read_bytes() + bytes(16))  # another fingerprint, the same answers
    about |= {"name": "pushed", "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    manifest.write_text(json.dumps(about))
    if shutil.which("sudo") is None:
        Path("/usr/bin/sudo").write_text(SUDO)
        Path("/usr/bin/sudo").chmod(0o755)
    run("sh", "-c", orders)
    until("started again after the push", lambda: shown("StatusText").startswith("ok"), 60)


def pwd_uid() -> int:
    """Of the system user."""
    import pwd

    return pwd.getpwnam("edge-tl").pw_uid


if __name__ == "__main__":
    main()
