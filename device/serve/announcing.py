"""Says in the local network where the wake-word service is, so that Home Assistant finds it. Home of zeroconf.

Only where others can reach it, and where the package is installed; without it nothing is lost but the finding.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from device.serve.config import WyomingConfig

try:
    import ifaddr
    from zeroconf import IPVersion, ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf
except ImportError:  # then nothing is announced
    AsyncZeroconf = None

KIND = "_wyoming._tcp.local."
AGAIN_S = 30.0
"""So often it is looked whether the addresses are others: a network may come after the service."""
EVERYWHERE = ("0.0.0.0", "::")


class Announcer:
    """Announces the service while `run` runs. happened: takes a line as often as it comes; log: one as it is."""

    def __init__(self, config: WyomingConfig, happened: Callable[[str], None], log: Callable[[str], None]) -> None:
        self.config, self._happened, self._log = config, happened, log

    async def run(self, port: int) -> None:
        """Announce it until this is cancelled, anew when the addresses of this machine change."""
        if self.config.loopback:
            return
        if AsyncZeroconf is None:
            self._log(
                "wyoming: Home Assistant does not find it by itself (zeroconf is not installed): enter host and port"
            )
            return
        told: list[str] = []
        announced: Any = None
        try:
            while True:
                now = own_addresses(self.config.listen)
                if now != told:
                    if announced is not None:
                        await announced.async_close()
                        announced = None
                    try:
                        announced = await self._announced(now, port) if now else None
                        told = now
                    except Exception as error:  # of a library, about a network that comes and goes
                        self._happened(f"wyoming: it cannot be announced ({type(error).__name__}: {error})")
                await asyncio.sleep(AGAIN_S)
        finally:
            if announced is not None:
                try:
                    with contextlib.suppress(Exception):
                        await announced.async_unregister_all_services()
                finally:
                    await announced.async_close()

    async def _announced(self, addresses: list[str], port: int) -> Any:
        host = socket.gethostname().partition(".")[0] or "edge-tl"
        service = ServiceInfo(
            KIND,
            f"{self.config.shown}.{KIND}".replace("/", "-"),
            parsed_addresses=addresses,
            port=port,
            server=f"edge-tl-{host}.local.",  # not the machine's own name, which its own responder holds
        )
        announced = AsyncZeroconf(interfaces=addresses, ip_version=IPVersion.V4Only)
        try:
            await announced.async_register_service(service, allow_name_change=True)
        except BaseException:
            await announced.async_close()
            raise
        return announced


def own_addresses(listen: str) -> list[str]:
    """The addresses of IPv4 at which others reach what listens there."""
    if listen not in EVERYWHERE:
        return [listen] if ":" not in listen else []
    found = {str(one.ip) for adapter in ifaddr.get_adapters() for one in adapter.ips if one.is_IPv4}
    return sorted(one for one in found if not ipaddress.ip_address(one).is_loopback)
