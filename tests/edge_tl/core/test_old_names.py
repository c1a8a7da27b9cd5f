"""Names of before work for one version more, and warn."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl import Recognizer, TFLiteEmbedder, default_model
from edge_tl.embedders.embedder import Finder


def test_a_recognizer_answers_to_its_old_names() -> None:
    """`recognise` gives what `recognize` gives, `sought` what `looks_for` gives, each with a warning."""
    recognizer = Recognizer(TFLiteEmbedder.load(default_model()))
    for value, label in ((10, "dark"), (200, "light")):
        for take in range(2):
            recognizer.teach(np.full((64, 64, 3), value + take, np.uint8), label, take)
    recognizer.learn()
    embedding = recognizer.embed(np.full((64, 64, 3), 12, np.uint8))
    with pytest.warns(DeprecationWarning, match="recognise is called recognize now"):
        old = recognizer.recognise(embedding)
    assert old.best == recognizer.recognize(embedding).best == "dark"
    with pytest.warns(DeprecationWarning, match="sought is called looks_for now"):
        assert recognizer.sought == recognizer.looks_for == ""


def test_a_finder_that_declares_the_old_name_has_the_new_one() -> None:
    """Whoever wrote a Finder with `sought` gets a warning, and the rest of the library reads `looks_for`."""
    with pytest.warns(DeprecationWarning, match=r"Cats\.sought is called looks_for now"):
        Cats = type("Cats", (Finder,), {"sought": "cat"})
    assert Cats.looks_for == "cat"
    Dogs = type("Dogs", (Finder,), {"looks_for": "dog", "__init__": lambda self: None, "_embedding": None})
    with pytest.warns(DeprecationWarning, match="sought is called looks_for now"):
        assert Dogs().sought == "dog"
