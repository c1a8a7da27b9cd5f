"""A hub that trains for its fleet, and the devices that use its head instead of training themselves."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from device.serve.fleet_heads import HeadExchange
from device.serve.fleet_node import FleetNode
from edge_tl.files import PRIVATE, read_limited, sync_folder, write_synced
from edge_tl.fleet.head import FleetHead, HeadHeader, new_head
from edge_tl.fleet.keys import DeviceKey, key_id
from edge_tl.fleet.lesson import LessonError, set_hash
from edge_tl.store.profile import Profile

FILE = "hub.json"
"""In the profile's folder: which head of a hub was looked at last."""
MAX_BYTES = 10_000
HUB_S = 30.0
"""Where the hub is not there, and no head of it came for so long, a device trains itself."""


class HubPublisher:
    """The hub's side: each head that was trained on the lessons is published. Used by the thread of the node."""

    def __init__(self, node: FleetNode, heads: HeadExchange, key: DeviceKey, folder: Path) -> None:
        self._node, self._heads, self._key, self._folder = node, heads, key, folder
        self._begun: HeadHeader | None = None
        self.error = ""
        """Why the last head was not published, in a line."""

    def begin(self) -> None:
        """A training begins: on what is here now, and perhaps on what comes meanwhile, which is trained on again."""
        by_device = self._node.by_device()
        self._begun = HeadHeader(
            device=self._node.name,
            fingerprint="",
            number=0,
            set=self._node.set,
            lessons=sum(map(len, by_device.values())),
            devices={key_id(key): set_hash(hashes) for key, hashes in by_device.items()},
        )

    def done(self) -> None:
        """It ended well: publish what it made."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        with Profile(self._folder) as profile:  # a reader of its own: the loop has the other one
            saved, number = profile.load(), profile.loaded
        if saved is None:
            return
        number = max(self._heads.number + 1, number)
        header = replace(begun, fingerprint=saved.meta["embedder"]["fingerprint"], number=number)
        # How long it took would make the same head another one, and how it is listened to is each device's own.
        meta = {name: value for name, value in saved.meta.items() if name not in ("listening", "train_ms")}
        try:
            self._heads.give(new_head(self._key, header, replace(saved, meta=meta)))
            self.error = ""
        except LessonError as error:
            self.error = f"the devices train themselves: {error}"


class HubFollower:
    """A device's side: which head of the hub is to be used, and which was. Used by the thread of the node."""

    def __init__(self, node: FleetNode, heads: HeadExchange, folder: Path) -> None:
        self._node, self._heads = node, heads
        self._path = folder / FILE
        self.number, self.set, self._made_of = 0, "", ""
        """Of the head that was looked at last: an older one is not looked at again, also after a roll-back."""
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            found = json.loads(read_limited(self._path, MAX_BYTES))
            if found["hub"] == key_id(heads.hub):
                self.number, self.set = int(found["number"]), str(found["set"])
                self._made_of = str(found["made_of"])

    @property
    def due(self) -> FleetHead | None:
        """A head that is newer than all that were looked at, and knows what was taught here; None where there is
        none."""
        head = self._heads.newest
        if head is None or head.header.number <= self.number:
            return None
        own = self._node.by_device().get(self._node.key.public, [])
        if own and head.header.devices.get(self._node.key.id) != set_hash(own):
            return None  # the hub has not merged yet what was trained here
        if head.made_of == self._made_of:  # the same under another number
            self.looked_at(head)
            return None
        return head

    def looked_at(self, head: FleetHead) -> None:
        """It is used now, or was found not to be of use: on disk when this returns, where the disk takes it."""
        self.number, self.set, self._made_of = head.header.number, head.header.set, head.made_of
        about = {"hub": key_id(self._heads.hub), "number": self.number, "set": self.set, "made_of": self._made_of}
        fresh = self._path.with_name(f".{FILE}")
        with suppress(OSError):  # then it is looked at once more after a restart
            fresh.unlink(missing_ok=True)
            write_synced(fresh, json.dumps(about).encode(), PRIVATE)
            os.replace(fresh, self._path)
            sync_folder(self._path.parent)

    def waits(self, waited_s: float) -> bool:
        """Whether what came so long ago is left to the hub: while it is there, and a little longer."""
        return waited_s < HUB_S or self._node.peers.is_there(self._heads.hub)


def sides(node: FleetNode, key: DeviceKey, folder: Path) -> tuple[HubPublisher | None, HubFollower | None]:
    """What a device is to its fleet: its hub, one that follows a hub, or neither."""
    if node.heads is None:
        return None, None
    if node.heads.own:
        return HubPublisher(node, node.heads, key, folder), None
    return None, HubFollower(node, node.heads, folder)
