"""Heads of a hub at the broker: published in pieces, and taken by the devices that trust it.

edge-tl-fleet/FLEET/heads/DEVICE/HASH/PART    a piece of a head of the hub DEVICE (retained)

The hub clears its older heads once a newer one is there. Who joins in between has pieces of both, and the newer one is
whole in the end, for pieces are gathered by the hash of their head.
"""

from __future__ import annotations

from collections.abc import Callable

from edge_tl.fleet.head import MAX_HEAD_BYTES, FleetHead, parse_head
from edge_tl.fleet.keys import key_id
from edge_tl.fleet.lesson import LessonError
from edge_tl.fleet.wire import Assembly, in_chunks

MAX_WAITING_BYTES = 3 * MAX_HEAD_BYTES
MAX_PIECES = 1_000
"""So many topics of own heads are remembered to be cleared."""


class HeadExchange:
    """What a device knows of its hub's heads; called by the thread of its `FleetNode`.

    root: of the topics; hub: its public key; own: whether this device is the hub. publish, subscribe: as of
    `FleetLink`.
    """

    def __init__(
        self,
        root: str,
        hub: bytes,
        *,
        own: bool,
        publish: Callable[[str, bytes, bool], None],
        subscribe: Callable[[str], None],
    ) -> None:
        self.root, self.hub, self.own = f"{root}/heads/{key_id(hub)}", hub, own
        self.newest: FleetHead | None = None
        """With the largest number that came, signed by the hub; of the hub itself what it published last."""
        self.number = 0
        """The largest that was seen."""
        self._publish, self._subscribe = publish, subscribe
        self._assembly = Assembly(MAX_HEAD_BYTES, MAX_WAITING_BYTES)
        self._there: dict[str, set[str]] = {}
        """Hash → topics of the own heads that the broker keeps."""

    def connected(self) -> None:
        """The broker is there (again): what it keeps comes."""
        self._there.clear()
        self._subscribe(f"{self.root}/+/+")
        if self.own and self.newest is not None:
            self._send(self.newest)

    def heard(self, device: str, hash: str, part: str, payload: bytes) -> None:
        """A piece came; LessonError where it is nothing of the hub's."""
        if device != key_id(self.hub):
            raise LessonError("untrusted", "a head is of a device that is not the hub")
        topic = f"{self.root}/{hash}/{part}"
        if not payload:
            self._there.get(hash, set()).discard(topic)
            return
        if self.own:
            self._known(hash, topic)
        if self.newest is not None and hash == self.newest.hash:
            return
        wire = self._assembly.add(hash, payload)
        if wire is None:
            return
        head = parse_head(wire)
        if head.hash != hash or head.key != self.hub:
            raise LessonError("broken", "a head came under another name")
        head.check_signature()
        self.number = max(self.number, head.header.number)
        if self.own:  # of before this process began: the next one counts on from there
            self._clear_older()
        elif self.newest is None or head.header.number > self.newest.header.number:
            self.newest = head

    def give(self, head: FleetHead) -> None:
        """Publish a head of this hub in the place of those before."""
        self.newest, self.number = head, head.header.number
        self._send(head)

    def _send(self, head: FleetHead) -> None:
        for part, piece in enumerate(in_chunks(head.wire())):
            topic = f"{self.root}/{head.hash}/{part}"
            self._known(head.hash, topic)
            self._publish(topic, piece, True)
        self._clear_older()

    def _known(self, hash: str, topic: str) -> None:
        if sum(map(len, self._there.values())) < MAX_PIECES:
            self._there.setdefault(hash, set()).add(topic)

    def _clear_older(self) -> None:
        """Take away what the broker keeps of other heads, where there is a newer one."""
        if self.newest is None:
            return
        for hash in [one for one in self._there if one != self.newest.hash]:
            for topic in sorted(self._there.pop(hash)):
                self._publish(topic, b"", True)
