"""The heads as classifiers of scikit-learn, by its own checks and its own tools, on real digits."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils.estimator_checks import check_estimator

from edge_tl.errors import ConfigError, to_install
from edge_tl.heads import HEADS, make_head
from edge_tl.heads.estimators import ESTIMATORS

every_estimator = pytest.mark.parametrize("name", ESTIMATORS)

NO_WEIGHTS = "a head weighs classes alike or not at all, and takes no weight for each"
CANNOT: dict[str, dict[str, str]] = {
    "ridge": {"check_class_weight_classifiers": NO_WEIGHTS},
    "softmax": {"check_class_weight_classifiers": NO_WEIGHTS},
    "knn": {"check_estimators_dtypes": "one of its rows is all zeros, which has no direction"},
}
"""Of scikit-learn's own checks those that a head cannot pass, and why."""

GRIDS: dict[str, dict[str, list[Any]]] = {
    "ridge": {"class_weight": ["balanced", None], "alphas": [[0.1], [10.0]]},
    "softmax": {"C": [1e-3, 1000.0], "tol": [1e-3]},
    "mlp": {"max_iter": [1, 40], "hidden_layer_sizes": [(30,)]},
    "knn": {"n_neighbors": [1, 50], "ties": ["example", "class"]},
    "prototype": {"sharpness": [10.0, 80.0]},
}


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """600 of scikit-learn's digits as unit rows with the digit, a whole number, and a take of four each."""
    X, y = load_digits(return_X_y=True)
    return Normalizer().fit_transform(X[:600]).astype(np.float32), y[:600], np.arange(600) // 4


def test_every_head_has_one() -> None:
    """There is an estimator for every head, it makes that head, and its own defaults are the head's."""
    X, y, takes = digits()
    assert [*ESTIMATORS] == [*HEADS]
    for name, make in ESTIMATORS.items():
        mine, head = make().fit(X[:200], y[:200], takes[:200]), make_head(name).fit(X[:200], y[:200], takes[:200])
        assert type(mine.head_) is HEADS[name]
        np.testing.assert_array_equal(mine.predict_proba(X), head.predict_proba(X))  # one digit sorts as its text


@every_estimator
def test_the_checks_of_scikit_learn(name: str) -> None:
    """All checks pass but those that are listed with their reason, and those fail."""
    results = check_estimator(ESTIMATORS[name](), on_fail=None, on_skip=None)
    assert len(results) > 50
    failed = {one["check_name"]: one["exception"] for one in results if one["status"] == "failed"}
    assert set(failed) == set(CANNOT.get(name, {})), failed
    assert sum(one["status"] == "passed" for one in results) >= 50


@every_estimator
def test_it_is_cloned_searched_and_validated(name: str) -> None:
    """`clone`, `cross_val_score`, `Pipeline` and `GridSearchCV` work on real digits, with whole numbers as labels."""
    X, y, _ = digits()
    estimator = ESTIMATORS[name]()
    copy = clone(estimator.set_params(**{key: values[-1] for key, values in GRIDS[name].items()}))
    assert copy.get_params() == estimator.get_params()
    assert copy is not estimator
    line = make_pipeline(Normalizer(), ESTIMATORS[name]())
    scores = cross_val_score(line, X, y, cv=3)
    assert scores.mean() > 0.8
    search = GridSearchCV(ESTIMATORS[name](), GRIDS[name], cv=3).fit(X, y)
    assert search.best_score_ > 0.8
    assert search.best_estimator_.predict(X).dtype == y.dtype
    assert set(search.best_params_) == set(GRIDS[name])
    spread = np.ptp(search.cv_results_["mean_test_score"])
    assert spread > 0 or name in ("ridge", "prototype")  # whose parameters may not change what is named


@every_estimator
def test_takes_are_groups(name: str) -> None:
    """Groups of any kind reach the head as takes, through `fit` and through scikit-learn's routing of metadata."""
    X, y, takes = digits()
    groups = np.array([f"take {number}" for number in takes])
    mine = ESTIMATORS[name]().fit(X, y, groups)
    np.testing.assert_array_equal(mine.predict_proba(X), make_head(name).fit(X, y, takes).predict_proba(X))
    folds = GroupKFold(3)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = ESTIMATORS[name]().set_fit_request(groups=True)
        routed = cross_val_predict(asking, X, y, cv=folds, params={"groups": groups}, method="predict_proba")
    train, test = next(iter(folds.split(X, y, groups)))
    wanted = make_head(name).fit(X[train], y[train], takes[train])
    np.testing.assert_array_equal(routed[test], wanted.predict_proba(X[test]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mine.fit(X, y, groups[:-1])


labels = st.one_of(
    st.lists(st.integers(-300, 300), min_size=3, max_size=3, unique=True).map(np.array),
    st.just(np.array([False, True])),
    st.lists(st.text("abc 1", min_size=1), min_size=3, max_size=3, unique=True).map(np.array),
    st.lists(st.text("abc 1", min_size=1), min_size=3, max_size=3, unique=True).map(lambda y: np.array(y, object)),
    st.just(np.array([0.5, 10.0, 9.0]).round()),
)


@given(labels, st.sampled_from(sorted(ESTIMATORS)))
@settings(max_examples=80, deadline=None)
def test_labels_keep_their_kind(classes: np.ndarray, name: str) -> None:
    """What is named has the dtype of what was taught, and columns stand in the labels' own order."""
    y = np.repeat(classes, 4)
    X = np.repeat(np.eye(len(classes), 5), 4, axis=0) + np.random.default_rng(0).uniform(0, 0.1, (len(y), 5))
    mine = ESTIMATORS[name]().fit(X, y)
    assert mine.predict(X).dtype == mine.classes_.dtype == y.dtype
    np.testing.assert_array_equal(mine.classes_, np.unique(y))
    np.testing.assert_array_equal(mine.predict(X), y)
    np.testing.assert_array_equal(mine.classes_[mine.predict_proba(X).argmax(axis=1)], y)
    assert mine.score(X, y) == mine.head_.score(X, y) == 1.0


def test_parameters_that_no_head_knows() -> None:
    """A weight for each class, two hidden layers and a wrong head's parameter are one line; a drawn seed differs."""
    X, y, _ = digits()
    for make, settings_, message in (
        ("ridge", {"class_weight": {0: 2.0}}, "wanted 'balanced' or None"),
        ("mlp", {"hidden_layer_sizes": (10, 10)}, "the size of one layer"),
        ("knn", {"n_neighbors": 0}, "whole number of neighbours"),
    ):
        with pytest.raises(ConfigError, match=message):
            ESTIMATORS[make](**settings_).fit(X, y)
    one, other = (
        ESTIMATORS["mlp"](max_iter=1, random_state=state).fit(X, y).predict_proba(X)
        for state in (np.random.RandomState(1), np.random.RandomState(2))
    )
    assert not np.array_equal(one, other)


def test_only_this_module_wants_scikit_learn() -> None:
    """The library loads without scikit-learn, and this module then says in one line how to get it."""
    code = (
        "import sys; import edge_tl, edge_tl.heads; assert 'sklearn' not in sys.modules\n"
        "sys.modules['sklearn'] = None\n"
        "try:\n    import edge_tl.heads.estimators\n"
        "except edge_tl.MissingDependency as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == (f"heads as estimators need scikit-learn 1.6 or newer: {to_install('scikit-learn>=1.6')}\n")
