"""TLS to a broker: certificates of one's own, and the reason in a line where it cannot be."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import authority
from mosquitto import Broker, needs_broker
from waiting import until

from device.serve.config import MqttConfig, parse_config
from device.serve.mqtt import Mqtt
from device.serve.tls import why_not
from edge_tl.errors import ConfigError


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates."""
    return authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[int]:
    """Of a broker that speaks TLS."""
    files = f"cafile {signed / 'ca.pem'}\ncertfile {signed / 'server.pem'}\nkeyfile {signed / 'server.key'}\n"
    with Broker(tmp_path_factory.mktemp("tls"), more=files) as broker:
        yield broker.port


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[int]:
    """Of one that wants a certificate of its clients."""
    files = f"cafile {signed / 'ca.pem'}\ncertfile {signed / 'server.pem'}\nkeyfile {signed / 'server.key'}\n"
    with Broker(tmp_path_factory.mktemp("strict"), more=f"{files}require_certificate true\n") as broker:
        yield broker.port


def outcome(folder: Path, config: MqttConfig) -> str:
    """What a client says when it has tried: an error, or that it is connected."""
    mqtt = Mqtt(config, folder, lambda: {}, lambda line: None)
    mqtt.start()
    try:
        until(lambda: mqtt.health()["state"] == "ok" or bool(mqtt.health()["error"]))
        return str(mqtt.health()["error"]) or "connected"
    finally:
        mqtt.stop()


@needs_broker
def test_an_authority_of_ones_own_is_trusted_where_it_is_named(port: int, signed: Path, tmp_path: Path) -> None:
    """With `ca_file` it connects; without it, or under another name, TLS' own reason is told with what helps."""
    ca = signed / "ca.pem"
    assert outcome(tmp_path, MqttConfig("localhost", port, tls=True, ca_file=ca)) == "connected"
    said = outcome(tmp_path, MqttConfig("localhost", port, tls=True))
    assert said.startswith(f"localhost:{port}: TLS: ")
    assert said.endswith("certificate: give ca_file") or "certificate chain" in said
    said = outcome(tmp_path, MqttConfig("127.0.0.1", port, tls=True, ca_file=ca))
    assert "TLS: IP address mismatch, certificate is not valid for '127.0.0.1'" in said


@needs_broker
def test_a_broker_that_wants_a_certificate_gets_it(strict: int, signed: Path, tmp_path: Path) -> None:
    """With `client_cert` it connects; without one the broker's reason is told."""
    ca = signed / "ca.pem"
    (signed / "client.key").chmod(0o600)
    mine = MqttConfig(
        *("localhost", strict),
        tls=True,
        ca_file=ca,
        client_cert=signed / "client.pem",
        client_key=signed / "client.key",
    )
    assert outcome(tmp_path, mine) == "connected"
    said = outcome(tmp_path, MqttConfig("localhost", strict, tls=True, ca_file=ca))
    assert "certificate required: give client_cert and client_key" in said


@needs_broker
def test_speaking_past_each_other_is_said(port: int, signed: Path, tmp_path: Path) -> None:
    """Plain to a port of TLS, and TLS to a plain one: each line says what to look at."""
    assert "is TLS wanted there?" in outcome(tmp_path, MqttConfig("localhost", port))
    with Broker(tmp_path) as plain:
        said = outcome(tmp_path, MqttConfig("127.0.0.1", plain.port, tls=True, ca_file=signed / "ca.pem"))
    assert "does this port speak TLS?" in said


@pytest.mark.parametrize("bad", ["missing", "no PEM", "open key", "another's key"])
def test_files_that_cannot_be_used_are_one_line(signed: Path, tmp_path: Path, bad: str) -> None:
    """At the start, with the setting that names them; a key that everybody may read is refused as a password is."""
    ca, cert, key = signed / "ca.pem", signed / "client.pem", tmp_path / "client.key"
    key.write_bytes((signed / ("server.key" if bad == "another's key" else "client.key")).read_bytes())
    key.chmod(0o644 if bad == "open key" else 0o600)
    if bad == "missing":
        ca = tmp_path / "none.pem"
    elif bad == "no PEM":
        ca = tmp_path / "ca.pem"
        ca.write_text("hello")
    config = MqttConfig("localhost", 1, tls=True, ca_file=ca, client_cert=cert, client_key=key)
    words = {"open key": "chmod 0640", "another's key": "client_cert .* cannot be used", "missing": "No such file"}
    with pytest.raises(ConfigError, match=words.get(bad, "ca_file .* cannot be used")) as caught:
        Mqtt(config, tmp_path, lambda: {}, lambda line: None).start()
    assert "\n" not in str(caught.value)


def test_why_there_is_no_connection_is_said_in_the_systems_words() -> None:
    """Each of the ways in which none comes about has a line of its own, without a place in Python's source."""
    for error, words in (
        (
            ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"),
            "TLS: wrong version number: ",
        ),
        (ConnectionResetError(104, "Connection reset by peer"), "TLS: Connection reset by peer: does this port"),
        (socket.gaierror(-2, "Name or service not known"), "the name is not known (Name or service not known)"),
        (ConnectionRefusedError(111, "Connection refused"), "no broker answers there (Connection refused)"),
        (TimeoutError("timed out"), "no answer in time"),
        (OSError(113, "No route to host"), "no way there (No route to host)"),
        (UnicodeError("label too long"), "no way there (label too long)"),
    ):
        assert why_not(error, tls=True).startswith(words)
    assert why_not(ConnectionResetError(104, "Connection reset by peer"), tls=False).startswith("no way there")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('ca_file = "a"', "tls = true"),
        ('tls = true\nclient_cert = "a"', "go together"),
        ('name = "a b"', "letters, digits"),
        ('topic = ""', "no wildcards"),
    ],
)
def test_what_contradicts_itself_is_told_by_check(more: str, words: str) -> None:
    """`serve --check` knows before anything is opened."""
    with pytest.raises(ConfigError, match=words):
        parse_config(f'[pipelines.a]\ncamera = "sim"\n[mqtt]\nhost = "h"\n{more}\n')


def test_a_host_is_a_name_alone() -> None:
    """What is pasted with a scheme, a port or a login is refused at the check; the port follows TLS where left out."""
    for host in ("", "mqtt://h", "h:1883", "pi@h", "a b", "a" * 64 + ".b", "[::1]"):
        with pytest.raises(ConfigError, match="the port goes to port"):
            MqttConfig(host)
    for host in ("broker.lan", "192.168.1.2", "::1", "fe80::1%eth0", "büro.lan"):
        assert [MqttConfig(host, tls=tls).broker_port for tls in (False, True)] == [1883, 8883]
    assert MqttConfig("h", 8884, tls=True).broker_port == 8884
