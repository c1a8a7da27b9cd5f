"""ExampleStore: labelled examples in SQLite, the picture or sound beside its embedding, grouped in takes."""

from __future__ import annotations

import builtins
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np

from edge_tl.core.examples import AsRows, Box, Count, Example, Examples, check_box
from edge_tl.core.kept import as_stored, checksum, pack
from edge_tl.embedders.embedder import Embedder, SoundEmbedder, TrackEmbedder, embed_kept
from edge_tl.embedders.stream import embed_views
from edge_tl.errors import ExampleError, ProfileError, ProfileMismatch, ShapeError, counted, other_model
from edge_tl.frames import Closable
from edge_tl.labels import check_label
from edge_tl.media import image
from edge_tl.media.sound import Sound
from edge_tl.store.batch import BATCH_EXAMPLES, Batch
from edge_tl.store.boots import Boots
from edge_tl.store.database import Database
from edge_tl.store.media import JPEG, Media, stored_media, stored_sound, stored_track
from edge_tl.store.moments import Clock, now
from edge_tl.store.near_copies import NearCopies
from edge_tl.store.pages import Pages
from edge_tl.store.read_rows import check_more, damaged, read_labels, read_list, read_matrix
from edge_tl.store.schema import TABLES, UPGRADES, VERSION
from edge_tl.store.sessions import Session, Sittings

__all__ = ["Count", "Example", "ExampleStore", "Examples", "Session", "as_stored"]

_REPLACE = "UPDATE embeddings SET fingerprint = ?, dtype = ?, crc32 = ?, embedding = ? WHERE example_id = ?"


