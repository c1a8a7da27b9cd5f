"""`edge-tl` as a script calls it: exit codes, one-line errors, JSON, and the whole way from folders to answers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on

from device.commands import demo
from device.commands.examples_import import TOLD
from device.commands.main import main
from edge_tl.media.image import encode_jpeg, save_png
from edge_tl.sources.simulated import SimulatedPlayer

LABELS = ("up", "left", "neutral")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder CLASS/TAKE/picture of the simulated player: 3 classes, 3 takes of 4 pictures, and a take apart."""
    root = tmp_path_factory.mktemp("pictures")
    player = SimulatedPlayer(seed=3)
    player.open()
    for take in range(4):
        for label in LABELS:
            player.new_session()
            player.pose = label
            for _ in range(8):
                player.read()
            folder = root / ("unseen" if take == 3 else "taught") / label / f"take{take}"
            folder.mkdir(parents=True)
            for i in range(4):
                folder.joinpath(f"{i}.jpg").write_bytes(encode_jpeg(player.read().data))
    return root


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def unhurried() -> Callable[[], float]:
    """A clock that no call finds more than 50 ms on: what a busy machine does late is played at the same pace."""
    last_s, shown_s = time.monotonic(), 0.0

    def clock() -> float:
        nonlocal last_s, shown_s
        now_s = time.monotonic()
        shown_s += min(now_s - last_s, 0.05)
        last_s = now_s
        return shown_s

    return clock


def one_line(err: str) -> bool:
    """Whether stderr holds exactly one line from us, and no traceback."""
    return err.count("\n") == 1 and err.startswith("edge-tl: ") and "Traceback" not in err


def test_pictures_without_takes_get_them_by_what_they_show(run: Run, pictures: Path, tmp_path: Path) -> None:
    """Of folders CLASS/picture the takes are told by the pictures, which is said, and "none of these" is on."""
    for path in (pictures / "taught").rglob("*.jpg"):
        flat = tmp_path / "flat" / path.parts[-3] / f"{path.parts[-2]}_{path.name}"
        flat.parent.mkdir(parents=True, exist_ok=True)
        flat.write_bytes(path.read_bytes())
    code, said, _ = run("examples", "import", tmp_path / "flat")
    assert code == 0
    assert said == f"imported 36 pictures in 9 takes{TOLD}\n"
    assert "none of these' is off" not in run("evaluate")[1]


def test_from_folders_to_answers(run: Run, pictures: Path) -> None:
    """Import, train, evaluate and predict work in a row, and unseen pictures of taught classes are named."""
    code, result, _ = run("examples", "import", pictures / "taught", "--json")
    assert code == 0
    assert result == {"imported": 36, "copies": 0, "bad": 0, "takes": 9, "sessions": [1], "nothing_found": 0}
    code, result, _ = run("train", "--json")
    assert code == 0
    assert result["classes"] == sorted(LABELS)
    assert result["examples"] == 36
    code, result, _ = run("evaluate", "--json")
    assert code == 0
    assert result["examples"] == 36
    assert np.array(result["confusion"]).sum() == 36
    files = sorted((pictures / "unseen").rglob("*.jpg"))
    code, answers, _ = run("predict", *files, "--no-reject", "--json")
    assert code == 0
    right = [answer["label"] == Path(answer["file"]).parts[-3] for answer in answers]
    assert np.mean(right) > 0.6
    assert all(abs(sum(answer["probabilities"].values()) - 1) < 1e-5 for answer in answers)


def test_none_of_these(run: Run, pictures: Path, tmp_path: Path) -> None:
    """Noise is none of the taught classes, unless `--no-reject` asks for an answer."""
    run("examples", "import", pictures / "taught")
    run("train")
    noise = tmp_path / "noise.png"
    save_png(noise, np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8))
    assert run("predict", noise, "--json")[1][0]["label"] is None
    assert run("predict", noise, "--no-reject", "--json")[1][0]["label"] in LABELS


@pytest.mark.parametrize("head", ["ridge", "softmax", "mlp", "knn", "prototype"])
def test_every_head_trains(run: Run, pictures: Path, head: str) -> None:
    """Each head can be chosen, says its name, and is what predict then uses."""
    run("examples", "import", pictures / "taught")
    code, result, _ = run("train", "--head", head, "--json")
    assert (code, result["head"]) == (0, head)
    file = next((pictures / "taught" / "up").rglob("*.jpg"))
    assert run("predict", file, "--no-reject", "--json")[1][0]["label"] == "up"


