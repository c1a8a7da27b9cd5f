"""`edge-tl-host push`: over ssh and rsync, real ones where they are installed, into use on a device, or back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sshd
from places import ROOT
from tiny_profile import fill, model_folder

from device.commands.main import main
from edge_tl.errors import ConfigError
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_chosen
from edge_tl.tflite.manifest import Scaling
from host_tools.cli import main as host_main
from host_tools.push import push


@pytest.fixture(params=["shims", "sshd"])
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The home folder on a "device" that is this machine: by a real sshd, or by programs that do as it would."""
    home, programs = tmp_path / "home", tmp_path / "programs"
    home.mkdir()
    if request.param == "sshd":
        if sshd.missing():
            pytest.skip(sshd.missing())
        with sshd.reachable(tmp_path / "ssh", home) as programs:
            monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
            yield home
        return
    programs.mkdir()
    shims = {
        "ssh": f'[ "$1" = -t ] && shift\nshift\ncd {home} && HOME={home} exec sh -c "$*"\n',
        "rsync": f'shift 2\nto="{home}/${{2#*:}}"\nmkdir -p "$to" && cp -r "$1". "$to"\n',
    }
    for name, text in shims.items():
        (programs / name).write_text("#!/bin/sh\n" + text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    yield home


def test_push_takes_a_model_into_use_on_the_device(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied, checked, used with all embedded again; a worse one is tried and goes; a damaged one never leaves."""
    fill(tmp_path / "pictures")
    data = ("--data-dir", str(home / "edge-tl"))
    assert main(["model", "use", str(model_folder(tmp_path / "model")), *data]) == 0
    assert main(["examples", "import", str(tmp_path / "pictures"), *data]) == 0
    assert main(["train", *data]) == 0
    code = "import sys; from device.commands.main import main; sys.exit(main())"
    command = home / "there"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} XDG_DATA_HOME={home} exec {sys.executable} -c "{code}" "$@"\n')
    command.chmod(0o755)
    profile = home / "edge-tl" / "profiles" / "default"

    def state() -> tuple[str | None, int, set[str]]:
        with Profile(profile) as opened:
            return (
                read_chosen(profile),
                opened.generations()[0].number,
                {one.fingerprint for one in opened.store.list()},
            )

    first = state()
    # A name that rsync would take for a host's, were it not made absolute.
    model_folder(tmp_path / "an:other", name="other", more=bytes(16))
    monkeypatch.chdir(tmp_path)
    assert host_main(["push", "an:other", "pi@device", "--edge-tl", "./there"]) == 0
    second = state()
    assert (first[1], second[1]) == (1, 2)
    assert first[0] != second[0]
    assert first[2] != second[2]
    blind = model_folder(tmp_path / "blind", name="blind", more=bytes(32), scaling=Scaling((1e-6,) * 3, (0.5,) * 3))
    assert host_main(["push", str(blind), "pi@device", "--edge-tl", "./there"]) == 1
    assert state() == second
    assert main(["predict", str(tmp_path / "pictures/dark/take0/0.png"), *data]) == 0
    (tmp_path / "an:other" / "tiny.tflite").write_bytes(b"damaged")
    assert host_main(["push", "an:other", "pi@device", "--edge-tl", "./there"]) == 1
    assert state() == second


def test_push_refuses_what_ssh_would_take_for_an_option(tmp_path: Path) -> None:
    """A host like -oProxyCommand=… is no host; one that cannot be reached is one line; labels are quoted."""
    model = model_folder(tmp_path / "model")
    for host in ("-oProxyCommand=touch x", "", "a b"):
        with pytest.raises(ConfigError, match="is no host"):
            push(model, host, "p", service=False, edge_tl="edge-tl", force=False, run=lambda _: 0)
    with pytest.raises(ConfigError, match="cannot be reached"):
        push(model, "pi@nowhere", "p", service=False, edge_tl="edge-tl", force=False, run=lambda _: 255)
    ran: list[list[str]] = []

    def note(command: object) -> int:
        ran.append(list(command))  # type: ignore[call-overload]
        return 0

    assert push(model, "pi@pi", "it's; rm -rf ~", service=True, edge_tl="e", force=True, run=note) == 0
    orders = ran[-1][-1]
    assert "'it'\"'\"'s; rm -rf ~'" in orders
    assert orders.startswith("set -e; sudo systemctl stop edge-tl; trap")
