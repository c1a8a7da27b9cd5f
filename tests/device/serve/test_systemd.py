"""The unit and its installation: what systemd thinks of the file, and what each step would do to a system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from places import ROOT

import edge_tl
from device.commands.install_service import carry_out
from device.commands.main import main
from device.serve import install
from device.serve.config import parse_config
from device.serve.install import (
    CONFIG,
    PLACE,
    InstallError,
    check_place,
    config_text,
    extras_of,
    removal,
    run_aloud,
    source_of,
    steps,
)
from device.serve.locks import blocks, locked, package
from device.serve.unit import GPIO, NETWORK, UNIT, forbidden, unit_text
from edge_tl.embedders.look.models import ALL, is_installed, parts_of
from edge_tl.errors import ConfigError

PYTHON = "/usr/bin/python3"
"""The one that runs the tests may live in a home folder."""
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there in place of the one that an installation brings."""
    path = tmp_path / "edge-tl.service"
    path.write_text(unit_text().replace("/opt/edge-tl/bin/edge-tl", "/bin/true"))
    return path


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    """`systemd-analyze verify` says nothing and exits with 0."""
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    own = [line for line in ended.stderr.splitlines() if "edge-tl" in line]
    assert (ended.returncode, own) == (0, [])


@needs_systemd
def test_the_unit_exposes_little(unit: Path) -> None:
    """`systemd-analyze security` gives at most 1.5 of 10, a little more with both drop-ins."""
    for more, most in (
        ("", 1.5),
        ("SupplementaryGroups=gpio\nDeviceAllow=char-gpiochip rw\nIPAddressAllow=any\n", 1.8),
    ):
        unit.write_text(unit.read_text().replace("[Install]", f"{more}\n[Install]"))
        ended = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={most * 10:.0f}", str(unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-200:] + ended.stderr
        exposure = float(ended.stdout.split("Overall exposure level")[1].split(":")[1].split()[0])
        assert exposure <= most


def test_the_configuration_that_is_installed_is_good() -> None:
    """The template reads, asks for a camera and for the console on loopback, and needs these extras."""
    config = parse_config(config_text())
    assert config.pipelines["signs"].camera == "auto"
    assert config.web is not None
    assert config.web.loopback
    assert extras_of(config) == ["usb", "web", "phone"]
    more = config_text() + '\n[pipelines.words]\nmic = "auto"\nprofile = "words"\n[mqtt]\nhost = "broker"\n'
    assert extras_of(parse_config(more)) == ["speech", "usb", "web", "phone", "mqtt"]
    assert extras_of(parse_config(f"{more}\n[wyoming]\n"))[-1] == "wyoming"


class System:
    """A root folder, and the programs that would have been run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ran: list[list[str]] = []
        self.fails = ""
        self.has: set[str] = set()
        """Packages that the system's Python has."""

    def run(self, command: list[str]) -> None:
        self.ran.append(list(command))
        if "find_spec" in command[-1]:
            if not any(repr(one) in command[-1] for one in self.has):
                raise InstallError("there is none")
        elif self.fails and self.fails in command:
            raise InstallError(f"{command[0]} failed: no")
        if command[1:3] == ["-m", "venv"]:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.unlink(missing_ok=True)
            python.symlink_to(sys.executable)

    def made(self) -> list[list[str]]:
        """The environments that were made: what `venv` was told beside the folder."""
        return [command[3:-1] for command in self.ran if command[1:3] == ["-m", "venv"]]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """A system of our own, as root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    return System(tmp_path)


def test_installing_twice_changes_nothing_the_second_time(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    """Files are written once, a configuration that is there is left alone, and the service is restarted."""
    for _ in range(2):
        assert carry_out(steps(system.root, None, PYTHON, system.run), dry=False) == 0  # type: ignore[arg-type]
        config = system.root / CONFIG
        config.write_text(config.read_text() + "# mine\n")
    said = capsys.readouterr().out
    assert f"already so: write {system.root / UNIT}" in said
    assert (system.root / UNIT).read_text() == unit_text()
    assert (system.root / CONFIG).read_text().count("# mine") == 2
    assert (system.root / CONFIG).stat().st_mode & 0o007 == 0
    assert system.ran.count(["systemctl", "restart", "edge-tl.service"]) == 2
    assert system.made() == [["--clear"]]
    packages, wheel, own = [command for command in system.ran if "pip" in command][:3]
    assert packages[0] == str(system.root / PLACE / "bin" / "python")
    assert {"--require-hashes", "--no-deps"} <= {*packages}
    pinned = {package(line) for line in blocks(Path(packages[-1]).read_text())}
    assert {"numpy", "pillow", "ai-edge-litert", "av", "starlette", "setuptools"} <= pinned
    assert not {"paho-mqtt", "sounddevice"} & pinned  # no extra that nothing needs
    assert (wheel[-1], own[-1]) == (str(ROOT), "edge-tl")
    assert "--no-index" in own


def test_the_service_gets_the_models_that_the_program_has(
    system: System, look_models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the environment that installs are copied into the service's own, once and without a network."""
    monkeypatch.setenv("EDGE_TL_MODELS", str(look_models))
    said: list[str] = []
    folder = system.root / PLACE / "share/edge-tl/models"
    for _ in range(2):
        carry_out(steps(system.root, None, PYTHON, system.run, said.append), dry=False)  # type: ignore[arg-type]
        assert all(is_installed(folder, part) for part in parts_of(ALL))
    assert said == []
    assert f"already so: put the models for hands and faces into {folder}" in capsys.readouterr().out


