"""Measurements: `python -m benchmarks.run` against the peers, `python -m benchmarks.prove` on real pictures."""
