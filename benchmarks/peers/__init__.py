"""edge-tl beside every peer, in one run: `make bench-peers`, or `python -m benchmarks.peers [PART ...]`.

Each peer lives in an environment of its own (`environments.py`) and answers lines of JSON (`protocol.py`, its side in
`children/`), so that contenders of several processes take turns (`rounds.py`). What is absent is left out, with the
reason.
"""
