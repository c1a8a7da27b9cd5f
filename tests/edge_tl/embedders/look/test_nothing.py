"""Nothing there: a picture without the hand or face that is looked for is an answer of its own."""

from __future__ import annotations

import numpy as np

from edge_tl.recognizer import Recognizer
from edge_tl.testing import FakeEmbedder


def test_where_nothing_was_found_no_label_is_given() -> None:
    """Where there is no embedding there is no label, and nothing is known, whether or not strangers are refused."""
    for reject in (True, False):
        recognizer = Recognizer(FakeEmbedder(), reject=reject)
        random = np.random.default_rng(0)
        size = recognizer.embedder.embedding_dim
        for take in range(4):
            row = random.normal(size=size).astype(np.float32)
            recognizer.add(row, "ab"[take % 2], take)
        recognizer.learn()
        nothing = recognizer.recognize(None)
        assert nothing.label is None
        assert not nothing.known
        if not reject:
            assert recognizer.recognize(row).label is not None


def test_zeros_of_a_whole_picture_are_an_embedding() -> None:
    """Where nothing is looked for, an embedding that happens to be zeros is answered and taught like any other."""
    recognizer = Recognizer(FakeEmbedder(), reject=False)
    size = recognizer.embedder.embedding_dim
    for take in range(6):
        recognizer.add(np.zeros(size, np.float32) if take % 2 else np.ones(size, np.float32), "ab"[take % 2], take)
    recognizer.learn()
    assert recognizer.nobody is None
    assert recognizer.recognize(np.zeros(size, np.float32)).label == "b"
    assert recognizer.evaluate().nothing_found == {}
