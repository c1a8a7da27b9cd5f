"""The embedder that ships with edge-tl: one folder with a manifest, a .tflite file and its model card."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from edge_tl.errors import ModelError, counted
from edge_tl.tflite.manifest import FILE_NAME


def default_model() -> Path:
    """The folder of the embedder that ships in the package; ModelError where the installation lacks it."""
    home = Path(str(files(__name__)))
    folders = sorted(path.parent for path in home.glob(f"*/{FILE_NAME}"))
    if len(folders) != 1:
        raise ModelError(
            f"{home}: holds {counted(len(folders), 'model')}; one is shipped: run `make models` or install again"
        )
    return folders[0]
