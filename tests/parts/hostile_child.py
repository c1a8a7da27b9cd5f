"""A process that reads one thing twice: first a good one, then a hostile one; it prints what the second took.

Arguments: the reader, the folder of the good one, the folder of the hostile one. Prints the memory in kB by which its
peak grew, and the error.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

from hostile import READERS

if __name__ == "__main__":
    reader, good, bad = READERS[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
    with contextlib.suppress(reader.error):  # some good ones are junk
        reader.read(good)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = ""
    try:
        reader.read(bad)
    except reader.error as error:
        said = str(error)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, said)
