"""Limits on what is stored: a service that is taught for years must not fill its card."""

from __future__ import annotations

from device.serve.config import StoreConfig
from device.teach.lesson import Lesson
from edge_tl.errors import ExampleError, counted


def make_room(lesson: Lesson, limits: StoreConfig) -> None:
    """See to it that there is room for another example; ExampleError where there is none and none is to be made.

    With "drop-oldest" the oldest takes of the class with most examples go, so that no class is forgotten for another.
    """
    while True:
        what = _over(lesson, limits)
        if not what:
            return
        if limits.when_full != "drop-oldest":
            raise ExampleError(f"the profile is full ({what}): remove examples, or raise the limit in [store]")
        counts = lesson.counts()
        largest = max(counts, key=lambda label: counts[label].examples)
        takes = sorted({one.take for one in lesson.store.list() if one.label == largest})
        if len(takes) < 2:
            raise ExampleError(f"the profile is full ({what}) with one take a class: raise the limit in [store]")
        lesson.store.remove_take(takes[0])
        lesson.use(lesson.recognizer)


def _over(lesson: Lesson, limits: StoreConfig) -> str:
    """Which limit is reached, in words; empty where none is."""
    examples = sum(count.examples for count in lesson.counts().values())
    # While it is taught, the products of all pairs of rows are in memory: 36 MB of 3 000, a hundredfold of 30 000.
    if examples * lesson.recognizer.views >= limits.max_examples:
        return f"{counted(examples, 'example')}, max_examples = {limits.max_examples}"
    # Two bytes a value, as nearly all embeddings are stored.
    kept_bytes = lesson.store.pages.media_bytes()
    kept_bytes += 2 * examples * lesson.recognizer.embedder.embedding_dim * lesson.recognizer.views
    if kept_bytes >= limits.max_mbytes * 1_000_000:
        return f"{kept_bytes / 1e6:.1f} MB, max_mbytes = {limits.max_mbytes}"
    return ""
