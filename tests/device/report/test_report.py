"""`edge-tl report`: one page that needs nothing else, says the same each time, and escapes what a user typed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA
from tiny_profile import fill, make_all, picture, refused, runner

from device.commands.main import main
from device.report.pictures import make_thumbnail, spread_over
from edge_tl.embedders.embedder import Finder, embed_kept
from edge_tl.embedders.look.embedders import BoxEmbedder
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.region import Region
from edge_tl.errors import ShapeError
from edge_tl.heads import make_head
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.calibration import reliability
from edge_tl.judge.learning_curve import learning_curve
from edge_tl.judge.projection import principal_plane
from edge_tl.store.examples import ExampleStore
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeEmbedder

HOSTILE = "<script>alert('1')</script>\"&'"
DAY = "2025-06-30"
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Reader(HTMLParser):
    """Reads a page strictly: every element that opens is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """The innermost element closes."""
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text of the page."""
        return " ".join(self.words)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and a profile taught and trained with it."""
    return make_all(tmp_path_factory.mktemp("report"))


@pytest.fixture
def report(made: Path, tmp_path: Path) -> Callable[..., Reader]:
    """Writes the report of a data folder, and reads it."""

    def call(data: Path, *more: str) -> Reader:
        out = tmp_path / "out.html"
        words = ["--data-dir", str(data), "--model", str(made / "model"), "--date", DAY, "--out", str(out), *more]
        assert main(["report", *words]) == 0
        return Reader(out.read_text(encoding="utf-8"))

    return call


def imported(made: Path, root: Path, data: Path, *more: str) -> Path:
    """A profile of the pictures in a folder."""
    words = ["--model", str(made / "model"), "--data-dir", str(data), *more]
    assert main(["examples", "import", str(root), *words]) == 0
    return data


def test_the_page_says_all_there_is(made: Path, report: Callable[..., Reader]) -> None:
    """Accuracy, confusion, reliability, learning curve, map, counts, pictures, guide and model card are all there."""
    page = report(made / "data")
    for words in (
        "on takes it was not taught",
        "what a random split claims",
        "What to do next",
        "What is taken for what",
        "expected calibration error",
        "Would more takes help?",
        "Who lies near whom",
        "24 examples of 2 classes in 6 takes",
        "Model card",
        "generation 1",
        DAY,
    ):
        assert words in page.text, words
    pictures = [value for name, value in page.attributes if name == "href"]
    assert 12 <= len(pictures) <= 22
    assert page.tags.count("circle") > 10


def test_the_page_needs_nothing_from_elsewhere(made: Path, report: Callable[..., Reader]) -> None:
    """No script, no link, no address: whatever is shown stands in the page."""
    page = report(made / "data")
    assert not {"script", "link", "iframe", "object", "img"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "src"):
            assert value.startswith("data:image/jpeg;base64,")
        else:
            assert "//" not in value
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_the_same_profile_and_date_give_the_same_page(made: Path, tmp_path: Path) -> None:
    """Two reports are equal to the byte, and replace each other whole."""
    words = ["--data-dir", str(made / "data"), "--model", str(made / "model"), "--date", DAY]
    out = tmp_path / "a.html"
    assert main(["report", *words, "--out", str(out)]) == 0
    first = out.read_bytes()
    out.write_text("something older")
    assert main(["report", *words, "--out", str(out)]) == 0
    assert out.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_what_a_user_typed_is_text(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """Labels and profile names that are HTML are shown as they are and do nothing."""
    data = imported(made, made / "pictures", tmp_path / "data", "--profile", HOSTILE)
    assert main(["examples", "rename", "dark", HOSTILE, "--data-dir", str(data), "--profile", HOSTILE]) == 0
    page = report(data, "--profile", HOSTILE)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) > 5
    assert "not trained" in page.text or "nothing was trained" in page.text


def test_swapped_labels_are_shown_with_the_command_that_forgets_them(
    made: Path, tmp_path: Path, report: Callable[..., Reader]
) -> None:
    """A light picture among the dark ones is shown by its number, and the command shown forgets it."""
    root = fill(tmp_path / "pictures", takes=6)
    picture("light", 77).save(root / "dark" / "take1" / "zz.png")
    data = imported(made, root, tmp_path / "data")
    page = report(data)
    assert "9" in re.findall(r"(\d+): taught as dark, looks like light", page.text)
    assert re.search(r"edge-tl examples remove --id (\d+ )*9\b", page.text)
    assert 'class="ring"' in (tmp_path / "out.html").read_text()


