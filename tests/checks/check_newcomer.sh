#!/usr/bin/env bash
# make check-newcomer: what the README asks a newcomer to type, on a bare Debian, by a user who is not root, each step timed.
exec "$(dirname "$0")/bare_root.sh" check-newcomer check_newcomer_inside.py
