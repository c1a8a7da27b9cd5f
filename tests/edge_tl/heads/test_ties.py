"""kNN with ties to the earlier class, against the npm package @tensorflow-models/knn-classifier."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lacking import lacking
from places import ROOT

from edge_tl.errors import ConfigError
from edge_tl.heads import head_from_state, make_head
from edge_tl.heads.knn import KNNHead

LABELS = ("b", "10", "a", "9", "left hand", "01", "-1", "4294967294", "4294967295", "0")
"""Among them keys of an object that JavaScript sorts as numbers, and some that only look like such."""


@dataclass(frozen=True)
class Case:
    """What is taught and forgotten, one step after the other, and what is asked then."""

    steps: tuple[tuple[str, list[float] | None], ...]
    """(label, row), or (label, None) where the class is forgotten."""
    asked: list[float]
    k: int = 3


Answer = tuple[str, dict[str, float]]
"""The class that is named, and the share of the votes of each."""


def published() -> list[tuple[Case, Answer]]:
    """The predictions that the package's own tests ask for (knn-classifier/src/index_test.ts of tfjs-models)."""
    near = [[1, 1, 1, 1], [1.1, 0.9, 1.2, 0.8], [1.2, 0.8, 1.3, 0.7]]
    two = tuple([("0", row) for row in near] + [("1", [-x for x in row]) for row in near])
    same = [[7, 7], [5, 5], [9, 9], [5, 5]]
    return [
        (Case(two, [1.1] * 4), ("0", {"0": 1, "1": 0})),
        (Case(two, [-1.1] * 4), ("1", {"0": 0, "1": 1})),
        (Case((("1", [5, 2]), ("2", [6, 1])), [3, 3]), ("1", {"1": 0.5, "2": 0.5})),
        (Case(tuple(zip("7595", same, strict=True)), [5, 5]), ("5", {"5": 2 / 3, "7": 1 / 3, "9": 0})),
        (Case(tuple(zip("abcb", same, strict=True)), [5, 5]), ("b", {"b": 2 / 3, "a": 1 / 3, "c": 0})),
    ]


def drawn(count: int = 500) -> list[Case]:
    """Cases full of ties: rows of 1, 4 or 16 ones and minus ones have lengths and cosines without rounding."""
    rng = np.random.default_rng(0)

    def row() -> list[float]:
        made = np.zeros(16)
        made[rng.permutation(16)[: rng.choice([1, 4, 16])]] = 1
        return [float(x) for x in made * rng.choice([-1, 1], 16)]

    cases = []
    for _ in range(count):
        labels = rng.choice(LABELS, rng.integers(1, 6), replace=False).tolist()
        pool = [row() for _ in range(rng.integers(1, 8))]
        steps: list[tuple[str, list[float] | None]] = []
        for _ in range(rng.integers(1, 14)):
            steps.append((labels[rng.integers(len(labels))], pool[rng.integers(len(pool))]))
            if len({label for label, _ in steps}) > 1 and rng.random() < 0.1:
                steps.append((steps[0][0], None))
                steps = [*steps, (labels[0], pool[0])]
        if any(steps[i][1] is None and steps[i][0] not in taught(steps[:i]) for i in range(len(steps))):
            steps = [step for step in steps if step[1] is not None]
        cases.append(Case(tuple(steps), [row(), pool[0]][rng.integers(2)], int(rng.integers(1, 9))))
    return cases


def taught(steps: Any) -> dict[str, list[list[float]]]:
    """The rows of each class that is known after these steps, in the order of an object's keys in JavaScript."""
    kept: dict[str, list[list[float]]] = {}
    for label, row in steps:
        if row is None:
            kept.pop(label, None)
        else:
            kept.setdefault(label, []).append(row)
    numbers = [name for name in kept if name.isdigit() and str(int(name)) == name and int(name) < 2**32 - 1]
    whole = sorted(numbers, key=int)
    return {name: kept[name] for name in [*whole, *(name for name in kept if name not in whole)]}


def by_definition(case: Case) -> Answer:
    """What the package's published algorithm gives (src/index.ts and src/util.ts), written out anew.

    Rows of unit length stand class after class; the k largest products vote, the earlier ones of equals; of the classes
    the first that has more votes than all before it is named.
    """
    kept = taught(case.steps)
    rows = [(label, np.array(row) / np.linalg.norm(row)) for label, own in kept.items() for row in own]
    like = [float(row @ np.array(case.asked)) / float(np.linalg.norm(case.asked)) for _, row in rows]
    voters = sorted(range(len(rows)), key=lambda i: -round(like[i], 9))[: case.k]
    shares = {label: sum(rows[i][0] == label for i in voters) / len(voters) for label in kept}
    return max(shares, key=lambda label: shares[label]), shares


