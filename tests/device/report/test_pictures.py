"""The small pictures of examples: what was found is drawn in them, and they come from many takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.report.pictures import make_thumbnail, spread_over
from edge_tl.embedders.embedder import Finder, embed_kept
from edge_tl.embedders.look.embedders import BoxEmbedder
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.region import Region
from edge_tl.store.examples import ExampleStore
from edge_tl.testing import FakeEmbedder

HOSTILE = "<script>alert('1')</script>\"&'"
DAY = "2025-06-30"
VOID = {"meta", "br", "img", "link", "hr", "input"}


class RightHalf(Finder[Hand]):
    """Finds a hand in the right half of every picture."""

    name, fingerprint = "right half", "0" * 64
    way, looks_for = "hand", "hand"
    embedding_shape: tuple[int, ...] = (1,)
    embedding_dim = 1

    def __init__(self) -> None:
        super().__init__(self)  # type: ignore[arg-type]

    def find(self, picture: np.ndarray) -> Hand:
        """Where it always is."""
        height, width = picture.shape[:2]
        points = np.zeros((21, 3))
        points[:, :2] = (0.75 * width, 0.5 * height)
        return Hand(points, 1.0, 1.0, Region(0.75 * width, 0.5 * height, 0.5 * width))

    def _embedding(self, picture: np.ndarray, seen: Hand) -> np.ndarray:
        return np.ones(1, np.float32)


def test_what_was_found_is_drawn_where_it_is(tmp_path: Path) -> None:
    """Region and landmarks lie on the small picture where they lie in the large one."""
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        embedder = RightHalf()
        large = np.full((480, 640, 3), 90, np.uint8)
        number = store.add(store.new_take("palm"), large, embed_kept(embedder, large), embedder.fingerprint)
        store.flush()
        shot = make_thumbnail(store, number, embedder)
        assert shot is not None
        assert (shot.width_px, shot.height_px) == (144, 108)
        assert shot.points[0].shape == (21, 2)
        np.testing.assert_allclose(shot.points[0][0], (108, 54))
        np.testing.assert_allclose(shot.outlines[0][0], (72, 18), atol=1e-9)
        assert make_thumbnail(store, number + 1, embedder) is None
        boxed = BoxEmbedder(FakeEmbedder(), (0.25, 0.0, 0.75, 0.5))
        shot = make_thumbnail(store, number, boxed)
        assert shot is not None
        np.testing.assert_allclose(shot.outlines[0], [(36, 0), (108, 0), (108, 54), (36, 54)])
        plain = make_thumbnail(store, number, FakeEmbedder())
        assert plain is not None
        assert plain.outlines == ()


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(1, 8))
def test_pictures_are_of_as_many_takes_as_possible(takes: list[int], count: int) -> None:
    """The chosen rows are different, in order, as many as wanted, and of as many takes as there can be."""
    rows = np.arange(len(takes))
    chosen = spread_over(rows, np.array(takes), count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, len(takes))
    assert len({takes[row] for row in chosen}) == min(count, len(set(takes)))
