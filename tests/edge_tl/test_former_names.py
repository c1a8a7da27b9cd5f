"""Public names that were changed: for one version they are found under the old ones too, with a warning."""

from __future__ import annotations

import pytest

import edge_tl


@pytest.mark.parametrize(
    ("old", "new"), [("Learned", "TrainingResult"), ("Saved", "SavedHead"), ("Heard", "StreamWindow")]
)
def test_a_name_of_before_is_found_and_says_its_new_one(old: str, new: str) -> None:
    """The old name gives the same class and warns with the new one, which alone is in the list of public names."""
    with pytest.warns(DeprecationWarning, match=f"edge_tl.{old} is called {new} now"):
        assert getattr(edge_tl, old) is getattr(edge_tl, new)
    assert new in edge_tl.__all__
    assert old not in edge_tl.__all__
