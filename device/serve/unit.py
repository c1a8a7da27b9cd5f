"""The unit and its drop-ins: what systemd lets the service do, by what the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from device.serve.config import ServiceConfig

UNIT = Path("etc/systemd/system/edge-tl.service")
GPIO, NETWORK = (UNIT.with_name(f"{UNIT.name}.d") / name for name in ("gpio.conf", "network.conf"))
GPIO_TEXT = """# Made by `edge-tl install-service`, because edge-tl.toml names [[pins]].
[Service]
SupplementaryGroups=gpio
DeviceAllow=char-gpiochip rw
"""
NETWORK_TEXT = """# Made by `edge-tl install-service`, because edge-tl.toml names what is on the network.
[Service]
IPAddressAllow=any
"""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def unit_text() -> str:
    """The unit, as it is in the tree."""
    return (resources.files("device") / "systemd" / "edge-tl.service").read_text(encoding="utf-8")


def on_network(config: ServiceConfig) -> list[str]:
    """What of a configuration is beyond this machine, or may be: names for a person."""
    found = [] if config.web is None or config.web.loopback else [f"[web] on {config.web.listen}"]
    if config.mqtt is not None and config.mqtt.host not in LOOPBACK:
        found.append(f"[mqtt] at {config.mqtt.host}")
    if config.wyoming is not None and not config.wyoming.loopback:
        found.append(f"[wyoming] on {config.wyoming.listen}")
    if config.hooks:
        found.append("[[hooks]], whose commands may ask anybody")
    for name, one in config.pipelines.items():
        found += [f"[pipelines.{name}]" for source in (one.camera, one.mic) if source is not None and "://" in source]
    return found


def drop_ins(config: ServiceConfig) -> dict[Path, str | None]:
    """Every drop-in that edge-tl makes → what it holds with this configuration; None where it is not wanted."""
    return {GPIO: GPIO_TEXT if config.pins else None, NETWORK: NETWORK_TEXT if on_network(config) else None}


def forbidden(config: ServiceConfig, root: Path = Path("/")) -> Iterator[str]:
    """What the configuration names and the installed unit does not let the service do, a line each.

    root: where the system is. Nothing where no unit is installed, or where a drop-in of somebody else's allows it.
    """
    if not (root / UNIT).exists():
        return
    again = "run `edge-tl install-service` again"
    names = {GPIO: "pins are configured", NETWORK: f"{', '.join(on_network(config))} is on the network"}
    keys = {GPIO: "char-gpiochip", NETWORK: "IPAddressAllow="}
    for path, text in drop_ins(config).items():
        folder = (root / path).parent
        others = folder.glob("*.conf") if folder.is_dir() else ()
        if text is not None and not any(keys[path] in one.read_text(errors="replace") for one in others):
            yield f"{names[path]}, which the unit does not allow: {again}"
