"""The tests marked `exact` under each of OpenBLAS' kernels, as on other people's processors; arguments: more Pythons.

A sum of products is rounded in the order in which a kernel adds, and kernels differ by processor and by the number of
threads. Each Python that is given has another NumPy with another OpenBLAS; this one is always tried. For kernels of
processors without AVX-512 NumPy's own loops do without it too. A kernel that cannot be had here is named and left out.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "tests" / "parts"
sys.path.insert(0, str(PARTS))
from nearness import nearest  # noqa: E402

KERNELS = {"Nehalem": "1", "Sandybridge": "1", "Haswell": "12", "Zen": "1", "SkylakeX": "12"}
"""Kernels, from those of the oldest processors on, and with how many threads they are tried."""
CLOSE = 0.3
"""Comparisons that use more of their bound than this are listed."""
PROBE = """
import json, numpy, threadpoolctl
try:
    from numpy._core import _multiarray_umath as loops
except ImportError:
    from numpy.core import _multiarray_umath as loops
numpy.ones((300, 300), numpy.float32) @ numpy.ones((300, 300), numpy.float32)
blas = [one for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"][:1]
wide = [one for one in loops.__cpu_dispatch__ if loops.__cpu_features__[one] and ("AVX512" in one or one == "X86_V4")]
print(json.dumps([numpy.__version__, blas[0]["architecture"], blas[0]["version"], wide] if blas else None))
"""


def environment(kernel: str, threads: str) -> dict[str, str]:
    """The environment of a process that computes with these kernels."""
    return os.environ | {"OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": threads}


def run(python: str, kernel: str, threads: str, wide: list[str]) -> tuple[bool, str, list[tuple[float, str]]]:
    """Whether the tests passed, pytest's last line or its failures, and how near the bounds they came."""
    with tempfile.TemporaryDirectory() as folder:
        env = environment(kernel, threads)
        env |= {"NEARNESS": folder, "PYTHONPATH": os.pathsep.join((str(PARTS), str(ROOT)))}
        if kernel != "SkylakeX" and wide:
            env["NPY_DISABLE_CPU_FEATURES"] = " ".join(wide)
        workers = max(1, (os.cpu_count() or 1) // int(threads))
        command = [
            python,
            "-m",
            "pytest",
            "-p",
            "nearness",
            "-p",
            "no:cacheprovider",
            "-m",
            "exact",
            "-n",
            str(workers),
        ]
        ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        counts = re.findall(r"^(?:=+ )?(\d+ \w+.*) in [\d.]+s", ran.stdout, re.MULTILINE)
        failures = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        if not counts:
            failures.append((ran.stdout + ran.stderr).strip()[-2000:])
        return (
            ran.returncode == 0,
            "\n".join([counts[-1] if counts else "nothing ran", *failures]),
            nearest(Path(folder)),
        )


def main(pythons: list[str]) -> int:
    """Print a line for each kernel and number of threads; 1 where a test failed, or nothing could be tried."""
    print(f"{'NumPy':8} {'OpenBLAS':14} {'kernels':11} {'threads':7}  {'time':>7}  {'result'}")
    results: list[bool] = []
    close: dict[str, float] = {}
    for python in dict.fromkeys(pythons):
        tried: set[str] = set()
        for kernel in KERNELS:
            probe = subprocess.run(
                [python, "-c", PROBE], env=environment(kernel, "1"), capture_output=True, text=True, check=False
            )
            if probe.returncode == -signal.SIGILL:
                print(f"{'':23} {kernel:11} left out: this processor cannot run them")
                continue
            if probe.returncode:
                print(f"{python}: {probe.stderr.strip().splitlines()[-1]}")
                results.append(False)
                break
            if (found := json.loads(probe.stdout)) is None:
                print(f"{python}: its NumPy is not built with OpenBLAS, so there are no kernels to choose")
                break
            numpy, architecture, version, wide = found
            start = f"{numpy:8} {version:14} {kernel:11}"
            if architecture != kernel or architecture in tried:
                print(f"{start} left out: this OpenBLAS has {architecture}'s in their place")
                continue
            tried.add(architecture)
            for threads in KERNELS[kernel]:
                begun_s = time.monotonic()
                passed, said, near = run(python, kernel, threads, wide)
                took_s = time.monotonic() - begun_s
                print(f"{start} {threads:>7}  {took_s:5.0f} s  {'passed' if passed else 'FAILED'}: {said}", flush=True)
                results.append(passed)
                for share, place in near:
                    close[place] = max(close.get(place, 0.0), share)
    print(f"comparisons that used more than {CLOSE:.0%} of their bound:")
    for place, share in sorted(close.items(), key=lambda one: -one[1]):
        if share > CLOSE:
            print(f"{share:8.2f}  tests/{place}")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main([sys.executable, *sys.argv[1:]]))
