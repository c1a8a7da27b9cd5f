"""The tutorials can be followed: their programs run, their configuration is good, what they name is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from places import ROOT

FOLDER = ROOT / "docs" / "tutorials"


def run(folder: Path, *words: str) -> list[str]:
    """The lines that a program says in a folder; it ends well."""
    places = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()


def test_the_programs_of_the_script_tutorial_run(tmp_path: Path) -> None:
    """Pictures are drawn, learned and kept, and another process names those of takes that were not taught."""
    page = (FOLDER / "script.md").read_text()
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).write_text(code)
    assert run(tmp_path, "draw.py") == []
    said = run(tmp_path, "learn.py")
    assert said[0].startswith("96 pictures of 12 takes, trained in ")
    assert re.fullmatch(r"accuracy on held-out takes: \d+%; a random split would claim 100%", said[1])
    new = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("new/*/*/0.jpg"))
    answers = run(tmp_path, "ask.py", *map(str, new))
    assert len(answers) == 4
    assert sum(f": {path.parts[1]} (" in line for path, line in zip(new, answers, strict=True)) >= 2


def test_the_configuration_of_the_service_tutorial_is_good(tmp_path: Path) -> None:
    """`serve --check` has nothing against it."""
    (config,) = re.findall(r"```toml\n(.*?)```", (FOLDER / "service.md").read_text(), re.DOTALL)
    (tmp_path / "edge-tl.toml").write_text(config)
    code = "import sys; from device.commands.main import main; sys.exit(main(['serve', '--check']))"
    assert run(tmp_path, "-c", code) == ["the configuration is good: signs"]


def test_what_the_service_tutorial_asks_for_can_be_asked() -> None:
    """Each action that its script posts is one of the service's."""
    from device.serve.actions import ACTIONS

    posted = set(re.findall(r"\bpost ([a-z-]+)", (FOLDER / "service.md").read_text()))
    assert posted == {"record", "release", "train"}
    assert posted <= set(ACTIONS)
