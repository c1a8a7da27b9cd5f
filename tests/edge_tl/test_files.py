"""What a damaged archive raises is known, so that every reader of one can end in one line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from edge_tl.files import ARCHIVE_DAMAGE


@pytest.mark.parametrize("on_disk", [False, True], ids=["bytes", "file"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_whichever_byte_is_changed_the_kinds_of_errors_are_known(method: int, on_disk: bool, tmp_path: Path) -> None:
    """Any byte of an archive set to small, large and telling values: it is read, or what is raised is in the list."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr("lábels.txt", "left\nright\n" * 3)
        archive.writestr("b.bin", bytes(range(20)))
    whole, raised = made.getvalue(), set()
    path = tmp_path / "a.zip"
    for place in range(len(whole)):
        for value in (0, 1, 8, 9, 12, 14, 127, 255):  # among them the numbers of the methods
            spoilt = whole[:place] + bytes([value]) + whole[place + 1 :]
            if on_disk:
                path.write_bytes(spoilt)
            try:
                with zipfile.ZipFile(path if on_disk else io.BytesIO(spoilt)) as archive:
                    for member in archive.infolist():
                        with archive.open(member) as file:
                            file.read(1000)
            except ARCHIVE_DAMAGE as error:
                raised.add(type(error))
    assert {zipfile.BadZipFile, NotImplementedError} <= raised
