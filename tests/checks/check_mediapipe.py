"""make check-mediapipe: our decoding of hands and faces against the mediapipe package itself, on the shared pictures.

It runs in .venv-mediapipe, where both are installed, writes benchmarks/results/check_mediapipe.json, and fails where
fewer than 95 of 100 pictures agree within 1.5 % of the hand's (or the face box's) size. `--golden` writes what
mediapipe says of a few pictures to tests/data, for the ordinary tests.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np

from benchmarks.record import write
from edge_tl.embedders.look.embedders import load_tracker
from edge_tl.embedders.look.hand import Hand, HandTracker, palm_region
from edge_tl.embedders.look.models import FACE, PARTS, VERSION, install_models, load_part
from edge_tl.embedders.look.palm_and_face import Detection, Detector
from edge_tl.media.image import decode

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("EDGE_TL_DATA", ROOT.parent / "shared" / "data"))
GOLDEN = ROOT / "tests" / "data" / "mediapipe.json"
SCORE = 0.5
"""MediaPipe's default least score of palms and faces."""
NEAR = 0.015
"""Of the hand's or face box's size: what is called agreement, of the mean distance over the points."""
SETS = {
    "hands_sessions": ("session_*/*/*.jpg", 1),
    "sign_digits": ("*/*.JPG", 1),
}
Points = np.ndarray


def pictures(name: str, pattern: str, step: int = 1) -> Iterator[tuple[Path, np.ndarray]]:
    """The pictures of a set of the shared data, in the order of their names."""
    for path in sorted((DATA / name).glob(pattern))[::step]:
        yield path, decode(path)


def their_hands(hands: Any, picture: np.ndarray) -> list[Points]:
    """What mediapipe finds: the landmarks (21, 2) in pixels of each hand."""
    found = hands.process(picture).multi_hand_landmarks or []
    size = picture.shape[1], picture.shape[0]
    return [np.array([(point.x, point.y) for point in hand.landmark]) * size for hand in found]


def their_face(faces: Any, picture: np.ndarray) -> Points | None:
    """The box's corners and the six key points (8, 2) in pixels of the surest face that mediapipe finds."""
    found = faces.process(picture).detections or []
    if not found:
        return None
    place = max(found, key=lambda one: one.score[0]).location_data
    box = place.relative_bounding_box
    corners = [(box.xmin, box.ymin), (box.xmin + box.width, box.ymin + box.height)]
    points = corners + [(point.x, point.y) for point in place.relative_keypoints]
    return np.array(points) * (picture.shape[1], picture.shape[0])


def first_looks(tracker: HandTracker, palms: Detector, picture: np.ndarray) -> list[Points]:
    """The hands that we see where palms are, before the second look."""
    seen = [tracker.look(picture, palm_region(palm)) for palm in palms(picture)]
    return [hand.points[:, :2] for hand in seen if hand is not None]


def points_of(hand: Hand | None) -> list[Points]:
    """A hand's landmarks (21, 2), in a list that is empty for no hand."""
    return [] if hand is None else [hand.points[:, :2]]


def face_points(face: Detection) -> Points:
    """The box's corners and the key points (8, 2)."""
    return np.concatenate([face.box.reshape(2, 2), face.points])


def distances(ours: Points, theirs: Points) -> np.ndarray:
    """How far each point is from theirs, as a part of the longer side of the box around theirs."""
    return np.linalg.norm(ours - theirs, axis=1) / np.ptp(theirs, axis=0).max()


class Agreement:
    """Counts and distances over pictures."""

    def __init__(self) -> None:
        self.pictures = self.theirs = self.ours = self.both = 0
        self.means: list[float] = []
        self.largest: list[float] = []
        self.far: list[str] = []

    def add(self, path: Path, ours: Sequence[Points], theirs: Sequence[Points]) -> None:
        """One picture; of several hands the pair that is nearest."""
        self.pictures += 1
        self.theirs += bool(theirs)
        self.ours += bool(ours)
        if not (ours and theirs):
            return
        self.both += 1
        found = min((distances(one, other) for one in ours for other in theirs), key=np.mean)
        self.means.append(float(found.mean()))
        self.largest.append(float(found.max()))
        if found.mean() > NEAR:
            self.far.append(path.relative_to(DATA).as_posix())

    def result(self) -> dict[str, Any]:
        """For the JSON."""
        at = (0.5, 0.9, 0.95, 0.99, 1.0)
        return {
            "pictures": self.pictures,
            "found by mediapipe": self.theirs,
            "found by us": self.ours,
            "found by both": self.both,
            "within 1.5 %": float(np.mean(np.array(self.means) <= NEAR)),
            "mean distance, quantiles": {str(q): float(np.quantile(self.means, q)) for q in at},
            "largest distance, quantiles": {str(q): float(np.quantile(self.largest, q)) for q in at},
            "farther": self.far,
        }


