"""What a profile remembers beside its examples: one small file in its folder.

FOLDER/settings.json    {"format": 1,
                         "look": {"way": "box", "box": [0.2, 0.1, 0.8, 0.9], "hands": "largest"} or null,
                         "hearing": {"base": "speech", "unfrozen": 0} or null,
                         "embedder": "mobilenet_v2-1.0-160-2f9c1d3a4b5c" or null,
                         "tuning": {"smoothing_s": null, "on": 0.9, "off": null, "threshold": null},
                         "mirrored": false}

Before there was this file each of the first four had one of its own. What `settings.json` does not name is read from
there, and goes with the first write; so a part that is damaged takes no other with it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_tl.embedders.hearing import SPEECH, Hearing
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ConfigError, ProfileError
from edge_tl.files import DAMAGE, PRIVATE, read_limited, sync_folder, write_synced
from edge_tl.store.embedders import check_name
from edge_tl.store.tuning import Tuning

FILE_NAME = "settings.json"
FORMAT = 1
MAX_BYTES = 50_000
NEEDED = ("look", "hearing", "embedder")
"""Of the settings, those that a head depends on; thresholds may change under it."""


@dataclass(frozen=True)
class Settings:
    """What a profile remembers."""

    look: Look | None = None
    """The way to look that it was taught with; None where nobody chose one yet."""
    hearing: Hearing | None = None
    """What a profile of words listens with; None: it is one of pictures."""
    embedder: str | None = None
    """The name of the converted model that it looks with; None for the one that ships."""
    tuning: Tuning = field(default_factory=Tuning)
    """The thresholds that the console set."""
    mirrored: bool = False
    """Of movements: whether the camera gives its pictures mirrored, which is undone before they are taught or asked."""


@dataclass(frozen=True)
class _Part:
    """One of them: its file of before, None where it had none, how its value is read from JSON, and what mends it."""

    old: str | None
    parse: Callable[[Any], Any]
    """ValueError, TypeError or ConfigError for what was never written."""
    mend: str
    mend_own: str = ""
    """The same of its own file, where that is done otherwise."""


def read_settings(folder: Path, *names: str) -> Settings:
    """These parts of what a profile's folder remembers; the others, and what it never remembered, are as by default.

    ProfileError, one line, where one of these parts is damaged.
    """
    content = _content(Path(folder))
    return Settings(**{name: _read(Path(folder), content, name) for name in names})


def read_look(folder: Path) -> Look:
    """The way to look, `Look()` where nobody chose one; ProfileError where it is damaged."""
    return remembered_look(folder) or Look()


def remembered_look(folder: Path) -> Look | None:
    """The same, None where nobody chose a way to look yet."""
    return read_settings(folder, "look").look


def read_hearing(folder: Path) -> Hearing | None:
    """What is listened with, None for a profile of pictures; ProfileError where it is damaged."""
    return read_settings(folder, "hearing").hearing


def read_chosen(folder: Path) -> str | None:
    """The name of the converted model, None for the one that ships; ProfileError where it is damaged."""
    return read_settings(folder, "embedder").embedder


def read_tuning(folder: Path) -> Tuning:
    """The thresholds of the console; ProfileError where they are damaged."""
    return read_settings(folder, "tuning").tuning


def read_mirrored(folder: Path) -> bool:
    """Whether the camera of a profile of movements mirrors; ProfileError where that is damaged."""
    return read_settings(folder, "mirrored").mirrored


def needed(folder: Path) -> dict[str, Any]:
    """What a head that is trained now needs later: way to look, base and model, as JSON for `read_needed`."""
    found = asdict(read_settings(folder, *NEEDED))
    return {name: found[name] for name in NEEDED}


def read_needed(value: dict[str, Any]) -> Settings:
    """The settings that `needed` wrote; ProfileError for what it never wrote."""
    try:
        return Settings(**{name: _PARTS[name].parse(value[name]) for name in NEEDED if value.get(name) is not None})
    except DAMAGE as error:
        raise ProfileError("what this generation needs cannot be read: use another one, or train again") from error


def write_settings(folder: Path, **changes: Any) -> None:
    """Remember these fields of Settings, all at once, on disk when this returns; the others stay as they are.

    Whoever calls it holds the profile's lock. ProfileError where the file is damaged as a whole, of a newer edge-tl, or
    the disk does not take it; what was remembered before stays then.
    """
    folder = Path(folder)
    path, content = folder / FILE_NAME, _content(folder)
    said = asdict(Settings(**changes))
    content |= {name: said[name] for name in changes}
    for name in _PARTS:
        # A part that is damaged stays in its own file, and says so when it is asked for.
        with contextlib.suppress(ProfileError):
            if name not in content:
                content[name] = asdict(Settings(**{name: _read(folder, content, name)}))[name]
    named = [name for name in _PARTS if name in content]
    content = {"format": FORMAT} | {name: content[name] for name in named} | content
    fresh = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        write_synced(fresh, (json.dumps(content, indent=1) + "\n").encode(), PRIVATE)
        os.replace(fresh, path)
        sync_folder(folder)
    except OSError as error:
        raise ProfileError(
            f"{path} cannot be written ({error.strerror}): free some space or check the rights"
        ) from error
    with contextlib.suppress(OSError):  # what is left of them is not read any more
        for name in named:
            if (old := _PARTS[name].old) is not None:
                (folder / old).unlink(missing_ok=True)


def _content(folder: Path) -> dict[str, Any]:
    """What settings.json holds, nothing where there is none; ProfileError where it is no such file."""
    path = folder / FILE_NAME
    content = _json(path)
    if content is None:
        return {}
    if not isinstance(content, dict) or "format" not in content:
        raise ProfileError(
            f"{path} is damaged: take it from a backup, or remove it and say what it held again (`edge-tl examples "
            f"re-embed --look WAY`, `edge-tl model use FOLDER`; of words write {_WORDS} into {_PARTS['hearing'].old})"
        )
    if content["format"] != FORMAT:
        raise ProfileError(
            f"{path} has format {str(content['format'])[:20]!r}, this edge-tl reads {FORMAT}: upgrade edge-tl"
        )
    return content


def _read(folder: Path, content: dict[str, Any], name: str) -> Any:
    """One part, from settings.json or from its file of before; ProfileError where it is damaged."""
    part = _PARTS[name]
    own = name not in content
    path = folder / ((own and part.old) or FILE_NAME)
    value = content.get(name) if not own or part.old is None else _json(path)
    if value is None:
        return getattr(Settings(), name)
    try:
        return part.parse(_unwrapped(value, name) if own else value)
    except DAMAGE as error:  # ConfigError is a ValueError
        reason = f" ({error})" if isinstance(error, ConfigError) else ""
        where = "" if own else f", {name}"
        raise ProfileError(f"{path}{where} is damaged{reason}: {(own and part.mend_own) or part.mend}") from None


def _json(path: Path) -> Any:
    """What a small file holds, `...` where that is nothing of ours, None where there is none.

    ProfileError where it cannot be read.
    """
    try:
        value = json.loads(read_limited(path, MAX_BYTES))
        return ... if value is None else value
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.EFBIG:
            return ...
        raise ProfileError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    except (ValueError, RecursionError):
        return ...


def _unwrapped(value: Any, name: str) -> Any:
    """What settings.json would hold of what stands in a part's own file."""
    if name == "tuning":
        return value
    if (found := value.pop("format")) != FORMAT:
        raise ConfigError(f"its format is {str(found)[:20]}, this edge-tl knows {FORMAT}")
    return value["embedder"] if name == "embedder" else value


