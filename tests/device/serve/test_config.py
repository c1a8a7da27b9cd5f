"""The service's configuration: what a mistake is told as, and that nothing wrong gets through."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.commands.main import main
from device.serve.config import ServiceConfig, parse_config
from edge_tl.errors import ConfigError

GOOD = """
data_dir = "/var/lib/edge-tl"
summary_s = 30
[pipelines.signs]
camera = "picamera2"
profile = "hands"
on = 0.7
[pipelines.words]
mic = "auto"
profile = "words"
threshold = 0.9
[store]
keep = "embeddings"
when_full = "drop-oldest"
[web]
listen = "0.0.0.0"
token_file = "/var/lib/edge-tl/token"
hosts = ["pi.local"]
[mqtt]
host = "broker"
[[hooks]]
label = "fist"
run = ["/usr/bin/logger", "{label}"]
source = "signs"
[[pins]]
pin = 17
label = "on"
seconds = 2
"""


def test_a_whole_configuration_is_read() -> None:
    """Every table of the file becomes its dataclass, whole numbers are taken for seconds, the rest are defaults."""
    config = parse_config(GOOD)
    assert config.pipelines["signs"].controller().on == 0.7
    assert config.pipelines["words"].kind == "sound"
    assert config.summary_s == 30.0
    assert config.data_dir == Path("/var/lib/edge-tl")
    assert config.hooks[0].run == ("/usr/bin/logger", "{label}")
    assert config.pins[0].seconds == 2.0
    assert config.mqtt is not None
    assert config.mqtt.broker_port == 1883
    assert config.web is not None
    assert not config.web.loopback


def test_all_mistakes_are_told_at_once_with_the_name_that_was_meant() -> None:
    """Five mistakes give five lines: each names its place, and a misspelt name gets the nearest right one."""
    text = """
