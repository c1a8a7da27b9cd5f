"""Installing the service, step by step: each step says what it does, whether it is done already, and does it."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

from device.cli.fetch_models import Say, bring_models
from device.cli.model_places import IN_ENVIRONMENT
from device.cli.output import warn
from device.serve.config import ServiceConfig, parse_config
from device.serve.locks import BASE, BUILD, has_locks, locked
from device.serve.unit import GPIO, UNIT, drop_ins, unit_text
from device.sources.network import is_address
from edge_tl.embedders.look.models import ALL, is_installed, parts_of
from edge_tl.errors import ConfigError, EdgeTLError

USER = "edge-tl"
HOME = Path("var/lib/edge-tl")
PLACE = Path("opt/edge-tl")
CONFIG = Path("etc/edge-tl.toml")
STAY = ("numpy", "pillow")
"""Where the system's packages are seen, these of it stay: apt's Picamera2 is built for the one and uses the other."""
Run = Callable[[Sequence[str]], None]


class InstallError(EdgeTLError):
    """A step of the installation that failed."""


@dataclass(frozen=True)
class InstallStep:
    """One thing to do."""

    what: str
    """In words, as a line."""
    done: Callable[[], bool]
    """Whether it is so already."""
    do: Callable[[], None]
    """InstallError or OSError where it cannot be done."""


def run_aloud(command: Sequence[str]) -> None:
    """Run a program; InstallError with its last line where it fails, of pip the last that names an error."""
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise InstallError(f"{command[0]} cannot be run ({error.strerror}): is it installed?") from error
    if ended.returncode:
        lines = (ended.stderr or ended.stdout).strip().splitlines() or [f"exit code {ended.returncode}"]
        named = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]  # pip, before details
        raise InstallError(f"{' '.join(command[:4])} failed: {(named or lines)[-1]}")


def config_text() -> str:
    """The configuration that a new installation begins with."""
    return (resources.files("device") / "systemd" / "edge-tl.toml").read_text(encoding="utf-8")


def extras_of(config: ServiceConfig) -> list[str]:
    """The extras of the wheel that a configuration needs."""
    wanted = []
    pipelines = config.pipelines.values()
    if any(one.mic is not None for one in pipelines):
        wanted.append("speech")
    sources = [one.camera or one.mic or "" for one in pipelines]
    if any(is_address(one) for one in sources) or any(
        (one.camera or "").startswith(("auto", "usb")) for one in pipelines
    ):
        wanted.append("usb")
    wanted += ["web", "phone"] if config.web is not None else []  # the console takes what telephones write
    wanted += ["mqtt"] if config.mqtt is not None else []
    wanted += ["fleet"] if config.fleet is not None else []
    return wanted + (["wyoming"] if config.wyoming is not None else [])


def source_of(wheel: Path | None) -> Path:
    """The wheel to install: the one given, else this checkout, of which one is built.

    ConfigError for a file that is no wheel, or where edge-tl runs from neither.
    """
    if wheel is not None:
        if wheel.suffix != ".whl" or not wheel.is_file():
            raise ConfigError(f"--wheel {wheel}: a .whl file is wanted (python3 -m build makes one)")
        return wheel.resolve()
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "pyproject.toml").is_file():
        raise ConfigError("edge-tl runs from no checkout: give --wheel FILE.whl")
    return checkout


def check_place(place: Path) -> None:
    """ConfigError where the service, or its Python, would be run from somebody's home, which it cannot see."""
    homes = ("/home/", "/root/", "/Users/")
    if f"{place.resolve()}/".startswith(homes):
        raise ConfigError(f"{place} is in a home folder, which the service cannot read: choose one like /opt, /usr")


def steps(
    root: Path, wheel: Path | None, python: str = sys.executable, run: Run = run_aloud, say: Say = warn
) -> Iterator[InstallStep]:
    """All steps of an installation, in their order; each is asked for only when those before are done.

    root: where the system is, `/`. python: makes the environment. run: runs programs; InstallError where one fails.
    say: told of models that cannot be had, which ends nothing.
    """
    place, config = root / PLACE, root / CONFIG
    check_place(place)
    source = source_of(wheel)
    yield InstallStep(
        f"make the system user {USER}, with the groups video and audio", _user_there, lambda: _add_user(run)
    )
    yield InstallStep(
        f"write {config}, with one camera and the console on loopback",
        config.exists,
        lambda: _write(config, config_text(), 0o640, group=USER),
    )
    yield _environment(root, source, python, run, say)
    yield _models(root, say)
    made = {UNIT: unit_text(), **(drop_ins(configured(root)) if config.exists() else {})}
    for path, text in made.items():
        there = root / path
        if text is not None:
            yield InstallStep(f"write {there}", partial(_holds, there, text), partial(_write, there, text, 0o644))
        elif there.exists():
            yield InstallStep(f"remove {there}", lambda: False, partial(_remove, there))
    yield InstallStep("reload systemd, enable and start the service", lambda: False, lambda: _start(run))


def configured(root: Path) -> ServiceConfig:
    """The configuration that is installed; ConfigError where it cannot be used."""
    return parse_config((root / CONFIG).read_text(), str(root / CONFIG))