def test_import_keeps_the_good_and_names_the_bad(run: Run, pictures: Path, tmp_path: Path) -> None:
    """A folder with a file that is no picture: all good ones are kept, the bad one is named, exit 1."""
    folder = tmp_path / "mixed" / "up"
    folder.mkdir(parents=True)
    good = next((pictures / "taught" / "up").rglob("*.jpg")).read_bytes()
    folder.joinpath("good.jpg").write_bytes(good)
    folder.joinpath("bad.jpg").write_bytes(b"not a picture")
    code, _, err = run("examples", "import", tmp_path / "mixed")
    assert code == 1
    assert one_line(err)
    assert "bad.jpg" in err
    assert len(run("examples", "list", "--json")[1]) == 1


def test_export_and_import_again(run: Run, pictures: Path, tmp_path: Path) -> None:
    """What is exported imports into another profile with the same labels and takes."""
    run("examples", "import", pictures / "taught")
    assert run("examples", "export", tmp_path / "out", "--json")[1] == {"exported": 36}
    code, result, _ = run("examples", "import", tmp_path / "out", "--profile", "copy", "--json")
    assert (code, result["imported"], result["takes"]) == (0, 36, 9)


def test_rename_and_remove(run: Run, pictures: Path) -> None:
    """A class can take any name a person would give it, and be forgotten; so can one example and the last take."""
    run("examples", "import", pictures / "taught")
    assert run("examples", "rename", "up", "a/b 🙂")[0] == 0
    ids = [example["id"] for example in run("examples", "list", "--json")[1] if example["label"] == "a/b 🙂"]
    assert len(ids) == 12
    assert run("examples", "remove", "--id", ids[0], "--json")[1] == {"removed": 1}
    assert run("examples", "remove", "--label", "a/b 🙂", "--json")[1] == {"removed": 11}
    assert run("examples", "remove", "--last-take", "--json")[1] == {"removed": 4}


def test_generations_and_roll_back(run: Run, pictures: Path) -> None:
    """Every training is a generation, and roll-back goes to the one before."""
    run("examples", "import", pictures / "taught")
    run("train", "--head", "ridge")
    run("train", "--head", "knn")
    assert run("model", "roll-back")[0] == 0
    assert run("evaluate", "--json")[1]["head"] == "ridge"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("train",), "edge-tl teach"),
        (("evaluate",), "edge-tl teach"),
        (("predict", "x.jpg"), "edge-tl teach"),
        (("teach", "--camera", "sim"), "terminal"),
        (("play", "--no-camera"), "terminal"),
        (("demo", "--camera", "nowhere"), "nowhere"),
        (("examples", "import", "nowhere"), "nowhere"),
        (("examples", "rename", "up", "down"), "no profile"),
        (("train", "--profile", "x" * 300), "300"),
        (("train", "--model", "nowhere"), "nowhere"),
    ],
)
def test_expected_errors_are_one_line(run: Run, arguments: tuple[str, ...], says: str) -> None:
    """Each foreseeable mistake ends with exit 1 and one line that says what to do."""
    code, _, err = run(*arguments)
    assert code == 1
    assert one_line(err), err
    assert says in err


def test_predict_names_what_is_no_picture(run: Run, pictures: Path, tmp_path: Path) -> None:
    """A file that is no picture is named, the others are answered, exit 1."""
    run("examples", "import", pictures / "taught")
    run("train")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    good = next((pictures / "unseen").rglob("*.jpg"))
    code, answers, err = run("predict", bad, good, "--json")
    assert code == 1
    assert one_line(err)
    assert [answer["file"] for answer in answers] == [str(good)]


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"\x1c\x00\x00\x00TFL3" + bytes(64)])
def test_model_info_of_what_is_no_model(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes) -> None:
    """A missing, empty, foreign or truncated model file is one line."""
    file = tmp_path / "m.tflite"
    file.write_bytes(content)
    assert main(["model", "info", str(file)]) == 1
    assert one_line(capsys.readouterr().err)


def test_usage_errors_exit_with_2() -> None:
    """Wrong usage is argparse's exit code 2."""
    for arguments in ([], ["nonsense"], ["demo", "--seconds", "-1"], ["predict"], ["train", "--head", "magic"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ([], "edge-tl"),
        (["predict", "--look", "hand", "x.png"], "edge-tl predict"),
        (["fleet", "aside"], "edge-tl fleet aside"),
    ],
)
def test_wrong_usage_names_the_command_and_its_help(
    capsys: pytest.CaptureFixture[str], arguments: list[str], command: str
) -> None:
    """What is missing or unknown is said by the command that does not know it, with how to see what it takes."""
    with pytest.raises(SystemExit):
        main(arguments)
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"{command}: error: ")
    with pytest.raises(SystemExit) as stop:
        main([*command.split()[1:], "--help"])
    assert (stop.value.code, capsys.readouterr().out.split(" [")[0]) == (0, f"usage: {command}")


