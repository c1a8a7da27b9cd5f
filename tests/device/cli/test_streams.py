"""Output that closes, is closed or is full: the right exit code, at most one line, and never a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest
from places import ROOT

COMMAND = f"{sys.executable} -W error -c 'import sys; from device.commands.main import main; sys.exit(main())'"
HOST = COMMAND.replace("device.commands.main", "host_tools.cli")
LOST = "edge-tl: the output cannot be read or written ({}): check it and try again\n"
CLOSED, FULL = LOST.format("Bad file descriptor"), LOST.format("No space left on device")


def in_a_shell(command: str, words: str) -> subprocess.CompletedProcess[str]:
    """A command line as a person types it; the exit code is the command's, not that of what reads it."""
    arguments, bar, reader = words.partition("|")
    line = f"{command} {arguments}" + (f"{bar}{reader}; exit ${{PIPESTATUS[0]}}" if bar else "")
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=ROOT, timeout=60)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("--version | true", 0, ""),
        ("--help | true", 0, ""),
        ("play --help | head -n 0", 0, ""),
        ("--version >&-", 1, CLOSED),
        ("--help >&-", 1, CLOSED),
        ("examples list --json --profile none >&-", 1, None),
        ("--help >/dev/full", 1, FULL),
        ("--version >/dev/full", 1, FULL),
        ("train --help >/dev/full", 1, FULL),
        ("nonsense 2>&-", 2, ""),
        ("nonsense 2>/dev/full", 2, ""),
        ("--version 2>&- <&- >/dev/null", 0, ""),
        ("teach <&- >&- 2>&-", 1, ""),
    ],
)
def test_lost_output_is_told_once_and_by_the_exit_code(words: str, status: int, said: str | None) -> None:
    """In a shell, as a person types it; the exit code is that of `edge-tl` and not of what reads it."""
    ended = in_a_shell(COMMAND, words)
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert ended.stderr == said if said is not None else ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("--version | true", 0, ""),
        ("convert image --help | head -n 0", 0, ""),
        ("--version >&-", 1, CLOSED),
        ("--help >/dev/full", 1, FULL),
        ("nonsense 2>&-", 2, ""),
    ],
)
def test_the_hosts_commands_lose_no_output_unsaid(words: str, status: int, said: str) -> None:
    """`edge-tl-host` keeps to the same."""
    ended = in_a_shell(HOST, words)
    assert ended.returncode == status, ended.stderr
    assert ended.stderr == said.replace("edge-tl", "edge-tl-host", 1)


def test_a_closed_descriptor_is_never_a_files() -> None:
    """With its output closed the first file that is opened has another number: what is printed goes into no file."""
    code = "import sys; from edge_tl.files import fill_closed; fill_closed(); "
    code += "print(open('/dev/null').fileno() > 2, file=sys.stderr)"
    ended = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "$0" >&- <&-', code], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert ended.stderr == "True\n"