def test_sessions_lead_where_there_are_two(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """With two sessions the first figure is that of a session that was not taught, and each has a line by its name."""
    data = imported(made, made / "pictures", tmp_path / "data")
    with Profile(data / "profiles" / "default", writable=True) as profile:
        store = profile.store
        examples = store.matrix(store.list()[0].fingerprint)
        kitchen = store.new_session("kitchen & garden")
        for take in np.unique(examples.takes):
            rows = np.flatnonzero(examples.takes == take)
            again = store.new_take(str(examples.y[rows[0]]), session=kitchen)
            for row in rows:
                store.add(again, None, examples.X[row], examples.fingerprint)
    page = report(data)
    assert page.text.index("in a session it was not taught") < page.text.index("on takes it was not taught")
    assert "Session by session" in page.text
    assert page.text.count("kitchen & garden") == 2
    assert "in 12 takes and 2 sessions" in page.text


def test_one_class_gets_a_page_that_says_what_is_missing(
    made: Path, tmp_path: Path, report: Callable[..., Reader]
) -> None:
    """With a single class there is nothing to judge: the page says so, and shows what was recorded."""
    root = fill(tmp_path / "pictures")
    shutil.rmtree(root / "light")
    page = report(imported(made, root, tmp_path / "data"))
    assert "Nothing can be said yet" in page.text
    assert "dark" in page.text
    assert "Model card" in page.text


def test_without_pictures_the_page_says_so(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """A profile that kept embeddings only has a report all the same."""
    with Profile(tmp_path / "data" / "profiles" / "default", writable=True) as profile:
        fingerprint = next(iter(profile_of(made))).fingerprint
        rng = np.random.default_rng(0)
        for label, middle in (("a", 0.0), ("b", 1.0)):
            for _ in range(2):
                take = profile.store.new_take(label)
                for _ in range(3):
                    profile.store.add(take, None, (middle + rng.normal(0, 0.1, 12)).astype(np.float32), fingerprint)
    page = report(tmp_path / "data")
    assert page.text.count("No files were kept") == 2


def profile_of(made: Path) -> list[Any]:
    """The examples of the trained profile."""
    with Profile(made / "data" / "profiles" / "default") as profile:
        return profile.store.list()


def test_bad_input_is_one_line_and_leaves_nothing(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder as file, a missing folder, no profile, an empty one: one line each, and no page."""
    run = runner(made, made / "data", capsys)
    model = ("--model", made / "model")
    refused(run("report", *model, "--out", tmp_path), "is a folder", "--out")
    refused(run("report", *model, "--out", tmp_path / "no" / "x.html"), "there is no folder")
    refused(run("report", *model, "--out", "/dev/full"), "no ordinary file")
    refused(run("report", *model, "--out", tmp_path / "x.html", "--profile", "nobody"), "there is no profile")
    with Profile(tmp_path / "data" / "profiles" / "default", writable=True) as profile:
        profile.store.add_label("a")
    empty = runner(made, tmp_path / "data", capsys)
    refused(empty("report", *model, "--out", tmp_path / "x.html"), "nothing was recorded yet")
    assert not (tmp_path / "x.html").exists()
    with pytest.raises(SystemExit):
        run("report", "--date", "yesterday")


def test_a_browser_shows_it(made: Path, tmp_path: Path, report: Callable[..., Reader]) -> None:
    """Chromium reads the page without a complaint, and on a phone's width nothing lies outside."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    report(made / "data")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=390,800"]
    command += [f"--user-data-dir={tmp_path / 'browser'}", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([*command, (tmp_path / "out.html").as_uri()], capture_output=True, text=True, timeout=120)
    assert "Who lies near whom" in done.stdout
    assert "CONSOLE" not in done.stderr


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80), st.integers(1, 12))
@settings(max_examples=80)
def test_calibration_is_that_of_its_definition(answers: list[tuple[float, bool]], bins: int) -> None:
    """Every answer is in one bin, and the error is the weighted gap between confidence and being right."""
    confidence, right = (np.array(column) for column in zip(*answers, strict=True))
    found = reliability(confidence, right, bins)
    assert sum(one.count for one in found.bins) == len(answers)
    place = np.clip(np.ceil(confidence * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    gaps = [abs((confidence[place == i] - right[place == i]).sum()) for i in range(bins)]
    edges = np.abs(confidence * bins - np.round(confidence * bins)) < 1e-9
    if not edges.any():
        assert found.error == pytest.approx(sum(gaps) / len(answers), abs=1e-9)
    assert 0 <= found.error <= 1


def test_calibration_agrees_with_scikit_learn() -> None:
    """The bins' means are those of scikit-learn's calibration curve."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0, 1, 500)
    right = rng.uniform(0, 1, 500) < confidence**2
    true, said = calibration_curve(right, confidence, n_bins=10)
    bins = [one for one in reliability(confidence, right).bins if one.count]
    np.testing.assert_allclose([one.accuracy for one in bins], true)
    np.testing.assert_allclose([one.confidence for one in bins], said)
    with pytest.raises(ShapeError, match="NaN"):
        reliability(np.array([np.nan]), np.array([True]))


def drifting(takes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two classes whose takes lie apart: more takes teach more."""
    rng = np.random.default_rng(seed)
    codes = np.repeat([0, 1], takes * 4)
    numbers = np.repeat(np.arange(2 * takes), 4)
    X = 0.7 * np.eye(2, 30)[codes] + 0.3 * rng.normal(size=(2 * takes, 30))[numbers]
    return (X + 0.03 * rng.normal(size=X.shape)).astype(np.float32), np.array(["a", "b"])[codes], numbers


@pytest.mark.exact
def test_the_learning_curve_is_that_of_heads_fitted_so() -> None:
    """More takes teach more; the same seed gives the same curve; with all takes but one it is every fit by hand."""
    X, y, takes = drifting(9)
    points = learning_curve(RidgeHead, X, y, takes)
    assert [point.takes for point in points] == sorted({point.takes for point in points})
    assert points[0].takes == 1
    assert points[-1].takes == 8
    assert points[-1].accuracy > points[0].accuracy
    assert all(point.low <= point.accuracy <= point.high for point in points)
    assert points == learning_curve(RidgeHead, X, y, takes, gram=X @ X.T)
    assert points[0].examples == 4
    X, y, takes = drifting(2)
    scores = []
    for a in (0, 1):
        for b in (2, 3):
            inside = np.isin(takes, (a, b))
            head = RidgeHead().fit(X[inside], y[inside], takes[inside])
            scores.append(head.score(X[~inside], y[~inside]))
    (point,) = learning_curve(RidgeHead, X, y, takes, draws=40)
    assert (point.low, point.high) == (min(scores), max(scores))


def test_the_learning_curve_wants_two_classes_with_two_takes() -> None:
    """Where nothing can be left out there is no curve, and any head can have one."""
    X, y, takes = drifting(3)
    assert learning_curve(RidgeHead, X, y, np.zeros(len(y), int)) == ()
    assert learning_curve(RidgeHead, X[y == "a"], y[y == "a"], takes[y == "a"]) == ()
    assert len(learning_curve(lambda: make_head("knn"), X, y, takes)) == 2


@pytest.mark.exact
@pytest.mark.parametrize("rows", [40, 1800])
def test_the_map_is_the_principal_plane(rows: int) -> None:
    """The points are those of scikit-learn's PCA up to the sign; beyond 1500 rows nearly so."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(rows, 12)) * np.array([5, 3] + [0.5] * 10)).astype(np.float32)
    plane = principal_plane(X)
    reference = PCA(2).fit(X)
    wanted = reference.transform(X)
    for axis in (0, 1):
        assert abs(np.corrcoef(plane.points[:, axis], wanted[:, axis])[0, 1]) > 0.999
    np.testing.assert_allclose(plane.shares, reference.explained_variance_ratio_, rtol=0.1)
    assert (plane.points == principal_plane(X).points).all()


def test_equal_rows_are_one_point() -> None:
    """Examples that do not differ, or a single one, lie at 0; no rows are an error."""
    assert (principal_plane(np.ones((5, 3), np.float32)).points == 0).all()
    assert principal_plane(np.ones((1, 3), np.float32)).points.shape == (1, 2)
    assert principal_plane(np.array([[0.0], [1.0], [3.0]])).points[:, 0] == pytest.approx([-4 / 3, -1 / 3, 5 / 3])
    with pytest.raises(ShapeError):
        principal_plane(np.empty((0, 3)))


class RightHalf(Finder[Hand]):
    """Finds a hand in the right half of every picture."""

    name, fingerprint = "right half", "0" * 64
    way, sought = "hand", "hand"
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