def removal(root: Path, *, purge: bool, run: Run = run_aloud) -> Iterator[InstallStep]:
    """All steps of taking it away again; what was taught and configured stays, unless `purge`."""
    unit, place = root / UNIT, root / PLACE
    yield InstallStep("stop and disable the service", lambda: not unit.exists(), lambda: _stop(run))
    for path in (unit, (root / GPIO).parent, place):
        yield InstallStep(f"remove {path}", partial(_gone, path), partial(_remove, path))
    if purge:
        for path in (root / CONFIG, root / HOME):
            yield InstallStep(f"remove {path}", partial(_gone, path), partial(_remove, path))
        yield InstallStep(f"remove the user {USER}", lambda: not _user_there(), lambda: run(["userdel", USER]))
    yield InstallStep("reload systemd", lambda: False, lambda: run(["systemctl", "daemon-reload"]))


def _environment(root: Path, source: Path, python: str, run: Run, say: Say) -> InstallStep:
    """The step that makes an environment of its own and installs the wheel with what the configuration needs."""
    place = root / PLACE

    def make() -> None:
        config = configured(root)
        base = os.path.realpath(python)  # the system's own, also where this runs from an environment
        check_place(Path(base))
        # apt's Picamera2 and gpiozero are only seen from an environment that sees the system's packages.
        wanted_there = ["picamera2", *(["gpiozero"] if config.pins else [])]
        system = ["--system-site-packages"] if any(importable(base, one, run) for one in wanted_there) else []
        # Made anew for another Python too: an upgrade of the system leaves one that finds none of its packages.
        made_for = f"{base} {_version(base)} {' '.join(system)}"
        if not _holds(place / "made-for", made_for):
            run([base, "-m", "venv", "--clear", *system, str(place)])
            (place / "made-for").write_text(made_for)
        own = str(place / "bin" / "python")
        pip = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _install_packages(source, extras_of(config), place, pip, _kept(base) if system else {}, run, say)
        exactly = ["--no-deps", "--force-reinstall"]  # the same version may hold something else by now
        if source.suffix == ".whl":
            run([*pip, *exactly, str(source)])
        else:
            wheels = place / "wheel"
            run([own, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)])
            run([*pip, *exactly, "--no-index", "--find-links", str(wheels), "edge-tl"])
            shutil.rmtree(wheels, ignore_errors=True)

    what = f"make the environment {place} and install {source.name} in it"
    return InstallStep(what, lambda: False, make)


def _install_packages(
    source: Path, extras: list[str], place: Path, pip: list[str], kept: dict[str, str], run: Run, say: Say
) -> None:
    """Install what edge-tl and the extras need: as it is locked, each file checked against its hash.

    kept: packages of the system, with their versions, which stay as they are.
    """
    wanted = place / "packages.txt"
    build = [] if source.suffix == ".whl" else [BUILD]
    if has_locks(source):
        wanted.write_text(locked(source, [BASE, *extras, *build], kept))
        run([*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(wanted)])
        return
    say(f"{source.name} has no lock: what it needs is installed as it is published today, not checked against hashes")
    wanted.write_text("".join(f"{name}=={version}\n" for name, version in kept.items()))
    run([*pip, "-c", str(wanted), f"{source}[{','.join(extras)}]" if extras else str(source)])


def _models(root: Path, say: Say) -> InstallStep:
    """The step that gives the environment the models of hands and faces; without a network it goes on without them."""
    folder = root / PLACE / IN_ENVIRONMENT

    def bring() -> None:
        bring_models(root / HOME, folder, say)

    return InstallStep(
        f"put the models for hands and faces into {folder} (if they are not here: one wheel of 35 MB, of which 8 stay)",
        lambda: all(is_installed(folder, part) for part in parts_of(ALL)),
        bring,
    )


def importable(python: str, package: str, run: Run) -> bool:
    """Whether a Python has a package."""
    code = f"import importlib.util as u, sys; sys.exit(0 if u.find_spec({package!r}) else 'no {package}')"
    try:
        run([python, "-c", code])
    except InstallError:
        return False
    return True


def _kept(python: str) -> dict[str, str]:
    """Of the packages that stay as the system has them those that are there, with their versions."""
    found = {
        name: _printed(python, f"from importlib.metadata import version; print(version({name!r}))") for name in STAY
    }
    return {name: version.strip() for name, version in found.items() if version}


def _version(python: str) -> str:
    return _printed(python, "import sys; print(*sys.version_info[:2], sep='.')").strip()


def _printed(python: str, code: str) -> str:
    """What a Python prints; nothing where it fails."""
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout


def _user_there() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def _add_user(run: Run) -> None:
    groups = ",".join(name for name in ("video", "audio") if _group_there(name))
    run(["useradd", "--system", "--home-dir", f"/{HOME}", "--no-create-home", "--shell", "/usr/sbin/nologin",
         "--user-group", *(["--groups", groups] if groups else []), USER])  # fmt: skip


def _group_there(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _write(path: Path, text: str, mode: int, group: str | None = None) -> None:
    """Write a file of root's, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    if group is not None and os.geteuid() == 0 and _group_there(group):
        os.chown(new, 0, grp.getgrnam(group).gr_gid)
    new.replace(path)


def _gone(path: Path) -> bool:
    return not path.exists()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _start(run: Run) -> None:
    run(["systemctl", "daemon-reload"])
    run(["systemctl", "enable", "edge-tl.service"])
    run(["systemctl", "restart", "edge-tl.service"])


def _stop(run: Run) -> None:
    run(["systemctl", "disable", "--now", "edge-tl.service"])