def test_doctor_and_model_info_answer(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """`doctor` looks at every part and `model info` describes the shipped model."""
    _, findings, _ = run("doctor", "--json")
    assert {"system", "numpy", "camera", "model", "data folder"} <= {finding["what"] for finding in findings}
    assert next(finding for finding in findings if finding["what"] == "model")["state"] == "ok"
    assert main(["model", "info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"]["weights"]["licence"]


def test_demo_prints_its_summary(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`demo --json` teaches itself, plays by recognition, and reports what it measured."""
    monkeypatch.setattr(demo, "clock", unhurried())
    code, result, _ = run("demo", "--json", "--seconds", "6")
    assert code == 0
    assert list(result) == [
        *("source", "look", "embedder", "head", "classes", "examples", "train_ms"),
        *("accuracy", "accuracy_random_split", "accuracy_tomorrow", "nothing_found", "passed_over"),
        *("beside", "tomorrow", "played"),
        *("fps", "latency_ms_p50", "latency_ms_p95", "score", "pellets_eaten", "steered_right_ratio", "voice"),
    ]
    assert result["accuracy"] > 0.7
    assert result["accuracy_tomorrow"] < result["accuracy"] - 0.2
    assert (result["look"], result["beside"], result["played"]) == ("frame", None, "today")
    assert result["steered_right_ratio"] > 0.6
    assert result["pellets_eaten"] > 0


def test_demo_of_a_folder(run: Run, data: Callable[[str], Path]) -> None:
    """`demo --camera FOLDER` teaches itself from real pictures and holds some back to be tested on."""
    code, result, _ = run("demo", "--camera", data("sign_digits"), "--json", "--seconds", "1")
    assert code == 0
    assert result["classes"] == list("012345")
    assert result["accuracy"] > 0.8


def test_version_and_help_need_no_model() -> None:
    """`--version` and `--help` answer without loading an interpreter."""
    code = "import sys\nfrom device.commands.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    check = "assert not {'ai_edge_litert', 'tflite_runtime', 'curses', 'av'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code + check], check=True, stdout=subprocess.DEVNULL)


def test_sessions_from_folders_to_figures(run: Run, pictures: Path, tmp_path: Path) -> None:
    """Folders of sessions are imported, listed, evaluated across sessions, renamed, exported, and removed."""
    for number, name in enumerate(("home", "work", "train")):
        for label in ("up", "left"):
            takes = sorted((pictures / "taught" / label).iterdir())
            shutil.copytree(takes[number], tmp_path / "all" / name / label / takes[number].name)
    code, result, _ = run("examples", "import", "--sessions", tmp_path / "all", "--json")
    assert code == 0
    assert result == {
        "imported": 24,
        "copies": 0,
        "bad": 0,
        "takes": 6,
        "sessions": [1, 2, 3],
        "nothing_found": 0,
    }
    listed = run("examples", "list")[1]
    assert re.search(r"8 examples in +2 takes +session 1 of \d{4}-\d\d-\d\d \d\d:\d\d +home", listed)
    trained = run("train", "--json")[1]
    assert trained["headline"]["kind"] == "session"
    assert trained["headline"]["accuracy"] == trained["accuracy_by_session"]
    assert run("model", "generations", "--json")[1][0]["accuracy"] == trained["accuracy_by_session"]
    result = run("evaluate", "--json")[1]
    assert [one["name"] for one in result["by_session"]["sessions"]] == ["home", "train", "work"]
    text = run("evaluate")[1]
    assert text.index("leave-one-session-out") < text.index("leave-one-take-out") < text.index("naive random split")
    assert run("examples", "rename", "--session", "work", "office ☕")[0] == 0
    code, _, err = run("examples", "rename", "--session", "9", "x")
    assert code == 1
    assert "no session is called '9'" in err
    assert run("examples", "export", tmp_path / "out")[0] == 0
    assert run("examples", "import", tmp_path / "out", "--profile", "copy")[0] == 0
    names = {one["session_name"] for one in run("examples", "list", "--profile", "copy", "--json")[1]}
    assert names == {"home", "train", "office ☕"}
    assert run("examples", "remove", "--session", 1, "--json")[1] == {"removed": 8}
    assert "home" not in run("examples", "list")[1]
    code, _, err = run("examples", "remove", "--session", 1)
    assert (code, run("examples", "remove", "--session", 77)[0]) == (1, 1)
    assert "no session is called '1'" in err
    assert run("examples", "remove", "--session", "office ☕", "--json")[1]["removed"] > 0


def test_an_import_is_a_session_named_like_its_folder(run: Run, pictures: Path) -> None:
    """Each folder that is imported is a session of its own."""
    for folder in ("taught", "unseen"):
        run("examples", "import", pictures / folder)
    listed = run("examples", "list", "--json")[1]
    assert [one["session_name"] for one in listed] == ["taught"] * 36 + ["unseen"] * 12
    assert [one["session"] for one in listed] == [1] * 36 + [2] * 12
