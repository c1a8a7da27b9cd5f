"""Where the models that find hands and faces are: in the data folder, or beside the program, for every data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge_tl.embedders.look.models import ALL, is_installed, parts_of

IN_ENVIRONMENT = Path("share/edge-tl/models")
"""Where models are in an environment."""
VARIABLE = "EDGE_TL_MODELS"
"""Names another shared folder, where the program's own can hold none (a read-only image)."""


def shared_folder() -> Path:
    """The folder of models that all data folders share.

    It belongs to the environment that edge-tl is installed in. So whoever may install the program may bring its models
    along, once for all users and data folders; the service, which may read `/opt/edge-tl` and write nothing there, has
    them too; and they go when the environment goes. The data folder could not do this: it is one user's, and
    `--data-dir` names any number of others.
    """
    return Path(os.environ.get(VARIABLE) or Path(sys.prefix) / IN_ENVIRONMENT)


def folders_of_models(data_dir: Path) -> tuple[Path, Path]:
    """Where models are looked for, in this order."""
    return data_dir / "models", shared_folder()


def folder_of_models(data_dir: Path, which: str = ALL) -> Path:
    """The first folder in which the models of `hands`, of `face` or `all` are installed, whole and unharmed.

    Where none has them: the one that holds something of them, which then is damaged or not all; else where they will
    be put. Never an error: who opens a model says that it is not there.
    """
    folders, parts = folders_of_models(data_dir), parts_of(which)
    for folder in folders:
        if all(is_installed(folder, part) for part in parts):
            return folder
    for folder in folders:
        if any(os.path.exists(folder / part.name) for part in parts):
            return folder
    return folder_to_fill(data_dir)


def has_models(data_dir: Path, which: str = ALL) -> bool:
    """Whether the models of `hands`, of `face` or `all` are installed in one of the folders."""
    folder = folder_of_models(data_dir, which)
    return all(is_installed(folder, part) for part in parts_of(which))


def folder_to_fill(data_dir: Path) -> Path:
    """Where models are put: into the shared folder where it may be written, else into the data folder."""
    shared = shared_folder()
    there = next(folder for folder in (shared, *shared.absolute().parents) if os.path.exists(folder))
    return shared if there.is_dir() and os.access(there, os.W_OK | os.X_OK) else data_dir / "models"