def by_ours(case: Case) -> Answer:
    """What the head says, taught step by step, and saved and restored before it is asked."""
    head = KNNHead(case.k, ties="class")
    for label, row in case.steps:
        if row is None:
            head.remove_class(label)
        else:
            head.partial_fit(np.array([row]), [label])
    head = head_from_state(*head.state())
    asked = np.array([case.asked], np.float32)
    return str(head.predict(asked)[0]), dict(zip(map(str, head.classes_), head.predict_proba(asked)[0], strict=True))


def same(one: Answer, other: Answer) -> bool:
    """Whether the same class is named with the same shares."""
    return one[0] == other[0] and one[1] == pytest.approx(other[1])


def test_the_published_cases() -> None:
    """Asked what the package's own tests ask, the head answers what they expect."""
    for case, wanted in published():
        assert same(by_ours(case), wanted), case
        assert same(by_definition(case), wanted), case


def test_random_cases_agree_with_the_algorithm() -> None:
    """Of 500 random cases full of ties every answer is that of the algorithm; with ties to examples many differ."""
    differ = 0
    for case in drawn():
        wanted = by_definition(case)
        assert same(by_ours(case), wanted), case
        rows = [(label, row) for label, own in taught(case.steps).items() for row in own]
        plain = KNNHead(case.k).fit(np.array([row for _, row in rows][::-1]), [label for label, _ in rows][::-1])
        differ += str(plain.predict(np.array([case.asked]))[0]) != wanted[0]
    assert differ > 50


SCRIPT = """
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const knn = require('@tensorflow-models/knn-classifier');
const cases = JSON.parse(require('fs').readFileSync(0));
(async () => {
  const answers = [];
  for (const { steps, asked, k } of cases) {
    const classifier = knn.create();
    for (const [label, row] of steps) {
      if (row === null) classifier.clearClass(label);
      else classifier.addExample(tf.tensor1d(row), label);
    }
    const answer = await classifier.predictClass(tf.tensor1d(asked), k);
    answers.push([answer.label, answer.confidences]);
  }
  console.log(JSON.stringify(answers));
})();
"""


def test_the_published_package_agrees(tmp_path: Path) -> None:
    """The npm package itself, asked its own tests' cases and the 500 random ones, answers what the head answers."""
    modules = Path(os.environ.get("EDGE_TL_NODE_MODULES") or ROOT / "node_modules")
    node = shutil.which("node")
    if node is None or not (modules / "@tensorflow-models" / "knn-classifier").exists():
        pytest.skip(lacking("Node with @tensorflow-models/knn-classifier"))
    cases = [*(case for case, _ in published()), *drawn()]
    script = tmp_path / "ask.js"
    script.write_text(SCRIPT)
    run = subprocess.run(
        [node, script],
        input=json.dumps([{"steps": case.steps, "asked": case.asked, "k": case.k} for case in cases]),
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    answers = json.loads(run.stdout.splitlines()[-1])
    assert len(answers) == len(cases) == 505
    for case, (label, shares) in zip(cases, answers, strict=True):
        assert same(by_ours(case), (label, shares)), case


def test_ties_are_kept_and_were_not_always_known() -> None:
    """The choice is saved with the head; a state that says nothing of it is one of ties to examples, as before."""
    X = np.array([[1.0, 0], [2, 0]])
    for ties, wanted in (("example", "b"), ("class", "b")):
        head = make_head("knn", k=1, ties=ties).fit(X, ["b", "a"])
        assert head_from_state(*head.state()).ties == ties
        assert head.predict(X).tolist() == [wanted, wanted]
    meta, arrays = make_head("knn").fit(X, ["b", "a"]).state()
    assert "ties" not in meta
    assert head_from_state(meta, arrays).ties == "example"
    X = X.repeat(2, axis=0)
    even = [make_head("knn", k=2, ties=ties).fit(X, list("baab")) for ties in ("example", "class")]
    assert [str(head.predict(X[:1])[0]) for head in even] == ["a", "b"]
    with pytest.raises(ConfigError, match="ties are 'first'; choose one of example, class"):
        KNNHead(ties="first")