def check_hands(folder: Path) -> dict[str, dict[str, Any]]:
    """Landmarks of single pictures, at the first and at the second look, and of pictures that follow each other."""
    solution = mediapipe.solutions.hands.Hands
    tracker = load_tracker(folder, threads=1)
    palms = Detector(load_part(folder, PARTS["hands"][0], 1), PARTS["hands"][0].scaling, SCORE)
    results = {}
    for name, (pattern, step) in SETS.items():
        first, second, followed = Agreement(), Agreement(), Agreement()
        every = list(pictures(name, pattern, step))
        with solution(static_image_mode=True, max_num_hands=2, model_complexity=1) as still:
            for path, picture in every:
                first.add(path, first_looks(tracker, palms, picture), their_hands(still, picture))
        with solution(static_image_mode=False, max_num_hands=1, model_complexity=1) as video:
            for path, picture in every:
                video.reset()
                their_hands(video, picture)
                # With the same picture again mediapipe looks where its landmarks said, as `find` does at once.
                second.add(path, points_of(tracker.find(picture)), their_hands(video, picture))
            if name == "hands_sessions":
                follow(tracker, video, every, followed)
                results[f"{name}, followed from a picture that agrees"] = followed.result()
        results[f"{name}, first look"] = first.result()
        results[f"{name}, second look"] = second.result()
    return results


def follow(tracker: HandTracker, video: Any, every: Iterable[tuple[Path, np.ndarray]], agreement: Agreement) -> None:
    """The pictures of each folder as a stream; counted are those after a picture in which both saw the same.

    Where a hand was lost MediaPipe shows none and searches in the next picture, and we search at once: from there on
    the two look elsewhere, until they meet again.
    """
    for _, stream in groupby(every, key=lambda one: one[0].parent):
        video.reset()
        tracker.lose()
        agreed = False
        for path, picture in stream:
            ours, theirs = points_of(tracker.follow(picture)), their_hands(video, picture)
            if agreed:
                agreement.add(path, ours, theirs)
            agreed = bool(ours and theirs) and float(distances(ours[0], theirs[0]).mean()) <= NEAR


def check_faces(folder: Path) -> dict[str, dict[str, Any]]:
    """Boxes and key points of faces; MediaPipe's own threshold, so that the rates can be compared."""
    ours = Detector(load_part(folder, FACE, 1), FACE.scaling, SCORE)
    agreement = Agreement()
    with mediapipe.solutions.face_detection.FaceDetection(SCORE, model_selection=0) as faces:
        for path, picture in pictures("cmu_faces", "*/*.png"):
            theirs = their_face(faces, picture)
            face = max(ours(picture), key=lambda one: one.score, default=None)
            agreement.add(path, [] if face is None else [face_points(face)], [] if theirs is None else [theirs])
    return {"cmu_faces": agreement.result()}


def golden() -> dict[str, Any]:
    """What mediapipe says of a few pictures, in pixels: hands at the first and second look, faces."""
    solution = mediapipe.solutions.hands.Hands
    looks: dict[str, Callable[[Any, np.ndarray], list[Points]]] = {
        "first": their_hands,
        "second": lambda hands, picture: their_hands(hands, picture) and their_hands(hands, picture),
    }
    hands = []
    for path, picture in pictures("hands_sessions", "session_*/*/*.jpg", 75):
        entry: dict[str, Any] = {"file": path.relative_to(DATA).as_posix()}
        for look, ask in looks.items():
            with solution(static_image_mode=look == "first", max_num_hands=1, model_complexity=1) as opened:
                entry[look] = [np.round(points, 2).tolist() for points in ask(opened, picture)]
        hands.append(entry)
    faces = []
    with mediapipe.solutions.face_detection.FaceDetection(SCORE, model_selection=0) as opened:
        for path, picture in pictures("cmu_faces", "*/*.png", 64):
            found = their_face(opened, picture)
            points = None if found is None else np.round(found, 2).tolist()
            faces.append({"file": path.relative_to(DATA).as_posix(), "points": points})
    return {"mediapipe": version("mediapipe"), "hands": hands, "faces": faces}


def main() -> int:
    """Run everything; 1 where too few pictures agree."""
    if "--golden" in sys.argv[1:]:
        GOLDEN.write_text(json.dumps(golden()).replace('{"file"', '\n{"file"') + "\n")
        return 0
    wheels = sorted((ROOT / "downloads").glob(f"mediapipe-{VERSION}-*.whl"))
    missing = [name for name in (*SETS, "cmu_faces") if not (DATA / name).is_dir()]
    if missing or not wheels:
        what = f"no {', '.join(missing)} in {DATA}" if missing else "no wheel in downloads (make downloads)"
        print(f"check-mediapipe skipped: {what}")
        return 0
    with tempfile.TemporaryDirectory() as name:
        for which in PARTS:
            install_models(wheels[0], Path(name), which)
        results = check_hands(Path(name)) | check_faces(Path(name))
    versions = {name: version(name) for name in ("mediapipe", "opencv-contrib-python")}
    write("check_mediapipe", results, **versions)
    code = 0
    for name, result in results.items():
        near, both = result["within 1.5 %"], result["found by both"]
        print(
            f"{name}: {near:.1%} of {both} within 1.5 %; mediapipe finds {result['found by mediapipe']}, "
            f"we {result['found by us']} of {result['pictures']}"
        )
        code |= near < 0.95
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