summary_s = "often"
[pipelines.signs]
camera = "auto"
profil = "hands"
[store]
keep = "some"
max_examples = 3
[[hooks]]
label = "fist"
run = "logger"
"""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "edge-tl.toml")
    first, *lines = str(caught.value).splitlines()
    assert first == "edge-tl.toml has 5 mistakes:"
    assert sorted(line.split(":")[0].strip() for line in lines) == [
        "hooks[1].run",
        "pipelines.signs.profil",
        "store.keep",
        "store.max_examples",
        "summary_s",
    ]
    assert "did you mean profile?" in str(caught.value)
    assert "one of all, embeddings" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no pipeline"),
        ("x = [", "no TOML"),
        ("[pipelines.a]", "either a camera or a mic"),
        ('[pipelines.a]\ncamera = "auto"\nmic = "auto"', "either a camera or a mic"),
        ('[pipelines.a]\ncamera = "warp"', "wanted auto|picamera2"),
        ('[pipelines.a]\ncamera = "sim"\nrotate = 45', "0, 90, 180 or 270"),
        ('[pipelines.a]\ncamera = "sim"\non = 0.4\noff = 0.6', "off"),
        ('[pipelines."../x"]\ncamera = "sim"', "a name of a-z"),
        ('[pipelines.a]\ncamera = "sim"\n[pipelines.b]\ncamera = "sim"', "share a profile"),
        ('[pipelines.a]\ncamera = "sim"\n[web]\nlisten = "0.0.0.0"', "token_file"),
        ('[pipelines.a]\ncamera = "sim"\n[web]\ntls_cert = "a.pem"', "go together"),
        ('[pipelines.a]\ncamera = "sim"\n[mqtt]\nport = 1', "mqtt.host: missing"),
        ('[pipelines.a]\ncamera = "sim"\n[mqtt]\nhost = "h"\ntopic = "a/#"', "no wildcards"),
        ('[pipelines.a]\ncamera = "sim"\n[[hooks]]\nlabel = "x"\nrun = ["logger"]', "whole path"),
        ('[pipelines.a]\ncamera = "sim"\n[[pins]]\npin = 40\nlabel = "x"', "0 to 27"),
        ('[pipelines.a]\ncamera = "sim"\n[[pins]]\npin = 4\nlabel = "x"\nsource = "b"', "no pipeline 'b'"),
        ('[pipelines.a]\ncamera = "sim"\non = nan', "a number is wanted"),
        ('[pipelines.a]\ncamera = "sim"\non = true', "a number is wanted"),
    ],
)
def test_what_cannot_be_is_refused(text: str, words: str) -> None:
    """Each contradiction and each value out of range is a ConfigError that says what is wanted."""
    with pytest.raises(ConfigError, match=words.replace("|", r"\|")):
        parse_config(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "pipelines",
                        "a",
                        "camera",
                        "mic",
                        "web",
                        "port",
                        "hooks",
                        "run",
                        "label",
                        "store",
                        "keep",
                        "pins",
                        "on",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_value_breaks_the_reader(value: object) -> None:
    """Whatever a TOML parser may give becomes a configuration or a ConfigError, nothing else."""
    from device.serve.toml_tables import read_table

    mistakes: list[str] = []
    table = value if isinstance(value, dict) else {"pipelines": value}
    config = read_table(ServiceConfig, table, "", mistakes)
    assert (config is None) == bool(mistakes)
    assert all(len(line) < 400 for line in mistakes)
    assert config is None or math.isfinite(config.summary_s)


def test_a_microphone_is_named_by_its_number_as_the_page_says() -> None:
    """`mic = 1` is `mic = "1"`; what is no number of a device is refused."""
    for text in ("1", '"1"'):
        assert parse_config(f"[pipelines.a]\nmic = {text}\n").pipelines["a"].mic == "1"
    assert parse_config("[pipelines.a]\nmic = 0\n").pipelines["a"].mic == "0"
    for text in ("-1", "true", "1.5", "1000"):
        with pytest.raises(ConfigError, match=r"pipelines\.a\.mic"):
            parse_config(f"[pipelines.a]\nmic = {text}\n")


def test_check_reads_and_opens_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`serve --check` says whether a file is good: exit 0, or 1 with the mistakes and no traceback."""
    path = tmp_path / "edge-tl.toml"
    path.write_text(GOOD)
    assert main(["serve", "--config", str(path), "--check"]) == 0
    assert "signs, words" in capsys.readouterr().out
    path.write_text("[pipelines.a]\ncamra = 'auto'\n")
    assert main(["serve", "--config", str(path), "--check"]) == 1
    assert "did you mean camera?" in capsys.readouterr().err
    path.write_bytes(b"\xff\xfe")
    assert main(["serve", "--config", str(path), "--check"]) == 1
    assert main(["serve", "--config", str(tmp_path / "none.toml"), "--check"]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert main(["serve", "--config", str(path)]) == 78  # with which systemd does not start it again
    assert "no UTF-8" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_flags_beat_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--camera` and `--mic` replace the file's pipelines, `--web` its port."""
    path = tmp_path / "edge-tl.toml"
    path.write_text(GOOD)
    assert main(["serve", "--config", str(path), "--check", "--mic", "auto"]) == 1  # a hook names signs
    assert "no pipeline 'signs'" in capsys.readouterr().err
    assert main(["serve", "--config", str(path), "--check", "--camera", "sim", "--mic", "auto"]) == 0
    assert "signs, words" in capsys.readouterr().out


def numbers(kind: type, head: str = "") -> Iterator[str]:
    """The beginning of a line for each setting that is a number, with the head of its table."""
    for name, hint in get_type_hints(kind).items():
        wanted = (
            next((one for one in get_args(hint) if one is not NoneType), hint) if NoneType in get_args(hint) else hint
        )
        inside = next((one for one in get_args(wanted) if is_dataclass(one)), None)
        if wanted in (int, float):
            yield f"{head}{name} = "
        elif isinstance(wanted, type) and is_dataclass(wanted):
            yield from numbers(wanted, f"[{name}]\n")
        elif isinstance(inside, type):
            yield from numbers(inside, f"[{name}.x]\n" if get_origin(wanted) is dict else f"[[{name}]]\n")


NUMBERS = list(numbers(ServiceConfig))


@pytest.mark.parametrize("line", NUMBERS, ids=[line.replace("\n", " ") for line in NUMBERS])
def test_a_number_without_an_end_is_one_line(line: str) -> None:
    """Four hundred digits, or five thousand, of any setting that is a number: a ConfigError, never an overflow."""
    for digits in (400, 5000):
        with pytest.raises(ConfigError) as told:
            parse_config(f"{line}{'9' * digits}\n", "x.toml")
        assert "9" * 41 not in str(told.value)


def test_every_table_has_its_numbers_tried() -> None:
    """Those of the newer tables too."""
    assert {"[sums]\nmin_examples = ", "[wyoming]\nport = ", "[[pins]]\npin = ", "threads = "} <= set(NUMBERS)
