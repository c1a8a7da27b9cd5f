"""The unit and its installation: what systemd thinks of the file, and what each step would do to a system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edge_tl
from device.commands.install_service import carry_out
from device.commands.main import main
from device.serve import install
from device.serve.config import parse_config
from device.serve.install import (
    CONFIG,
    GPIO,
    PLACE,
    UNIT,
    InstallError,
    check_place,
    config_text,
    extras_of,
    removal,
    run_aloud,
    source_of,
    steps,
    unit_text,
)
from edge_tl.embedders.look.models import ALL, is_installed, parts_of
from edge_tl.errors import ConfigError

MOST_EXPOSURE = 2.5
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
    """`systemd-analyze security` gives at most 2.5 of 10, also with the drop-in for pins."""
    for more in ("", "SupplementaryGroups=gpio\nDeviceAllow=char-gpiochip rw\n"):
        unit.write_text(unit.read_text().replace("[Install]", f"{more}\n[Install]"))
        ended = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:.0f}", str(unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-200:] + ended.stderr
        exposure = float(ended.stdout.split("Overall exposure level")[1].split(":")[1].split()[0])
        assert exposure <= MOST_EXPOSURE


def test_the_configuration_that_is_installed_is_good() -> None:
    """The template reads, asks for a camera and for the console on loopback, and needs these extras."""
    config = parse_config(config_text())
    assert config.pipelines["signs"].camera == "auto"
    assert config.web is not None
    assert config.web.loopback
    assert extras_of(config) == ["usb", "web"]
    more = config_text() + '\n[pipelines.words]\nmic = "auto"\nprofile = "words"\n[mqtt]\nhost = "broker"\n'
    assert extras_of(parse_config(more)) == ["speech", "usb", "web", "mqtt"]


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
    pip = next(command for command in system.ran if "pip" in command)
    assert pip[0] == str(system.root / PLACE / "bin" / "python")
    assert pip[-1].endswith("[usb,web]")


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