def test_without_a_network_the_service_is_installed_without_the_models(
    system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A line says what helps, and the service starts all the same."""
    monkeypatch.setattr(edge_tl, "__file__", str(tmp_path / "nowhere" / "edge_tl" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    carry_out(steps(system.root, None, PYTHON, system.run, said.append), dry=False)  # type: ignore[arg-type]
    assert len(said) == 2
    assert "no package index can be reached" in said[1]
    assert "`edge-tl model get all`" in said[1]
    assert ["systemctl", "restart", "edge-tl.service"] in system.ran
    assert not (system.root / PLACE / "share").exists()


def test_pins_bring_the_group_gpio_and_nothing_else_does(system: System) -> None:
    """The drop-in for GPIO is written only where the configuration names pins."""
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    assert not (system.root / GPIO).exists()
    config = system.root / CONFIG
    config.write_text(config.read_text() + '\n[[pins]]\npin = 17\nlabel = "fist"\n')
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    assert "gpio" in (system.root / GPIO).read_text()


def test_the_network_is_opened_where_something_is_there(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    """The unit keeps the service on this machine; what the configuration names beyond it brings a drop-in, and until
    then one line says so; without it again the drop-in goes."""
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    assert not (system.root / NETWORK).exists()
    assert "IPAddressDeny=any" in (system.root / UNIT).read_text()
    plain = (system.root / CONFIG).read_text()
    for more, named in (
        ('[mqtt]\nhost = "broker"\n', "[mqtt] at broker"),
        ('[[hooks]]\nlabel = "*"\nrun = ["/usr/bin/curl"]\n', "[[hooks]]"),
        ('[pipelines.w]\nmic = "none"\nprofile = "w"\n[wyoming]\nlisten = "0.0.0.0"\n', "[wyoming] on 0.0.0.0"),
    ):
        (system.root / CONFIG).write_text(plain + more)
        config = parse_config(plain + more)
        (line,) = forbidden(config, system.root)
        assert named in line
        assert "`edge-tl install-service`" in line
        carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
        assert "IPAddressAllow=any" in (system.root / NETWORK).read_text()
        assert [*forbidden(config, system.root)] == []
        (system.root / CONFIG).write_text(plain)
        carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
        assert not (system.root / NETWORK).exists()
    assert [*forbidden(parse_config(plain + '[mqtt]\nhost = "broker"\n'), system.root / "none")] == []


def test_what_the_system_has_is_left_out_of_the_lock(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside apt's Picamera2 its NumPy and Pillow stay; the rest is installed as it is locked."""
    system.has = {"picamera2"}
    monkeypatch.setattr(install, "_kept", lambda _: {"numpy": "1.24.2", "pillow": "9.4.0"})
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    packages = next(command for command in system.ran if "--require-hashes" in command)
    pinned = {package(line) for line in blocks(Path(packages[-1]).read_text())}
    assert not {"numpy", "pillow"} & pinned
    assert "ai-edge-litert" in pinned


def test_a_wheel_without_locks_is_installed_and_said(system: System) -> None:
    """One of an earlier version brings none: what it needs is what is published today, and a line says so."""
    wheel = system.root / "edge_tl-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("device/__init__.py", "")
    said: list[str] = []
    carry_out(steps(system.root, wheel, PYTHON, system.run, said.append), dry=False)  # type: ignore[arg-type]
    assert sum("has no lock" in line for line in said) == 1
    assert [command[-1] for command in system.ran if "-c" in command and "pip" in command] == [
        f"{wheel}[usb,web,phone]"
    ]


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Every requirement of the project and its extras is pinned in its lock, within its bounds, with hashes."""
    requirements = pytest.importorskip("packaging.requirements", reason="packaging is not installed")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = blocks(locked(ROOT, ["base"]))
    for name, wanted in (("base", project["dependencies"]), *project["optional-dependencies"].items()):
        if name not in ("base", "usb", "speech", "web", "mqtt", "phone", "wyoming"):
            continue
        own = base | blocks(locked(ROOT, [name]))
        for line in own:
            assert "--hash=sha256:" in own[line], line
        pinned: dict[str, list[str]] = {}
        for one in map(requirements.Requirement, own):
            pinned.setdefault(one.name, []).append(str(one.specifier).removeprefix("=="))
        for one in map(requirements.Requirement, wanted):
            assert all(one.specifier.contains(version) for version in pinned[one.name]), one


def test_the_environment_sees_apts_packages_and_follows_the_systems_python(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pins it sees apt's gpiozero; after an upgrade of the system it is made anew, else it stays."""
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    system.has = {"gpiozero"}
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    assert system.made() == [["--clear"]]  # nothing asks for pins
    config = system.root / CONFIG
    config.write_text(config.read_text() + '\n[[pins]]\npin = 17\nlabel = "fist"\n')
    for _ in range(2):
        carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    assert system.made() == [["--clear"], ["--clear", "--system-site-packages"]]
    monkeypatch.setattr(install, "_version", lambda _: "3.99")
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    assert len(system.made()) == 3


def test_a_dry_run_says_all_and_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--dry-run` needs no root, names every step, and leaves the system as it is."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    system = System(tmp_path)
    assert carry_out(steps(tmp_path, None, run=system.run), dry=True) == 0  # type: ignore[arg-type]
    said = capsys.readouterr().out
    for word in ("system user", "edge-tl.toml", "environment", "35 MB", "edge-tl.service", "systemd"):
        assert word in said
    assert list(tmp_path.iterdir()) == []
    assert system.ran == []
    assert main(["remove-service", "--dry-run"]) == 0
    assert main(["install-service"]) == 1
    assert "sudo" in capsys.readouterr().err


def test_removing_keeps_what_was_taught(system: System) -> None:
    """Unit and environment go, state and configuration stay; with --purge they go too."""
    carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    state = system.root / "var/lib/edge-tl"
    state.mkdir(parents=True)
    carry_out(removal(system.root, purge=False, run=system.run), dry=False)  # type: ignore[arg-type]
    assert not (system.root / UNIT).exists()
    assert not (system.root / PLACE).exists()
    assert (system.root / CONFIG).exists()
    assert state.exists()
    carry_out(removal(system.root, purge=True, run=system.run), dry=False)  # type: ignore[arg-type]
    assert not (system.root / CONFIG).exists()
    assert not state.exists()


def test_a_step_that_fails_is_one_line(system: System, tmp_path: Path) -> None:
    """A program that fails, a home folder, or a file that is no wheel: one line, and nothing after it is done."""
    system.fails = "pip"
    with pytest.raises(InstallError, match="failed: no"):
        carry_out(steps(system.root, None, PYTHON, system.run), dry=False)  # type: ignore[arg-type]
    assert not (system.root / UNIT).exists()
    with pytest.raises(ConfigError, match="home folder"):
        check_place(Path("/home/pi/edge-tl"))
    with pytest.raises(ConfigError, match="home folder"):
        carry_out(steps(system.root, None, "/home/pi/.pyenv/bin/python3", system.run), dry=False)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="wheel"):
        source_of(tmp_path / "none.whl")
    with pytest.raises(InstallError, match="failed"):
        run_aloud(["/bin/false"])
    with pytest.raises(InstallError, match="cannot be run"):
        run_aloud(["/no/such/program"])
