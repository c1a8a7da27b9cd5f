"""What the console says to somebody with a phone in the hand: no command to type, no key to press.

The library and the command line name the command that mends a thing. Whoever holds a phone has no terminal: here each
such hint becomes what the console can do, or says that whoever looks after the device can do it.
"""

from __future__ import annotations

import re
from typing import Any

SENTENCES = frozenset(
    ("error", "fault", "teaching", "last_error", "said", "notice", "looking", "silent", "cautions", "advice")
)
"""The keys of answers whose texts are sentences of ours; all other texts are names, and stay as they are."""
KEEPER = "the person who looks after the device can fix that"
FIRST = "hold the button of a class first, or give it files"
_HINTS = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"^\S*generations has no whole generation", "there is no whole generation"),
        (
            r"only one that looks at the whole frame can be exported",
            "choose the whole picture under Settings, press Train, and try again",
        ),
        (r"(settings\.json is damaged): take it from a backup.*", rf"\1: {KEEPER}"),
        (r"(lessons\.sqlite is damaged \([^)]*\)): move it away.*", rf"\1: {KEEPER}"),
        (r"teach another class, or use \w+ or \w+", "add a second class"),
        (r", or train (?:with|without them by) --force", ""),
        (r", then (?:ls /\S+|rpicam-hello --list\S*)", ""),
        (r", check `arecord -l`, or give --mic FILE\.wav", ""),
        (r"was taught with --look (\S+), not (\S+): .*", r"was taught to look at \1, not \2: choose it under Settings"),
        (r"(?:run|make one with) `edge-tl teach[^`]*`(?: first)?(?:, or `edge-tl examples import[^`]*`)?", FIRST),
        (r"teach some first \(`edge-tl teach`[^)]*\)", FIRST),
        (
            r"train another one with `edge-tl train --head (\w+)`",
            r"choose \1 under Settings, press Train, and try again",
        ),
        (
            r"take that model again with `edge-tl model use PATH`, or this one with `edge-tl examples re-embed`"
            r"(?:, then `edge-tl train`)?",
            KEEPER,
        ),
        (
            r"(?:`sudo apt install flite`, )?`edge-tl examples type [^`]*`, then `edge-tl train`",
            "type it above and press Have it spoken, then Train",
        ),
        (r"(?:run )?`edge-tl train`( again)?", r"press Train\1"),
        (r"remove it with `edge-tl examples remove --id (\d+)`", r"delete example \1 under Examples"),
        (r"`edge-tl examples remove --id (\d+)` and import it again", r"delete example \1 and give it again"),
        (r"`edge-tl examples list` shows those there are", "look under Examples which there are"),
        (r"no models of ([\w ]+): `edge-tl model get \w+`", rf"no models of \1 are installed yet: {KEEPER}"),
        (r"get it with `edge-tl model get \w+`", "the person who looks after the device can install it"),
        (r"(?<=this |ewer )edge-tl\b", "version"),
        (r"\bedge-tl (?=makes\b|where\b)", "the program "),
    )
)
_TYPED = re.compile(
    r"`[^`]*`|(?<![\w'\"-])--[a-z]|\bsudo |\bpip3?\b|\barecord\b|\brpicam-hello\b|\bmake clean\b|\bls /|\bedge-tl[ -]\w"
)
"""What is left of a terminal after that."""
_CLAUSE = re.compile(r"(?<=[;:]) ")


def on_phone(text: str) -> str:
    """A sentence of ours for a phone: a clause that asks for a terminal becomes what can be done without one."""
    for pattern, said in _HINTS:
        text = pattern.sub(said, text)
    if not _TYPED.search(text):
        return text
    clauses: list[str] = []
    for clause in _CLAUSE.split(text):
        end = clause[-1] if clause[-1:] in ";:" else ""
        clauses.append(KEEPER + end if _TYPED.search(clause) else clause)
    kept = [one for at, one in enumerate(clauses) if not at or one.rstrip(";:") != clauses[at - 1].rstrip(";:")]
    return " ".join(kept).rstrip(";:")


def answer_on_phone(value: Any, sentence: bool = False) -> Any:
    """An answer, JSON-able, with every sentence in it as `on_phone` says it; names and figures as they are.

    sentence: whether a text at the top is one.
    """
    if isinstance(value, dict):
        return {key: answer_on_phone(part, key in SENTENCES) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [answer_on_phone(part, sentence) for part in value]
    return on_phone(value) if sentence and isinstance(value, str) else value
