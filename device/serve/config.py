"""What the service does, from one TOML file. Hooks, pins, addresses, paths and passwords come from here and only here.

The file is read once, at start; neither the web console nor the API can change it.
"""

from __future__ import annotations

import re
import socket
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from device.serve.fleet_config import FleetConfig
from device.serve.names import LOOPBACK, wrong_host
from device.serve.proxies import wrong_proxy
from device.serve.sums_config import SumsConfig
from device.serve.toml_tables import limits, read_table
from device.sources.choose import parse_camera
from device.sources.rotated import DEGREES
from edge_tl.controller import ControllerConfig
from edge_tl.embedders.look.choices import WAYS
from edge_tl.errors import ConfigError, counted
from edge_tl.labels import check_label
from edge_tl.listener import ListeningConfig

PLACES = (Path("edge-tl.toml"), Path("/etc/edge-tl.toml"))
"""Where a configuration is looked for when `--config` is not given."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True)
class PipelineConfig:
    """One camera or one microphone, with its profile: what it sees or hears becomes events."""

    camera: str | None = None
    """As `--camera`: auto, picamera2[:N], usb[:N], sim[:head|hand], rtsp://ADDRESS or a path."""
    mic: str | None = limits(None, number=True)
    """As `--mic`: auto, part of a name, a number (also as one), a sound file or FIFO, or rtsp://ADDRESS; or none."""
    profile: str = "default"
    """Which taught set; made when it is not there, so that it can be taught from the console."""
    rotate: int = 0
    """Degrees clockwise that every picture is turned first: 0, 90, 180 or 270."""
    look: str | None = limits(None, one_of=WAYS)
    """Of a new profile of pictures, as `--look`; one that holds examples keeps its own."""
    smoothing_s: float | None = limits(None, least=0, most=60)
    """Of signs: time constant of the smoothing, seconds; left out, the controller's own."""
    on: float | None = limits(None, least=0, most=1)
    """Of signs: a label begins at this probability."""
    off: float | None = limits(None, least=0, most=1)
    """Of signs: a label ends below this probability."""
    threshold: float | None = limits(None, least=0.01, most=1)
    """Of words: reported from this probability on; left out, as trained."""

    def __post_init__(self) -> None:
        if (self.camera is None) == (self.mic is None):
            raise ConfigError('a pipeline has either a camera or a mic; e.g. camera = "auto"')
        if self.camera is not None:
            parse_camera(self.camera)
        if self.rotate not in DEGREES:
            raise ConfigError(f"rotate = {self.rotate}; 0, 90, 180 or 270 is wanted")
        check_label(self.profile)
        self.controller()
        ListeningConfig(self.threshold or 0.5)

    @property
    def kind(self) -> str:
        """`picture` or `sound`."""
        return "picture" if self.camera is not None else "sound"

    def controller(self, neutral: str | None = None) -> ControllerConfig:
        """The controller's settings; ConfigError where on and off contradict each other."""
        given = {"smoothing_s": self.smoothing_s, "on": self.on, "off": self.off}
        return ControllerConfig(neutral=neutral, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class StoreConfig:
    """What is kept of what was taught, and how much of it at most."""

    keep: str = limits("all", one_of=("all", "embeddings"))
    """"all": pictures and sounds too; "embeddings": no raw picture or sound ever reaches the disk."""
    max_examples: int = limits(3_000, least=10, most=100_000)
    """Of each profile; of words a fifth of it, for one recording is taught as five."""
    max_mbytes: int = limits(2_000, least=1, most=1_000_000)
    """Of each profile, in 10^6 bytes of pictures, sounds and embeddings."""
    when_full: str = limits("refuse", one_of=("refuse", "drop-oldest"))
    """"refuse": recording stops and says so; "drop-oldest": the oldest take of the largest class goes."""


@dataclass(frozen=True)
class WebConfig:
    """The web console and the API of HTTP; extra `web`."""

    listen: str = "127.0.0.1"
    """The address; anything but loopback asks for the token."""
    port: int = limits(8765, least=0, most=65535)
    """0: any free one, which the log names."""
    token_file: Path | None = None
    """The token is in it; made at the first start (0640). Needed off loopback; on loopback, asked for where given."""
    hosts: tuple[str, ...] = ()
    """Names under which a browser may ask for it beside its addresses and the machine's own name, without port."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    """A certificate and its key, PEM; without them everything, the token too, is sent in clear."""

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("tls_cert and tls_key go together")
        for setting, entries, wrong in (("hosts", self.hosts, wrong_host), ("proxies", self.proxies, wrong_proxy)):
            for why in filter(None, map(wrong, entries)):
                raise ConfigError(f"{setting}: {why}")
        if self.proxies and self.token_file is None:
            raise ConfigError(
                "through proxies others than this machine reach it: give token_file, e.g. /var/lib/edge-tl/token"
            )
        if not self.loopback and self.token_file is None:
            raise ConfigError(
                f"listen = {self.listen!r} is reached from outside: give token_file, e.g. /var/lib/edge-tl/token"
            )

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.listen in LOOPBACK


@dataclass(frozen=True)
class MqttConfig:
    """An MQTT broker to publish to; extra `mqtt`."""

    host: str
    port: int | None = limits(None, least=1, most=65535)
    """Left out: 1883, with `tls` 8883."""
    username: str | None = None
    password_file: Path | None = None
    """The first line of it is the password; closed to everybody but the service."""
    tls: bool = False
    """Encrypted, with the certificates that the system trusts, or those of `ca_file`."""
    ca_file: Path | None = None
    """PEM: the certificate of whoever signed the broker's."""
    client_cert: Path | None = None
    client_key: Path | None = None
    """PEM: who this device is, where the broker asks for a certificate; the key is closed to others."""
    name: str | None = None
    """What this device is called in topics and in Home Assistant; left out, its stored id (`identity.py`)."""
    topic: str | None = None
    """All topics begin with it; left out, `edge-tl/NAME`."""
    version: str = limits("3.1.1", one_of=("3.1.1", "5"))
    """Of MQTT; brokers of 5 speak both, some clusters only that."""
    discovery: str = "homeassistant"
    """The prefix under which Home Assistant looks for devices; "" tells it nothing."""

    def __post_init__(self) -> None:
        for name in ("topic", "discovery"):
            value = self.topic if name == "topic" else self.discovery
            if value is not None and (re.search(r"[#+\0]|^/|/$", value) or (name == "topic" and not value)):
                raise ConfigError(f"{name} = {value!r}: no wildcards and no slash at its ends are wanted")
        if self.name is not None and not _WORD.fullmatch(self.name):
            raise ConfigError(f"name = {self.name[:40]!r}: letters, digits, - and _ are wanted, up to 32 of them")
        if not _is_host(self.host):
            raise ConfigError(f"host = {self.host[:60]!r}: a name or an address alone is wanted; the port goes to port")
        if (self.client_cert is None) != (self.client_key is None):
            raise ConfigError("client_cert and client_key go together")
        if not self.tls and (self.ca_file or self.client_cert):
            raise ConfigError("ca_file and client_cert are of TLS: tls = true is wanted beside them")

    @property
    def broker_port(self) -> int:
        """Where the broker listens."""
        return self.port if self.port is not None else 8883 if self.tls else 1883


def _is_host(text: str) -> bool:
    """Whether it can be a machine's name or address, with nothing else in it."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return bool(text) and text.isprintable() and not re.search(r"[\s/@\[\]]|^[^:]*:[^:]*$", text)


@dataclass(frozen=True)
class WyomingConfig:
    """A wake-word service for satellites and Home Assistant, by the Wyoming protocol; extra `wyoming`."""

    listen: str = "127.0.0.1"
    """The address. The protocol knows no token: who reaches it may ask for the words and send sound, no more."""
    port: int = limits(10400, least=0, most=65535)
    """0: any free one, which the log names."""
    pipelines: tuple[str, ...] = ()
    """Whose words are reported; left out, those of every pipeline of words."""
    name: str | None = None
    """What it is called in Home Assistant; left out, `edge-tl` and the machine's name."""

    def __post_init__(self) -> None:
        if self.name is not None and not (self.name.strip() and self.name.isprintable() and len(self.name) <= 40):
            raise ConfigError(f"name = {ascii(self.name)[:60]}: 1 to 40 characters are wanted")

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.listen in LOOPBACK

    @property
    def shown(self) -> str:
        """What it is called."""
        return self.name or f"edge-tl {socket.gethostname().partition('.')[0]}".strip()


@dataclass(frozen=True)
class HookConfig:
    """A command that is run when a label comes."""

    label: str
    """The label, or "*" for each."""
    run: tuple[str, ...]
    """Program and arguments, no shell; {label}, {confidence}, {source} are filled in, of movements {start}, {end}."""
    source: str | None = None
    """Only from this pipeline."""
    timeout_s: float = limits(10.0, least=0.1, most=3600)
    """The command is killed after so long."""

    def __post_init__(self) -> None:
        if not self.run or not self.run[0].startswith("/"):
            raise ConfigError('run: a program by its whole path is wanted, e.g. ["/usr/bin/logger", "{label}"]')


@dataclass(frozen=True)
class PinConfig:
    """A GPIO pin that is on while a label lasts, or for some time after a word; extra `gpio`."""

    pin: int = limits(17, least=0, most=27)
    """By its GPIO number (BCM)."""
    label: str = ""
    source: str | None = None
    """Only from this pipeline."""
    seconds: float | None = limits(None, least=0.01, most=3600)
    """On for so long after the label came; left out: while it lasts (of words: 1 second)."""
    active_high: bool = True

    def __post_init__(self) -> None:
        if not self.label:
            raise ConfigError("label: missing; the label that turns the pin on is wanted")


@dataclass(frozen=True)
class ServiceConfig:
    """The whole file."""

    pipelines: dict[str, PipelineConfig] = field(default_factory=dict)
    data_dir: Path | None = None
    """Where profiles are kept; left out, that of `--data-dir`."""
    socket: Path | None = None
    """The Unix socket; left out, `events.sock` in the data_dir. "edge-tl status" asks there too."""
    summary_s: float = limits(60.0, least=1, most=86_400)
    """A line in the log every so many seconds."""
    threads: int | None = limits(None, least=1, most=64)
    """Of the interpreter; left out, as `edge-tl bench` chose for this machine."""
    fps: float | None = limits(None, least=0, most=1000)
    """Answers a second that are wanted of each camera: where hands or faces take longer, pictures between are but
    glanced at; 0 looks at each in full; left out, as `edge-tl bench` chose."""
    store: StoreConfig = field(default_factory=StoreConfig)
    web: WebConfig | None = None
    mqtt: MqttConfig | None = None
    fleet: FleetConfig | None = None
    sums: SumsConfig | None = None
    wyoming: WyomingConfig | None = None
    hooks: tuple[HookConfig, ...] = ()
    pins: tuple[PinConfig, ...] = ()

    def __post_init__(self) -> None:
        if not self.pipelines:
            raise ConfigError('no pipeline: e.g. a table [pipelines.signs] with camera = "auto" is wanted')
        for name in self.pipelines:
            if not _NAME.fullmatch(name):
                raise ConfigError(f"pipeline {name!r}: a name of a-z, 0-9, - and _ is wanted, up to 32 of them")
        profiles = [one.profile for one in self.pipelines.values()]
        if len(set(profiles)) < len(profiles):
            raise ConfigError("two pipelines share a profile: each needs one of its own")
        used = [one.pin for one in self.pins]
        if len(set(used)) < len(used):
            raise ConfigError("a pin is named twice in [[pins]]")
        if self.fleet is not None:
            self._check_fleet(self.fleet)
        if self.sums is not None:
            self._check_sums(self.sums)
        words = [name for name, one in self.pipelines.items() if one.kind == "sound"]
        if self.wyoming is not None and not words:
            raise ConfigError(
                'wyoming: no pipeline of words; a table [pipelines.words] with a mic, or mic = "none", is wanted'
            )
        for name in self.wyoming.pipelines if self.wyoming is not None else ():
            if name not in words:
                raise ConfigError(f"wyoming: there is no pipeline of words {name!r}; there are {', '.join(words)}")
        for place, source in [("hooks", one.source) for one in self.hooks] + [
            ("pins", one.source) for one in self.pins
        ]:
            if source is not None and source not in self.pipelines:
                raise ConfigError(f"{place}: there is no pipeline {source!r}; there are {', '.join(self.pipelines)}")

    def _check_fleet(self, fleet: FleetConfig) -> None:
        if self.mqtt is None:
            raise ConfigError("fleet: lessons need a broker: add a table [mqtt] with its host")
        if fleet.pipeline is None and len(self.pipelines) > 1:
            raise ConfigError(f"fleet: pipeline is missing: choose one of {', '.join(self.pipelines)}")
        if fleet.pipeline is not None and fleet.pipeline not in self.pipelines:
            raise ConfigError(f"fleet: there is no pipeline {fleet.pipeline!r}; there are {', '.join(self.pipelines)}")

    def _check_sums(self, sums: SumsConfig) -> None:
        if sums.pipeline is None and len(self.pipelines) > 1:
            raise ConfigError(f"sums: pipeline is missing: choose one of {', '.join(self.pipelines)}")
        if sums.pipeline is not None and sums.pipeline not in self.pipelines:
            raise ConfigError(f"sums: there is no pipeline {sums.pipeline!r}; there are {', '.join(self.pipelines)}")
        if self.pipelines[sums.pipeline or next(iter(self.pipelines))].kind == "sound":
            raise ConfigError("sums: its pipeline hears words; sums are given of pictures only")

    @property
    def fleet_pipeline(self) -> str:
        """The pipeline that learns from the fleet; ConfigError where there is no fleet."""
        if self.fleet is None:
            raise ConfigError("the configuration has no [fleet] table")
        return self.fleet.pipeline or next(iter(self.pipelines))


def parse_config(text: str, path: str = "the configuration") -> ServiceConfig:
    """The configuration in a TOML text; ConfigError, a line for each mistake, where it cannot be used."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error
    mistakes: list[str] = []
    config = read_table(ServiceConfig, table, "", mistakes)
    if config is None:
        count = counted(len(mistakes), "mistake")
        raise ConfigError("\n  ".join([f"{path} has {count}:", *mistakes]))
    return config


def read_config(path: Path | None) -> ServiceConfig:
    """The configuration of a file, or of the first of PLACES that is there; ConfigError where none can be used."""
    if path is None:
        path = next((place for place in PLACES if place.is_file()), None)
        if path is None:
            raise ConfigError(
                f"there is no {' or '.join(map(str, PLACES))}: give --config FILE, or start `edge-tl serve` with "
                "--camera or --mic alone"
            )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no UTF-8 text: a TOML file is wanted") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): check --config") from error
    return parse_config(text, str(path))