def _look(value: Any) -> Look:
    way, box, hands = value.pop("way"), value.pop("box"), value.pop("hands")
    if value or not isinstance(way, str) or not isinstance(hands, str):
        raise ValueError
    if box is None:
        return Look(way, None, hands)
    if not isinstance(box, list) or not all(type(share) in (int, float) for share in box):
        raise ValueError
    left, top, right, bottom = map(float, box)
    return Look(way, (left, top, right, bottom), hands)


def _hearing(value: Any) -> Hearing:
    base, unfrozen = value["base"], value.get("unfrozen", 0)
    if not isinstance(base, str) or type(unfrozen) is not int or not 0 <= unfrozen < 100:
        raise ValueError
    return Hearing(base, unfrozen)


def _mirrored(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError
    return value


_WORDS = json.dumps({"format": FORMAT, "base": SPEECH})
_PARTS = {
    "look": _Part("look.json", _look, "say the way to look again with `edge-tl examples re-embed --look WAY`"),
    "hearing": _Part(
        "hearing.json",
        _hearing,
        f'make it "hearing": {json.dumps(asdict(Hearing()))} there, or null for pictures',
        f"write {_WORDS} into it",
    ),
    "embedder": _Part("embedder.json", check_name, "choose the model again with `edge-tl model use FOLDER`"),
    "tuning": _Part(
        "tuning.json", Tuning.of, "the configured thresholds are used until others are set in the service's console"
    ),
    "mirrored": _Part(None, _mirrored, "say again with `edge-tl teach --mirrored` or --no-mirrored how the camera is"),
}
FILES = (FILE_NAME, *(part.old for part in _PARTS.values() if part.old is not None))
"""All that a profile's settings may lie in."""
