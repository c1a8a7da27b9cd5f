"""One device of a fleet as its broker sees it: lessons come and go as messages that the broker keeps.

edge-tl-fleet/FLEET/lessons/H/HASH/PART         a piece of a lesson (retained); H: the first digit of HASH
edge-tl-fleet/FLEET/tombstones/H/HASH/DEVICE    whoever gave it took it back (retained)
edge-tl-fleet/FLEET/devices/DEVICE              how a device does, signed (retained)
edge-tl-fleet/FLEET/heads/…                     of a hub (`fleet_heads.py`)
edge-tl-fleet/FLEET/marks/DEVICE                said to oneself: all that was kept has come

Nothing that comes is believed: it is signed by a trusted device and whole, or it is dropped and counted. Whoever holds
a lesson gives it again where the broker lost it, so that it is enough for one device to live. What is kept is asked for
a sixteenth at a time, for brokers queue a thousand messages and drop what comes beyond.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from device.serve.fleet_config import FleetConfig
from device.serve.fleet_heads import HeadExchange
from device.serve.fleet_peers import Peers
from edge_tl.errors import ProfileError, ShapeError
from edge_tl.fleet.keys import DeviceKey, key_id
from edge_tl.fleet.lesson import (
    FleetLesson,
    LessonError,
    LessonHeader,
    Tombstone,
    new_lessons,
    parse_lesson,
    parse_tombstone,
    set_hash,
)
from edge_tl.fleet.wire import Assembly, in_chunks
from edge_tl.store.lessons import LessonStore, is_hash
from edge_tl.store.own_takes import OwnTake, OwnTakes

BASE = "edge-tl-fleet"
DIGITS = "0123456789abcdef"
AT_ONCE = 64
"""So many lessons are kept in one commit, and given in one second."""
MARK_S = 10.0
"""A mark that did not come back is said again."""
AUDIT_S, OTHERS_S = 60.0, 10.0
"""What the broker lacks is given again this often; what others taught up to so much later than the own."""


@dataclass(frozen=True)
class LessonTerms:
    """What a lesson must be to teach here."""

    fingerprint: str
    columns: int
    """How long a row is."""
    look: str = ""
    """How this device looks, for its own lessons."""


@dataclass
class FleetLink:
    """How a node speaks; all three may be called at any time, and say nothing where nobody listens."""

    publish: Callable[[str, bytes, bool], None]
    """Topic, bytes, retained."""
    subscribe: Callable[[str], None]
    clock: Callable[[], float]
    chance: Callable[[], float] = field(default=random.random)


class FleetNode:
    """Takes and gives lessons. Every method is called by one thread, which owns the store.

    wanted: asked each time, what teaches here now. store: beside the profile's examples, open for writing.
    """

    def __init__(
        self,
        config: FleetConfig,
        key: DeviceKey,
        store: LessonStore,
        wanted: Callable[[], LessonTerms],
        link: FleetLink,
    ) -> None:
        self.config, self.key, self.store, self.link = config, key, store, link
        self.root, self.name = f"{BASE}/{config.name}", config.device or key.id
        self.dropped: Counter[str] = Counter()
        """Why → how many messages were not believed."""
        self.looks: Counter[str] = Counter()
        """How the lessons of trusted devices look at pictures → how many came, of this model or of another."""
        self.peers = Peers(config.keys, link.clock)
        self.heads: HeadExchange | None = None
        """Of the hub, where there is one."""
        if (hub := config.hub_key(key.public)) is not None:
            own = hub == key.public
            self.heads = HeadExchange(self.root, hub, own=own, publish=link.publish, subscribe=link.subscribe)
        self.caught_up = False
        """Whether all that the broker keeps has come since it was last there."""
        self._wanted, self._trusted = wanted, config.keys
        self._assembly, self._waiting = Assembly(), dict[str, FleetLesson]()
        self._stones: dict[tuple[str, bytes], Tombstone] = {}
        self._there: set[str] = set()
        self._parts: dict[str, set[int]] = {}
        self._stones_there: set[tuple[str, bytes]] = set()
        self._shard, self._mark_s, self._audit_s, self._others_s = len(DIGITS), 0.0, 0.0, 0.0
        self._connected = False
        self.reads = 0
        """How often something was otherwise in the store."""
        store.forget_shared(key.public)
        store.call(config.keys)
        store.judge(config.state_of)
        self._read()

    def _read(self) -> None:
        """What is in the store, which other processes write too."""
        self._known = self.store.keys()
        self._buried = self.store.tombstones()
        self._version = self.store.version
        self.reads += 1
        self._used, self._given = self.store.used(), [hash for hash, *_ in self.store.given()]
        self.set = set_hash([*self._used, *self._given])

    def by_device(self) -> dict[bytes, list[str]]:
        """Public key → the hashes of its lessons that teach here, the own included."""
        made = {self.key.public: list(self._given)} if self._given else {}
        for hash, whose in self._used.items():
            made.setdefault(whose, []).append(hash)
        return made

    # -- the broker --------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """The broker is there (again): ask for all that it keeps."""
        self._connected, self.caught_up = True, False
        self._there.clear()
        self._parts.clear()
        self._stones_there.clear()
        self.link.subscribe(f"{self.root}/devices/+")
        self.link.subscribe(f"{self.root}/marks/{self.key.id}")
        if self.heads is not None:
            self.heads.connected()
        self._ask(0)

    def lost(self) -> None:
        """The broker is away."""
        self._connected = False

    def _ask(self, shard: int) -> None:
        self._shard, self._mark_s = shard, self.link.clock()
        if shard < len(DIGITS):
            digit = DIGITS[shard]
            self.link.subscribe(f"{self.root}/tombstones/{digit}/+/+")
            self.link.subscribe(f"{self.root}/lessons/{digit}/+/+")
            self.link.publish(f"{self.root}/marks/{self.key.id}", digit.encode(), False)
            return
        self.caught_up, now_s = True, self.link.clock()
        self._audit_s, self._others_s = now_s, now_s + OTHERS_S * self.link.chance()

    def heard(self, topic: str, payload: bytes, kept: bool = False) -> None:
        """A message came: whatever is wrong with it, it is counted and no more. kept: the broker had it before."""
        try:
            match topic.removeprefix(f"{self.root}/").split("/"):
                case ["lessons", digit, hash, part] if is_hash(hash) and hash[0] == digit:
                    self._piece(hash, part, payload)
                case ["tombstones", digit, hash, device] if is_hash(hash) and hash[0] == digit:
                    self._tombstone(hash, device, payload)
                case ["devices", device]:
                    if device != self.key.id:
                        self.peers.heard(device, payload, kept)
                case ["heads", device, hash, part] if self.heads is not None and is_hash(hash):
                    self.heads.heard(device, hash, part, payload)
                case ["marks", device] if device == self.key.id:
                    if not self.caught_up and payload == DIGITS[self._shard].encode():
                        self._ask(self._shard + 1)
                case _:
                    raise LessonError("topic", "nothing is said under such a topic")
        except LessonError as error:
            self.dropped[error.reason] += 1

    def _piece(self, hash: str, part: str, payload: bytes) -> None:
        if not payload:  # cleared: where no tombstone says why, it is given again
            self._there.discard(hash)
            self._parts.pop(hash, None)
            return
        if hash in self._known and part.isdecimal() and len(part) < 6:
            pieces = self._pieces(hash)
            if int(part) < len(pieces) and pieces[int(part)] == payload:
                seen = self._parts.setdefault(hash, set())
                seen.add(int(part))
                if len(seen) == len(pieces):
                    self._there.add(hash)
                return
            self._there.discard(hash)  # somebody put something else there
            self._parts.pop(hash, None)
        wire = self._assembly.add(hash, payload)
        if wire is not None:
            self._lesson(hash, parse_lesson(wire))

    def _pieces(self, hash: str) -> list[bytes]:
        """A lesson as it is sent; nothing where another process took it back meanwhile."""
        try:
            return in_chunks(self.store.wire(hash))
        except ProfileError:
            return []

    def _lesson(self, hash: str, lesson: FleetLesson) -> None:
        """Keep a lesson, or say why not."""
        if lesson.hash != hash:
            raise LessonError("broken", "a lesson came under another name")
        if lesson.key not in self._trusted and lesson.key != self.key.public:
            raise LessonError("untrusted", "a lesson is of a device that is not trusted")
        lesson.check_signature()
        if (hash, lesson.key) in self._buried or (hash, lesson.key) in self._stones:
            raise LessonError("taken back", "a lesson was taken back")
        self._there.add(hash)
        if hash in self._known or hash in self._waiting:
            return
        self.looks[lesson.header.look] += lesson.key != self.key.public
        wanted = self._wanted()
        if lesson.header.fingerprint != wanted.fingerprint:
            raise LessonError("other model", "a lesson is of another model or way to look")
        if lesson.rows.shape[1] != wanted.columns:
            raise LessonError("dimension", "the rows of a lesson have another length")
        if self.store.room()[0] <= len(self._waiting):
            raise LessonError("full", "there are as many lessons as are kept")
        self._waiting[hash] = lesson

    def _tombstone(self, hash: str, device: str, payload: bytes) -> None:
        if not payload:
            return
        stone = parse_tombstone(payload)
        if stone.hash != hash or key_id(stone.key) != device:
            raise LessonError("broken", "a tombstone came under another name")
        if stone.key not in self._trusted and stone.key != self.key.public:
            raise LessonError("untrusted", "a tombstone is of a device that is not trusted")
        signed = hash, stone.key
        if signed not in self._buried:
            stone.check_signature()
            if self.store.room()[1] <= len(self._stones):
                raise LessonError("full", "there are as many tombstones as are kept")
            self._stones[signed] = stone
        self._stones_there.add(signed)

    def flush(self) -> bool:
        """Keep what came; whether what teaches here is something else now. ProfileError where the disk is full: what
        came waits."""
        if not self._waiting and not self._stones and self.store.version == self._version:
            return False
        before = self.set
        with self.store.together():
            for one in self._waiting.values():
                self.store.add(one, self.config.state_of(one.key, one.header.label))
            for stone in self._stones.values():
                self.store.bury(stone)
        self._waiting.clear()
        self._stones.clear()
        self._read()
        self._audit(own_only=True)  # another process may have taken something back
        return self.set != before

    @property
    def full(self) -> bool:
        """Whether so much waits that it should be kept now."""
        return len(self._waiting) + len(self._stones) >= AT_ONCE

    # -- giving ------------------------------------------------------------------------------------------------------

    def give(self, own: OwnTakes, takes: list[OwnTake], up_to: int) -> bool:
        """Give what is taught here and was not given yet, as far as the take `up_to`, and take back what is no more;
        whether anything is otherwise now."""
        shared = self.store.shared()
        listed = {one.take: one for one in takes}
        gone = {take for take, (stamp, _) in shared.items() if take not in listed or listed[take].stamp != stamp}
        new = [one for one in takes if one.take in gone or (one.take not in shared and one.take <= up_to)]
        new = new if self.config.share else []
        for first in range(0, len(new) + 1, AT_ONCE):
            made = [(one, self._lessons_of(own, one)) for one in new[first : first + AT_ONCE]]
            keep = {lesson.hash for _, lessons in made for lesson in lessons}
            with self.store.together():
                for take in gone:
                    for hash in set(shared[take][1]) - keep:
                        self._clear(hash)
                        self.store.withdraw(hash, self.key, forget=True)
                for one, lessons in made:
                    self.store.share(one.take, one.stamp, lessons)
            gone = set()
        if new or self.store.shared() != shared:
            self._read()
            self._audit(own_only=True)
            return True
        return False

    def _lessons_of(self, own: OwnTakes, take: OwnTake) -> list[FleetLesson]:
        rows = own.embeddings(take.take)
        if rows is None:
            return []
        header = LessonHeader(self.name, take.fingerprint, self._wanted().look, take.label, take.take, take.session)
        try:
            return new_lessons(self.key, header, rows)
        except ShapeError:  # no lesson is long enough for one row
            return []

    def _clear(self, hash: str) -> None:
        """Take the pieces of an own lesson away from the broker."""
        if hash in self._known and self._connected:
            for part in range(len(self._pieces(hash))):
                self.link.publish(f"{self.root}/lessons/{hash[0]}/{hash}/{part}", b"", True)

    def tick(self) -> None:
        """Called about once a second: what the broker lacks is given again."""
        now_s = self.link.clock()
        if not self._connected:
            return
        if not self.caught_up:
            if now_s - self._mark_s > MARK_S:
                self._ask(self._shard)
            return
        if now_s >= self._audit_s:
            self._audit(own_only=now_s < self._others_s)

    def _audit(self, *, own_only: bool) -> None:
        """Give what is here and not at the broker, some of it at a time; the rest comes with the next tick."""
        if not self._connected or not self.caught_up:
            return
        left = AT_ONCE
        for signed, wire in self._buried.items():
            if left and signed not in self._stones_there and (not own_only or signed[1] == self.key.public):
                hash, key = signed
                self.link.publish(f"{self.root}/tombstones/{hash[0]}/{hash}/{key_id(key)}", wire, True)
                self._stones_there.add(signed)
                left -= 1
        for hash, key in self._known.items():
            if left and hash not in self._there and (not own_only or key == self.key.public):
                for part, piece in enumerate(self._pieces(hash)):
                    self.link.publish(f"{self.root}/lessons/{hash[0]}/{hash}/{part}", piece, True)
                self._there.add(hash)
                left -= 1
        if left and not own_only:  # nothing is missing
            self._audit_s = self.link.clock() + AUDIT_S * (0.5 + self.link.chance())

    @property
    def known(self) -> dict[str, bytes]:
        """Hash → whose, of every lesson that is kept here."""
        return self._known

    def tell(self, status: dict[str, object]) -> None:
        """Say how this device does, signed, for all that trust it."""
        if self._connected:
            about = {"device": self.name, "set": self.set, **status}
            self.link.publish(f"{self.root}/devices/{self.key.id}", self.peers.signed(self.key, about), True)