class ExampleStore(Closable):
    """Examples in one SQLite file; what `counts` counts is on disk and survives a power cut.

    Used by one thread; any number of readers (other threads, other processes), each with a store of its own, see
    what was committed. One writer at a time: Profile holds the lock. Examples wait at most 250 ms for their commit
    where the loop calls `tick`. Every method raises ProfileError, one line, where the file cannot be read or written
    (damage, full disk, missing rights); what was committed before stays, and what waits is tried again.
    """

    def __init__(self, path: Path, *, writable: bool, clock: Clock = now) -> None:
        """Open the file, made when it is missing and `writable`; `clock` tells when takes and examples are."""
        self.path, self.writable, self._clock = Path(path), writable, clock
        self._counts: dict[str, Count] | None = None
        self._near_copies = NearCopies(self.path.parent, writable=writable)
        self._stored: tuple[str, int] | None = None
        self._db = Database(self.path, writable=writable, tables=TABLES, version=VERSION, upgrades=UPGRADES)
        last = dict(self._db.rows("SELECT name, seq FROM sqlite_sequence"))
        self._batch = Batch(*(last.get(table, 0) for table in ("sessions", "takes", "examples")))
        self.all_or_none = self._batch.all_or_none
        """As of `Batch`: within it what is added and not committed is forgotten where it fails."""
        self.boots = Boots(self._db, clock)
        """When those boots began in which something was recorded."""
        self.pages = Pages(self._db, self.boots)
        """A few of many examples."""
        self._sittings = Sittings(self._db, self._batch, self.boots, clock)
        self.boots.remember()

    # -- adding ------------------------------------------------------------------------------------------------------

    def new_session(self, name: str = "", *, closed: bool = False) -> int:
        """Begin a session, which takes belong to from now on, and return its number; on disk with its first take.

        name: as in check_session_name (ExampleError). closed: an import; only takes that name it belong to it.
        """
        self._db.check_writable()
        return self._sittings.begin(name, closed=closed)

    def session(self) -> int:
        """The number of the session that a take begun now belongs to.

        The one before goes on, also when the program was started anew, until `PAUSE_S` lie between two takes.
        """
        self._db.check_writable()
        return self._sittings.current()

    def new_take(self, label: str, source: str = "", session: int | None = None) -> int:
        """Begin a take, one hold of the key, and return its number; it is on disk with its first example.

        label: as in check_label (ExampleError); a new one is declared with the take. source: where it comes from.
        session: its number (ExampleError where there is none such); `session()` by default.
        """
        self._db.check_writable()
        label, moment = check_more(check_label(label), self.labels()), self._clock()
        session = self._sittings.take(session, moment)
        # A path that is no valid Unicode must not fail later, in the commit.
        return self._batch.new_take(label, source.encode("utf-8", "replace").decode(), session, moment)

    def add(
        self,
        take: int,
        media: Media | None,
        embedding: np.ndarray | None,
        fingerprint: str,
        time_s: float | None = None,
        box: Box | None = None,
    ) -> int:
        """Put one example into the next batch and return its id; it counts after `tick` or `flush` committed it.

        take: from `new_take`; ExampleError where it was removed meanwhile. media: as in `stored_media`, None to keep
        the embedding only. embedding: (D,) finite floats, as in `stored.pack`, None where no embedder takes it;
        fingerprint: of the embedder that made it, ProfileMismatch where others are stored. time_s: when it was taken,
        the store's clock by default. box: where in the picture the thing is, ExampleError where that is no box.
        """
        self._db.check_writable()
        box = None if box is None else check_box(box)
        if take not in self._batch and not self._db.one("SELECT 1 FROM takes WHERE id = ?", (take,)):
            raise ExampleError(f"there is no take {take} (any more): begin one with new_take")
        packed = None if embedding is None else pack(embedding)
        if packed is not None:
            self.check_embedder(fingerprint, len(packed[1]) // np.dtype(packed[0]).itemsize)
        kept = None if media is None else stored_media(media)
        moment = self._clock() if time_s is None else time_s
        example = self._batch.add(take, moment, kept, fingerprint, packed, box)
        if len(self._batch) >= BATCH_EXAMPLES:
            self.flush()
        return example

    def tick(self, now_s: float) -> int:
        """Commit when the oldest waiting example may be 250 ms old; return how many were committed.

        now_s: of any clock that does not jump, always the same one; call it once a frame.
        """
        return self.flush() if self._batch.due(now_s) else 0

    def flush(self) -> int:
        """Commit all that waits and return the number of examples; on ProfileError they wait on."""
        waiting = len(self._batch)
        if waiting:
            with self._changing():
                pass
        return waiting

    def add_label(self, label: str) -> str:
        """Declare a label that has no example yet, on disk, and return it normalised; one that exists is left alone."""
        label = check_more(check_label(label), self.labels())
        with self._changing():
            self._db.change("INSERT OR IGNORE INTO labels (name) VALUES (?)", (label,))
        return label

    # -- reading: what is committed ----------------------------------------------------------------------------------

    def labels(self) -> builtins.list[str]:
        """The labels in the order in which they were declared, those without examples included."""
        return read_labels(self._db, self.path)

    def counts(self) -> dict[str, Count]:
        """How many examples and takes are on disk for every label, zeros included; waiting ones do not count."""
        if self._counts is None or not self.writable:  # only a writer knows when its counts change
            rows = self._db.rows(
                "SELECT name, count(e.id), count(DISTINCT e.take_id) FROM labels l LEFT JOIN takes t ON t.label_id = "
                "l.id LEFT JOIN examples e ON e.take_id = t.id GROUP BY l.id ORDER BY l.id"
            )
            self._counts = {name: Count(examples, takes) for name, examples, takes in rows}
        return dict(self._counts)

    def sessions(self) -> builtins.list[Session]:
        """The sessions that have examples on disk, in the order in which they began."""
        return self._sittings.listed()

    def session_name(self, number: int) -> str:
        """The name of a session, also of one without a take yet; ExampleError where there is no such session."""
        return self._sittings.name(number)

    def matrix(self, fingerprint: str, as_rows: AsRows | None = None) -> Examples:
        """All examples for training, of their embeddings what `as_rows` makes of them (`Recognizer.as_rows`), which is
        smaller; ProfileMismatch where some were embedded by another embedder."""
        with self.snapshot():
            return read_matrix(self._db, fingerprint, self.path, as_rows)

    def held(self, examples: Examples, beat: Callable[[], object] | None = None) -> Examples:
        """The same examples, near-copies with the take and session of what they copy: for all that leaves some out."""
        with self.snapshot():
            return self._near_copies.hold(self._db, examples, beat)

    def list(self) -> builtins.list[Example]:
        """Every example without its blobs, in the order in which they were added."""
        return read_list(self._db, self.boots.times())

    def picture(self, example: int) -> bytes:
        """The JPEG file of an example; ExampleError where there is no such example or it kept none."""
        kind, media = self.media(example, "picture")
        if kind != JPEG:
            raise ExampleError(f"example {example} is no picture: it kept {kind}")
        return media

    def sound(self, example: int) -> Sound:
        """The sound of an example; ExampleError where there is no such example or it kept none."""
        kind, media = self.media(example, "sound")
        sound = stored_sound(kind, media)
        if sound is None:
            raise ExampleError(f"example {example} is no sound: it kept {kind} without one")
        return sound

    def media(self, example: int, word: str = "file") -> tuple[str, bytes]:
        """The media type and the bytes of what an example kept; ExampleError where it is not there or kept nothing."""
        row = self._db.one("SELECT media, crc32, media_type FROM media WHERE example_id = ?", (example,))
        if row:
            media, crc, kind = row
            if not isinstance(media, bytes) or not isinstance(kind, str) or zlib.crc32(media) != crc:
                raise damaged(self.path, example, word)
            return kind, media
        if self._db.one("SELECT 1 FROM examples WHERE id = ?", (example,)):
            raise ExampleError(f"example {example} kept no {word}, only its embedding")
        raise ExampleError(f"there is no example {example}: `edge-tl examples list` shows those there are")

    def check_sums(self) -> builtins.list[tuple[int, int, int]]:
        """(example, CRC-32, size in bytes) of every file that is kept; none is read for it."""
        return [*self._db.rows("SELECT example_id, crc32, length(media) FROM media ORDER BY example_id")]

    def snapshot(self) -> AbstractContextManager[None]:
        """While it lasts every read sees the same examples, whatever a writer commits meanwhile."""
        return self._db.snapshot()

    def undo_last_take(self) -> tuple[str, int] | None:
        """Remove the newest take that has examples, waiting ones included; its label and their number, None if none."""
        with self._changing(removes=True):
            row = self._db.one("SELECT take, label, count(*) FROM listed GROUP BY take ORDER BY take DESC LIMIT 1")
            if row is None:
                return None
            self._db.change("DELETE FROM takes WHERE id = ?", row[:1])
        return row[1], row[2]

    def remove_take(self, take: int) -> int:
        """Remove a take with its examples and return their number; ExampleError where there is no such take."""
        with self._changing(removes=True):
            examples = self._db.number("SELECT count(*) FROM examples WHERE take_id = ?", (take,))
            if not self._db.change("DELETE FROM takes WHERE id = ?", (take,)):
                raise ExampleError(f"there is no take {take}: `edge-tl examples list` shows those there are")
        return examples

    def remove(self, ids: Iterable[int]) -> int:
        """Remove examples and return how many; ExampleError, and none is removed, where one does not exist."""
        wanted = sorted({int(number) for number in ids})
        with self._changing(removes=True):
            for number in wanted:
                if not self._db.change("DELETE FROM examples WHERE id = ?", (number,)):
                    raise ExampleError(f"there is no example {number}, so none was removed")
        return len(wanted)

    def remove_label(self, label: str) -> int:
        """Remove a label with all its examples and return their number; ExampleError where there is no such label."""
        with self._changing(removes=True):
            number = self._label_id(label)
            examples = self._of_label(number)
            self._db.change("DELETE FROM labels WHERE id = ?", (number,))
        return examples

    def rename(self, old: str, new: str) -> int:
        """Give a label another name, or merge it into one that exists; return how many examples now changed label.

        The place in `labels()` stays; after a merge it is that of the label merged into, and takes stay separate.
        ExampleError where `old` does not exist or `new` cannot be a label.
        """
        new = check_label(new)
        with self._changing():
            number = self._label_id(old)
            into = self._db.one("SELECT id FROM labels WHERE name = ?", (new,))
            examples = self._of_label(number)
            if into is None:
                self._db.change("UPDATE labels SET name = ? WHERE id = ?", (new, number))
            elif into[0] == number:
                return 0
            else:
                self._db.change("UPDATE takes SET label_id = ? WHERE label_id = ?", (into[0], number))
                self._db.change("DELETE FROM labels WHERE id = ?", (number,))
        return examples

    def rename_session(self, number: int, name: str) -> None:
        """Give a session another name, empty for none; ExampleError where there is no such session or name."""
        self._db.check_writable()
        name = self._sittings.rename(number, name)
        with self._changing():
            self._db.change("UPDATE sessions SET name = ? WHERE id = ?", (name, number))

    def remove_session(self, number: int) -> int:
        """Remove a session with its takes, and return how many examples; ExampleError where there is none such."""
        sql = "SELECT count(*) FROM examples e JOIN takes t ON t.id = e.take_id WHERE t.session_id = ?"
        with self._changing(removes=True):
            examples = self._db.number(sql, (self._sittings.known(number),))
            self._db.change("DELETE FROM takes WHERE session_id = ?", (number,))
        return examples

    def reembed(self, embedder: Embedder, progress: Callable[[int, int], bool | None] | None = None) -> int:
        """Embed anew, from the stored pictures or sounds, every example of another embedder; return how many.

        progress(done, total) is called after each; True ends it, what was done is kept, and the next call goes on from
        there. Examples without a readable file are left and named in an ExampleError after all others are done.
        """
        self._db.check_writable()
        self.flush()
        sql = "SELECT example_id FROM embeddings WHERE fingerprint <> ? ORDER BY example_id"
        todo = [*self._db.rows(sql, (embedder.fingerprint,))]
        batch: dict[int, np.ndarray] = {}
        left: builtins.list[int] = []
        for done, (number,) in enumerate(todo, 1):
            try:
                batch[number] = self.embedded_anew(embedder, number)
            except (ExampleError, ProfileError):
                left.append(number)
            ended = bool(progress and progress(done, len(todo)))
            if len(batch) >= BATCH_EXAMPLES or ended or done == len(todo):
                self.exchange(embedder.fingerprint, batch)
                batch.clear()
            if ended:
                return done - len(left)
        if left:
            shown = ", ".join(map(str, left[:5])) + (" …" if len(left) > 5 else "")
            have = counted(len(left), "example has", "examples have")
            raise ExampleError(f"{have} no readable {embedder.kind} to embed again ({shown}): remove them")
        return len(todo)

    def embedded_anew(self, embedder: Embedder, example: int) -> np.ndarray:
        """What is to be kept of the stored file of an example: (D,); nothing is written. ExampleError where it has
        none, ProfileError where that is damaged."""
        if isinstance(embedder, SoundEmbedder):
            return embed_views(embedder, self.sound(example))
        if isinstance(embedder, TrackEmbedder):
            label = next((str(of) for (of,) in self._db.rows("SELECT label FROM listed WHERE id = ?", (example,))), "")
            return embedder.taught(stored_track(self.media(example)[1]), label)
        return embed_kept(embedder, image.decode(self.picture(example)))

    def exchange(self, fingerprint: str, embeddings: Mapping[int, np.ndarray]) -> None:
        """Put other embeddings, example → (D,), in the place of those there are, in one commit: all of them or none.

        fingerprint: of the embedder that made them.
        """
        with self._changing():
            for number, vector in embeddings.items():
                dtype, packed = pack(vector)
                crc = checksum(fingerprint, dtype, packed)
                self._db.change(_REPLACE, (fingerprint, dtype, crc, packed, number))
        self._stored = None

    def close(self) -> None:
        """Commit what waits and close the file; may be called twice; ProfileError where the commit fails."""
        try:
            self.flush()
            self.boots.remember()
        finally:
            self._batch.clear()
            self._db.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except ProfileError:
            if error is None:  # a full disk was told already
                raise

    @contextmanager
    def _changing(self, *, removes: bool = False) -> Iterator[None]:
        """One commit of what waits and of what the block writes; where it fails, all that waited waits on."""
        with self._db.writing(frees=removes):
            self._batch.write(self._db)
            self.boots.write()
            yield
        self._batch.clear()
        self._counts = None
        self._sittings.changed()
        if removes:
            self._near_copies.forget_removed(self._db)

    def check_embedder(self, fingerprint: str, dim: int) -> None:
        """Refuse an embedding that could not be trained together with those that are stored."""
        if self._stored is None or self._stored[0] != fingerprint:
            self.flush()
            kept = "SELECT fingerprint, dtype, length(embedding) FROM embeddings"
            row = self._db.one(f"{kept} WHERE fingerprint <> ? UNION ALL {kept} LIMIT 1", (fingerprint,))
            if row and row[0] != fingerprint:
                raise ProfileMismatch(
                    f"the stored examples are of model {row[0][:12]}, this one is of {fingerprint[:12]}: "
                    + other_model()
                )
            self._stored = fingerprint, row[2] // np.dtype(row[1]).itemsize if row else dim
        if dim != self._stored[1]:
            raise ShapeError(f"got {counted(dim, 'value')}: embeddings stored by the same model have {self._stored[1]}")

    def _label_id(self, label: str) -> int:
        """The number of a label that must exist."""
        row = self._db.one("SELECT id FROM labels WHERE name = ?", (check_label(label),))
        if row is None:
            known = ", ".join(self.labels()) or "none"
            raise ExampleError(f"there is no label {label!r}; those there are: {known}")
        return int(row[0])

    def _of_label(self, number: int) -> int:
        """How many examples a label has."""
        sql = "SELECT count(*) FROM examples e JOIN takes t ON t.id = e.take_id WHERE t.label_id = ?"
        return self._db.number(sql, (number,))
