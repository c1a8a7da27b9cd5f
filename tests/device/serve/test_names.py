"""The names under which the console is reached: the machine's own, those of the settings, and nobody else's."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import browser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from benchmarks.serving import Serving
from device.serve import names
from device.serve.config import parse_config
from device.serve.names import canonical, host_allowed, name_and_port
from edge_tl.errors import ConfigError

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

OUTSIDE = "0.0.0.0"
SIGNS = '[pipelines.signs]\ncamera = "sim"\n'


@given(st.text(max_size=60))
def test_no_foreign_name_is_ours(name: str) -> None:
    """On loopback only loopback's names and this machine's addresses are taken, whatever a Host header holds."""
    if host_allowed(name, "127.0.0.1", ()):
        bare = name.rsplit(":", 1)[0] if name.rsplit(":", 1)[-1].isdigit() else name
        assert canonical(bare.rstrip(":")) == "localhost" or names._address(canonical(bare.rstrip(":"))) is not None


@pytest.mark.parametrize("own", ["kitchen", "kitchen.home.example", "Kitchen.Home.Example."])
def test_the_machine_answers_to_its_name_in_every_form(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or its first part, alone or by mDNS, with a dot at the end or a port, and as Avahi counts it on."""
    monkeypatch.setattr(socket, "gethostname", lambda: own)
    for asked in ("kitchen", "KITCHEN", "kitchen.local", "kitchen.local.", "kitchen.:8765", "kitchen-2.local:8765"):
        assert host_allowed(asked, OUTSIDE, ()), asked
        assert not host_allowed(asked, "127.0.0.1", ()), asked
    assert host_allowed(own, OUTSIDE, ())
    for asked in ("kitchen.evil.example", "kitchen-2", "kitchen-x.local", "kitchen-2.local.evil.example", "hall", ""):
        assert not host_allowed(asked, OUTSIDE, ()), asked


def test_addresses_are_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """From outside any address is taken, on loopback this machine's; what only looks like one is not."""
    for asked in ("192.0.2.7", "192.0.2.7:8765", "[2001:db8::1]:8765", "[fe80::1%25eth0]"):
        assert host_allowed(asked, OUTSIDE, ()), asked
        assert not host_allowed(asked, "127.0.0.1", ()), asked
    assert host_allowed("192.0.2.7", "127.0.0.1", ["192.0.2.7"])
    for asked in ("0.0.0.0", "[::]", "192.0.2", "0x7f.1", "192.0.2.7:x", "[192.0.2.7", "a:b:1"):
        assert not host_allowed(asked, "127.0.0.1", ()), asked
    monkeypatch.setattr(names, "_has", lambda address: str(address) == "192.0.2.7")
    assert host_allowed("192.0.2.7:8765", "127.0.0.1", ())
    assert host_allowed("127.0.0.1:8765", "127.0.0.1", ())
    assert [name_and_port(one)[1] for one in ("pi:80", "pi", "[::1]:8", "::1")] == ["80", "", "8", ""]


def test_an_address_of_an_interface_is_known() -> None:
    """127.0.0.1 is this machine's, and 192.0.2.7, which is kept for documents, is not."""
    assert names._has(names.ipaddress.ip_address("127.0.0.1"))
    assert not names._has(names.ipaddress.ip_address("192.0.2.7"))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("pi.example:8765", "without scheme and port is wanted, 'pi.example'"),
        ("https://pi.example", "without scheme and port is wanted, 'pi.example'"),
        ("http://pi.example:8765", "without scheme and port is wanted, 'pi.example'"),
        ("pi.example/console", "no name of a host"),
        ("*.example", "no name of a host"),
        ("", "no name of a host"),
    ],
)
def test_a_host_that_no_browser_sends_is_refused_at_the_check(entry: str, said: str) -> None:
    """`hosts` with a port, a scheme, a path or a pattern would never match: `--check` says what is wanted."""
    with pytest.raises(ConfigError, match="hosts: ") as raised:
        parse_config(f'{SIGNS}[web]\nhosts = ["{entry}"]\n')
    assert said in str(raised.value)


def test_names_of_any_alphabet_and_addresses_may_be_hosts() -> None:
    """A name with a dot at its end, in another alphabet, or an address is taken, as browsers write them."""
    config = parse_config(f'{SIGNS}[web]\nhosts = ["Pi.Example.", "küche.example", "192.0.2.7", "2001:db8::1"]\n')
    assert config.web is not None
    for asked in ("pi.example:1", "xn--kche-0ra.example", "192.0.2.7:8765", "[2001:db8::1]:8765"):
        assert host_allowed(asked, "127.0.0.1", config.web.hosts), asked


@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare here")
def test_the_real_service_on_a_machine_with_a_whole_domain_name(tmp_path: Path) -> None:
    """Under a host name of several parts, on "::": its names over IPv4 and IPv6, and a page for who is refused."""
    within = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', "kitchen.home.example"]
    if subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
        pytest.skip("the host name cannot be set here: root is needed")
    more = f'[web]\nlisten = "::"\nport = 0\ntoken_file = "{tmp_path}/token"\n'
    with Serving(tmp_path / "s", more, within=within) as serving:
        try:
            socket.create_server(("::", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("there is no IPv6 here")
        serving.start()
        port = serving.address.rsplit(":", 1)[1]
        for place in ("127.0.0.1", "[::1]"):
            serving.at = f"http://{place}:{port}"
            for host in ("kitchen", "kitchen.local", "kitchen-2.local", "kitchen.home.example.", f"192.0.2.7:{port}"):
                assert serving.ask("/health", Host=host)[0] == 200, (place, host)
            status, answer = serving.ask("/health", Host="kitchen.evil.example:8765")
            assert status == 421
            assert '"kitchen.evil.example" is not one of this device\'s names' in answer["error"]
            status, page = serving.ask("/", Host="<b>.example", Accept="text/html,*/*")
            assert status == 421
            assert b"<p>&quot;&lt;b&gt;.example&quot; is not one of this device&#x27;s names" in page


@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed (apt install chromium)")
def test_a_phone_that_is_refused_sees_a_sentence(tmp_path: Path) -> None:
    """In Chromium a name that is not the device's shows a page that says what to do, as wide as the phone."""
    rules = "--host-resolver-rules=MAP wrong.example 127.0.0.1"
    with Serving(tmp_path / "s") as serving, browser.Browser(tmp_path / "profile", 390, 500, rules) as page:
        serving.start()
        page.open(serving.address.replace("127.0.0.1", "wrong.example"))
        page.until("document.querySelector('p').textContent.includes('not one of this device')")
        assert page.do("document.documentElement.scrollWidth <= innerWidth")
        assert page.do("getComputedStyle(document.body).maxWidth") == "544px"  # 34rem: the style was taken
        assert [one for one in page.problems if "421" not in one] == []
        page.screenshot(tmp_path / "refused.png")
        browser.kept(tmp_path / "refused.png")
        page.open(f"{serving.address}/nothing")
        page.until("document.querySelector('p').textContent === 'There is nothing at this address.'")


def test_the_names_are_known_without_the_packages_of_the_console() -> None:
    """`--check` reads `hosts` and `proxies` where neither Starlette nor uvicorn is installed."""
    code = "import sys; sys.modules.update(starlette=None, uvicorn=None); import device.serve.config"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)
