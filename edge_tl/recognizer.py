"""Recognizer: embedder, examples and head together — teach, learn, observe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edge_tl.core.absent import nobody_class, teaching_rows
from edge_tl.core.answers import Observation, SavedHead, TrainingResult, Variations
from edge_tl.core.examples import Aside, Examples, beside_recordings, recorded_in
from edge_tl.core.features import PLAIN, Features, as_taught
from edge_tl.core.folds import in_parts
from edge_tl.core.gram import GrowingRows, products
from edge_tl.core.kept import as_kept, as_stored, kept_found
from edge_tl.core.old_names import OldRecognizerNames
from edge_tl.core.restoring import check_answer, check_same, damage_in_one_line
from edge_tl.core.world import World, kept_world, world_kept
from edge_tl.embedders.embedder import Embedder, Finder, SoundEmbedder, Tunable, features_of, looks_for, views_of
from edge_tl.embedders.head_parameters import head_parameters
from edge_tl.embedders.world import known_world
from edge_tl.errors import ConfigError, NotFittedError, ProfileMismatch, ShapeError, counted, other_model
from edge_tl.frames import Frame
from edge_tl.heads import WITH_BASE, Head, head_from_state, make_head
from edge_tl.heads.against_world import against_world, rejector_from_state
from edge_tl.heads.base import Progress, TaughtRows
from edge_tl.heads.one_class import OneClassHead
from edge_tl.heads.rejection import Rejector
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.tuned import TunedHead
from edge_tl.judge.confidence import Confidence, cautions
from edge_tl.judge.evaluation import Evaluation
from edge_tl.judge.validation import evaluate, quickly_asked
from edge_tl.labels import OTHER, check_label, label_texts

if TYPE_CHECKING:
    from edge_tl.media.sound import Sound


class Recognizer(OldRecognizerNames):
    """A trainable classifier: teach it pictures with labels, train it, and it classifies the next picture.

        recognizer = Recognizer(TFLiteEmbedder.load(default_model()))
        recognizer.teach(picture, "up", take=1)
        recognizer.learn()
        recognizer.observe(picture).label

    Pictures are uint8 arrays (height_px, width_px, 3), RGB. Frames of one `take` (one hold of the key) resemble each
    other, so takes are held out as a whole to measure the accuracy, and with two or more, `session`s (a place and a
    day). The Gram matrix of the examples grows as they arrive, so that `learn` takes milliseconds. With an embedder of
    sounds each `Sound` is one example, and the head is trained on several views, the word at shifted places.

    An embedder that looks for a hand or a face gives None where there is none. Such examples are not trained on; a
    class that consists mostly of them becomes the answer to "nothing found" (`nobody`).
    """

    def __init__(
        self, embedder: Embedder, head: str = "ridge", features: Features | None = None, *, reject: bool = True
    ) -> None:
        """An untrained `head` (one of `HEADS`, or "tuned" with a base whose layers can be trained), and no examples.

        features: what the head sees of an embedding; None for what the embedder asks for, or else `FeatureMap()`.
        reject: False never answers "none of these".
        """
        self.embedder = embedder
        self.sound = embedder if isinstance(embedder, SoundEmbedder) else None
        """The embedder where it takes sounds."""
        self.finder = embedder if isinstance(embedder, Finder) else None
        """The embedder where it looks for something, which may not be there."""
        self.features: Features = features or (PLAIN if head in WITH_BASE else features_of(embedder))
        self.settings: dict[str, Any] = {}
        """Parameters of the heads that are trained from now on."""
        self.head: Head = self.new_head(head)
        self.rejector, self.confidence = Rejector(), Confidence()
        self.reject = reject and embedder.kind != "movement"  # `nothing` is a class of its own there
        self.nobody: str | None = None
        """The class that is the answer where nothing was found, if one was taught."""
        self.listens = ""
        """Of words: "open", told from all that is ever said, "closed", commands, or "", by how many there are."""
        self.own_world: World | None = None
        """Of words: what was heard where none of them is said, beside the world that ships."""
        self.aside = Aside()
        """Of words: the takes that no lesson recorded."""
        self.others = np.empty((0, embedder.embedding_dim), np.float32)
        """Of words: embeddings of sounds that hold none of them, taught as a class that is never told (`OTHER`)."""
        self.forget()

    @classmethod
    def of_base(cls, embedder: Embedder) -> Self:
        """What names a base's own words, with nothing taught; ConfigError for an embedder that has none."""
        recognizer = cls(embedder, "tuned", reject=False)
        assert isinstance(embedder, Tunable)  # or it has no tuned head
        recognizer.head = TunedHead.of_base(embedder.upper, embedder.labels, embedder.lower, embedder.embedding_shape)
        return recognizer

    def new_head(self, name: str | None = None) -> Head:
        """An untrained head of this name, of the recognizer's own without one; ConfigError where it cannot be."""
        name = name or self.head.name
        if name not in WITH_BASE:
            return make_head(name, **head_parameters(self.embedder, name) | self.settings)
        base = self.embedder
        if not isinstance(base, Tunable):
            raise ConfigError(
                f"a {name} head trains the layers of a base of speech, and {self.embedder.name} has none: make the "
                "profile with --base DIR, a folder of `edge-tl-host convert speech`"
            )
        return make_head(name, upper=base.upper, lower=base.lower, shape=self.embedder.embedding_shape, **self.settings)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels it can answer with, sorted; raises NotFittedError before `learn`."""
        nobody = set() if self.nobody is None else {self.nobody}
        return tuple(sorted({str(label) for label in self.head.classes_} | nobody))

    @property
    def fitted(self) -> bool:
        """Whether `observe` can be asked."""
        try:
            return len(self.head.classes_) > 0
        except NotFittedError:
            return False

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The examples as the head sees them: (N, F) float32 rows, (N,) labels, (N,) takes; N = examples · views."""
        return self._rows.X, self._rows.y, self._rows.takes

    def taught_rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows that a head is taught: those of `rows`, and after them `others` with takes of their own."""
        X, y, takes = self.rows
        if not len(self.others):
            return X, y, takes
        others = self.features(self.others, self.embedder.embedding_shape)
        # A few go together, as the views of a recording do.
        after = takes.max(initial=0) + 1 + np.arange(len(others)) // 5
        return np.concatenate((X, others)), np.append(y, [OTHER] * len(others)), np.append(takes, after)

    @property
    def gram(self) -> np.ndarray | None:
        """(N, N) float32, the products of all pairs of these rows; valid until the next example. None of many."""
        return self._rows.gram

    @property
    def sessions(self) -> np.ndarray:
        """(N,) int64: the session of each row of `rows`."""
        return self._rows.sessions

    @property
    def found(self) -> np.ndarray:
        """(N,) bool: in which examples of `rows` there is what is looked for; the rows of the others are zeros."""
        return self._rows.found

    @property
    def looks_for(self) -> str:
        """What is looked for, "hand" or "face"; empty where all of a picture or sound is taken."""
        return looks_for(self.embedder)

    @property
    def views(self) -> int:
        """How many rows of `rows` one example has, one after the other: 1 for a picture."""
        return views_of(self.embedder)

    @property
    def one_each(self) -> slice:
        """The rows of `rows` that stand for their examples: of several views the middle one."""
        return slice(self.views // 2, None, self.views)

    def embed(self, picture: np.ndarray | Frame | Sound) -> np.ndarray | None:
        """The embedding, float32 (embedding_dim,), rounded as the store keeps it, so that what is learned now is
        learned again after a restart; None where what is looked for is not there."""
        data = picture.data if isinstance(picture, Frame) else picture
        if not isinstance(data, np.ndarray):
            data = data.at(self._listening().rate_hz)
        embedding = self.embedder.embed(data)
        return None if embedding is None else as_stored(embedding)

    def embed_taught(self, picture: np.ndarray | Frame | Sound) -> np.ndarray:
        """What an example is stored with, float32 (views · embedding_dim,), as `as_kept` and rounded as it is there."""
        if isinstance(picture, np.ndarray | Frame):
            return as_stored(as_kept(self.embed(picture), self.embedder.embedding_dim))
        from edge_tl.embedders.stream import embed_views  # whoever teaches pictures needs nothing of sound

        return as_stored(embed_views(self._listening(), picture))

    def _listening(self) -> SoundEmbedder:
        if self.sound is None:
            raise ShapeError(f"got a sound; {self.embedder.name} takes pictures")
        return self.sound

    def teach(self, picture: np.ndarray | Frame | Sound, label: str, take: int = 0, session: int = 0) -> None:
        """Add one example; `learn` makes it count. ExampleError for a label that cannot be one."""
        self.add(self.embed_taught(picture), label, take, session)

    def add(self, embedding: np.ndarray | None, label: str, take: int = 0, session: int = 0) -> None:
        """Add one example whose embedding, float32 (views · embedding_dim,) or None, is known already."""
        X, found = self.as_rows(as_kept(embedding, self.embedder.embedding_dim)[np.newaxis])
        self._rows.append(X.reshape(self.views, -1), [check_label(label)], found.tolist(), [int(take)], [int(session)])

    def as_rows(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is learned of kept embeddings (N, views · embedding_dim): (N, views · F) and bool (N,), where something
        was found; for `ExampleStore.matrix`."""
        found = np.ones(len(embeddings), bool) if self.finder is None else kept_found(embeddings)
        return self._features_of(embeddings).reshape(len(embeddings), -1), found

    def _features_of(self, embeddings: np.ndarray) -> np.ndarray:
        """The rows (N · views, F) of kept embeddings (N, views · embedding_dim)."""
        return self.features(embeddings.reshape(len(embeddings) * self.views, -1), self.embedder.embedding_shape)

    def replace(self, examples: Examples) -> None:
        """Forget all examples and take these, embeddings or `as_rows`; ProfileMismatch for another embedder's."""
        if len(examples.y) and examples.fingerprint != self.embedder.fingerprint:
            raise ProfileMismatch(
                f"the examples were embedded by model {examples.fingerprint[:12]}, this is {self.embedder.name} "
                f"({self.embedder.fingerprint[:12]}): {other_model()}"
            )
        self.forget()
        if len(examples.y):
            numbers = [one.tolist() for one in (examples.takes, examples.sessions, examples.parts) if one is not None]
            X, found = self.as_rows(examples.X) if examples.found is None else (examples.X, examples.found)
            rows = X.reshape(len(X) * self.views, -1)
            self._rows.append(rows, label_texts(examples.y).tolist(), found.tolist(), *numbers)
            self._near_copies, self.aside = examples.near_copies, examples.aside

    def forget(self) -> None:
        """Give the examples' memory back: it goes on recognizing, and learns again after `replace`."""
        self._rows, self._near_copies, self.aside = GrowingRows(), 0, Aside()

    def learn(self, progress: Progress | None = None, more: Variations | None = None) -> TrainingResult:
        """Train the head on all examples, and on their variations, `more`, where there are some.

        `progress(epoch, loss, accuracy)` is called by iterative heads; returning True stops and keeps the best so far.
        Raises NotFittedError without examples or where nothing was found in any, ShapeError where the head needs two
        classes and there is one.
        """
        if not len(self._rows):
            raise NotFittedError("nothing was taught yet: add examples with teach() first")
        X, y, takes = self.taught_rows()
        found = np.append(self.found, np.ones(len(self.others), bool))
        if not found.any():
            raise NotFittedError(f"there is no {self.looks_for} in any of {counted(len(y), 'example')}: record some")
        start_s, nobody = time.perf_counter(), nobody_class(y, found)
        chosen = teaching_rows(y, takes, found)
        gram = self._rows.gram if not len(self.others) else products(X)
        rows = TaughtRows(X, y, takes, gram, self._rows.parts_up_to(len(y))).only(chosen)
        world = known_world(self.embedder, self.own_world) if self.sound is not None and self.reject else None
        if (world is not None or nobody not in (None, *np.unique(rows.y))) and len(rows.classes) == 1:
            self.head = OneClassHead(self.head.name, str(rows.y[0]))
        else:
            every = rows
            if more is not None:
                every = TaughtRows(rows.X, rows.y, rows.takes).plus(TaughtRows(more.X, more.y, more.takes))
            self.head = self.new_head().fit(every.X, every.y, every.takes, gram=every.gram, progress=progress)
        self.nobody = nobody
        ridge = self.head if isinstance(self.head, RidgeHead) and more is None else None
        self.rejector = self._fitted_rejector(rows, ridge) if self.reject and world is None else Rejector()
        if world is not None:
            self.rejector = against_world(world, self.listens, rows, ridge, self.views, self.aside.typed, more)
        self.confidence = Confidence()
        said: tuple[str, ...] = ()
        if not isinstance(self.head, OneClassHead):
            own = recorded_in(self.sessions, self.aside.rows(self._rows.takes, self.views))
            sessions = np.append(own, np.full(len(self.others), -1))[chosen]  # others are of no session
            fitted = self.head if more is None else None
            self.confidence.fit(self.new_head, fitted, rows, sessions, in_time=self.views == 1)
            said = cautions(rows, self.confidence, rejects=self.reject and world is None)
        classes = tuple(label for label in self.classes if label != OTHER)
        took_ms = 1000 * (time.perf_counter() - start_s)
        return TrainingResult(self.head.name, len(self._rows) // self.views, classes, took_ms, said)

    def _fitted_rejector(self, of: TaughtRows, head: RidgeHead | None = None) -> Rejector:
        """What refuses whatever is unlike these; head: as of Rejector.fit."""
        strangers = self.finder.strangers if self.finder else None
        return Rejector().fit(of.X, of.y, of.takes, head=head, strangers=strangers)

    def vary(self, embeddings: np.ndarray, labels: Sequence[str], takes: Sequence[int]) -> Variations:
        """Variations for `learn`, taught and never asked: embeddings (N, views · embedding_dim), labels, takes (N,)."""
        y, numbers = np.repeat(label_texts(labels), self.views), np.repeat(np.array(takes, np.int64), self.views)
        return Variations(self._features_of(embeddings), y, numbers)

    def evaluate(
        self, progress: Callable[[int, int], object] | None = None, names: Mapping[int, str] | None = None
    ) -> Evaluation:
        """How well it would do on sessions and takes it was not taught; after `learn` also what "none of these" does.

        Of several views of an example the middle one is asked. progress(done, total) is called after each head that had
        to be trained for it. names: of sessions, by number.
        """
        X, y, takes = self.rows
        aside, asked = self.aside.rows(takes, self.views), np.zeros(len(y), bool)
        if self.head.name in WITH_BASE:
            takes = in_parts(y, takes)  # each fit takes seconds
        asked[self.one_each] = True
        asked &= ~beside_recordings(y, aside)
        known, found = None, self.found
        fitted = self.head if isinstance(self.head, RidgeHead) and self.head.knows(X, y, takes) else None
        if not isinstance(self.head, RidgeHead):
            asked = quickly_asked(X, y, takes, asked)
        if refuses := self.rejector.ready and self.sound is None:  # a listener has a threshold of its own
            known = ~found & (self.nobody is not None)
            taught = teaching_rows(y, takes, found)
            known[taught] = self.rejector.held_out_known_[: taught.sum()]
        evaluation = evaluate(
            self.new_head,
            X,
            y,
            takes,
            recorded_in(self.sessions, aside),
            gram=self._rows.gram,
            found=found,
            known=known,
            make_rejector=self._fitted_rejector if refuses else None,
            asked=asked,
            names=names,
            progress=progress,
            parts=None if self.head.name in WITH_BASE else self._rows.parts,
            fitted=fitted,
        )
        named = tuple(replace(one, index=one.index // self.views) for one in evaluation.suspects)  # examples, not views
        return replace(evaluation, suspects=named, near_copies=self._near_copies)

    def observe(self, picture: np.ndarray | Frame | Sound) -> Observation:
        """Name a picture or a word; NotFittedError before `learn`."""
        return self.recognize(self.embed(picture))

    def recognize(self, embedding: np.ndarray | None) -> Observation:
        """Name a picture by its embedding, float32 (embedding_dim,); of None the answer is the class `nobody`."""
        classes = self.classes
        if embedding is None:
            return Observation.of_nothing(classes, self.nobody)
        row = self.features(embedding, self.embedder.embedding_shape)[np.newaxis]
        probabilities = self.confidence(self.head.predict_proba(row), row)[0]
        if self.nobody is not None and len(probabilities) < len(classes):
            probabilities = np.insert(probabilities, classes.index(self.nobody), 0.0)
        best = classes[int(probabilities.argmax())]
        if not (self.reject and self.rejector.ready):
            return Observation(None if best == OTHER else best, best, probabilities, known=best != OTHER)
        probabilities = self.rejector.named(probabilities[np.newaxis], row, classes)[0]
        best = classes[int(probabilities.argmax())]
        novelty = self.rejector.novelty(row, np.array([best]))
        known = bool(novelty[0] <= self.rejector.threshold) and best != OTHER
        familiar = float(self.rejector.soften(novelty)[0])
        return Observation(best if known else None, best, probabilities, known, familiar)

    def save(self, **more: Any) -> SavedHead:
        """All that `restore` needs, plus JSON-able `more`, for Profile.save."""
        parts = {"head": self.head.state(), "confidence": self.confidence.state()}
        parts["rejector"] = self.rejector.state() if self.rejector.ready else ({}, {})
        meta = {
            "embedder": {"name": self.embedder.name, "fingerprint": self.embedder.fingerprint},
            "features": self.features.saved(),
            "head": {"name": self.head.name, **parts["head"][0]},
            "settings": self.settings,
            "rejector": parts["rejector"][0],
            "confidence": parts["confidence"][0],
            "nobody": self.nobody,
            "listens": self.listens,
            **more,
        }
        if self.own_world is not None:
            parts["world"] = {}, kept_world(self.own_world)
        arrays = {f"{part}.{name}": array for part, (_, of) in parts.items() for name, array in of.items()}
        return SavedHead(meta, arrays | ({"others": self.others} if len(self.others) else {}))

    @classmethod
    def restore(cls, saved: SavedHead, embedder: Embedder, *, reject: bool = True) -> Self:
        """The recognizer that was saved, asked once; ProfileMismatch for another embedder, ConfigError for one that
        finds boxes, ProfileError for what was never saved so."""
        if "features" not in saved.meta:
            raise ConfigError(
                "this profile was trained to find boxes, which `edge-tl detect` does: `edge-tl train --head ridge` "
                "teaches it to name whole pictures"
            )
        with damage_in_one_line():
            check_same(saved, embedder.name, embedder.fingerprint)
            features = as_taught(saved.meta["features"], features_of(embedder))
            recognizer = cls(embedder, saved.meta["head"]["name"], features, reject=reject)
            recognizer.head = head_from_state(saved.meta["head"], saved.part("head."))
            recognizer.nobody = saved.meta.get("nobody")
            recognizer.adopt(saved)
            if saved.meta["rejector"]:
                recognizer.rejector = rejector_from_state(saved.meta["rejector"], saved.part("rejector."))
            if saved.meta.get("confidence"):  # profiles of before know one temperature
                recognizer.confidence = Confidence.from_state(saved.meta["confidence"], saved.part("confidence."))
            row = np.linspace(0.01, 1.0, embedder.embedding_dim, dtype=np.float32)
            check_answer(recognizer.recognize(row), recognizer.classes)
        return recognizer

    def adopt(self, saved: SavedHead | None) -> None:
        """Train from now on as a saved one was: the settings of a head of this name, and what no word was to it."""
        if saved is not None and saved.meta["head"]["name"] == self.head.name:
            self.settings = dict(saved.meta.get("settings", {}))
        if saved is not None and saved.meta["embedder"]["fingerprint"] == self.embedder.fingerprint:
            self.others = saved.arrays.get("others", self.others)
            self.listens = str(saved.meta.get("listens", ""))
            if kept := saved.part("world."):
                with damage_in_one_line():
                    self.own_world = world_kept(kept)
