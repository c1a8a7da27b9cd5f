"""One way to roll a fleet out: the playbook of examples/fleet, run by Ansible on three devices that are folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

from benchmarks.serving import CODE
from device.serve.config import parse_config
from edge_tl.fleet.keys import key_of, key_text
from edge_tl.models import default_model
from edge_tl.store.profile import Profile

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
FOLDER = ROOT / "examples" / "fleet"
PROGRAM = os.environ.get("EDGE_TL_ANSIBLE", str(ROOT / ".venv-ansible" / "bin" / "ansible-playbook"))
needs_ansible = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="Ansible is not installed: make check-rollout")
NAMES, OTHER = ("kitchen", "desk", "shelf"), "ab" * 32


def play(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the playbook on folders in the place of devices, by this user and this edge-tl."""
    run = folder / "edge-tl"
    run.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c "{CODE}" "$@"\n')
    run.chmod(0o755)
    lines = [f"{name} data_dir={folder / name} configuration={folder / name / 'edge-tl.toml'}" for name in NAMES]
    more = f"ansible_python_interpreter={sys.executable} as_root=false service=false edge_tl={run}"
    more += " fleet_name=house broker=127.0.0.1 camera=sim look=frame"
    inventory = folder / "inventory.ini"
    inventory.write_text("[fleet]\n" + "\n".join(lines) + "\n")
    for name in NAMES:
        (folder / name).mkdir(exist_ok=True)
    return subprocess.run(
        [PROGRAM, "-i", str(inventory), "-c", "local", str(FOLDER / "playbook.yml"), "-e", more, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ
        | {"ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_LOCALHOST_WARNING": "false", "LC_ALL": "C.UTF-8"},
        timeout=300,
        check=False,
    )


@needs_ansible
def test_every_device_gets_the_keys_of_the_others_and_the_base_model(tmp_path: Path) -> None:
    """Each configuration is valid and trusts the other two; a second time nothing changes; a mistake leaves what was;
    and a base model goes to all and re-embeds what was recorded."""
    first = play(tmp_path, "--tags", "configuration", "-e", "hub=desk")
    assert first.returncode == 0, first.stdout + first.stderr
    for name in NAMES:
        config = parse_config((tmp_path / name / "edge-tl.toml").read_text())
        assert config.fleet is not None
        others = {other: key_text(key_of(tmp_path / other / "fleet-key").public) for other in NAMES if other != name}
        assert config.fleet.trusted == others
        assert (config.fleet.device, config.fleet.hub) == (name, "desk")
    again = play(tmp_path, "--tags", "configuration", "-e", "hub=desk")
    assert again.stdout.count("changed=0") == len(NAMES), again.stdout
    before = (tmp_path / "desk" / "edge-tl.toml").read_bytes()
    wrong = play(tmp_path, "--tags", "configuration", "-e", "hub=nobody")
    assert wrong.returncode != 0
    assert "is neither in trusted" in wrong.stdout
    assert (tmp_path / "desk" / "edge-tl.toml").read_bytes() == before
    for name in NAMES:
        with Profile(tmp_path / name / "profiles" / "default", writable=True) as profile:
            profile.store.add(profile.store.new_take("up"), np.full((32, 32, 3), 99, np.uint8), np.ones(4), OTHER)
    models = play(tmp_path, "--tags", "model", "-e", f"base_model={default_model()}")
    assert models.returncode == 0, models.stdout + models.stderr
    for name in NAMES:
        assert (tmp_path / name / default_model().name).exists()
        with Profile(tmp_path / name / "profiles" / "default") as profile:
            assert [one.fingerprint == OTHER for one in profile.store.list()] == [False]
