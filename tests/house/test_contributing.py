"""What whoever contributes is told is so: the hooks, the workflow, and the commands of CONTRIBUTING.md."""

from __future__ import annotations

import re
import tomllib

from places import ROOT

HOOKS = (ROOT / ".pre-commit-config.yaml").read_text()
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
PAGES = [(ROOT / name).read_text() for name in ("CONTRIBUTING.md", "SECURITY.md")]


def targets() -> set[str]:
    """What make can be asked for."""
    return set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_hooks_are_local_and_call_what_is_there() -> None:
    """No hook is fetched; each calls a program that the extra `dev` or the Makefile brings, on files that there are."""
    assert re.findall(r"^ *- repo: (.+)$", HOOKS, re.MULTILINE) == ["local"]
    assert "://" not in HOOKS
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    brought = {re.split(r"[<>=]", one)[0] for one in dev} | {"python"}
    entries = re.findall(r"^ +entry: (.+)$", HOOKS, re.MULTILINE)
    assert len(entries) == HOOKS.count("language: system") == 5
    for entry in entries:
        program, *words = entry.split()
        if program == "make":
            assert words[-1] in targets()
        else:
            assert program.removeprefix(".venv/bin/") in brought
    for file in re.findall(r"tests/[\w/]+\.py", HOOKS):
        assert (ROOT / file).is_file(), file


def test_the_workflow_does_what_ci_does() -> None:
    """It runs `.ci/run` and nothing beside it but what makes a checkout; it may write nothing."""
    runs = re.findall(r"^ +- run: (.+)$", WORKFLOW, re.MULTILINE)
    assert runs[-1] == ".ci/run"
    assert [one.split()[0] for one in runs[:-1]] == ["apt-get", "git"]
    assert re.findall(r"uses: (\w+/\w+)@", WORKFLOW) == ["actions/checkout"]
    assert "permissions:\n  contents: read\n" in WORKFLOW
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_pages_name_what_make_knows() -> None:
    """Each `make …` of the two pages is a target, and neither page holds an address that nobody reads."""
    named = set(re.findall(r"(?:`|^)make ([a-z][\w-]+)", "\n".join(PAGES), re.MULTILINE))
    assert {"docs-commands", "lock", "lint", "test", "dist", "check-hostile"} <= named
    assert named <= targets()
    assert not re.search(r"[\w.]+@[\w-]+\.\w+", "".join(PAGES))
