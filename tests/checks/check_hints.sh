#!/usr/bin/env bash
# make check-hints: every command that messages, README and pages tell a reader to type is run on a bare Debian.
exec "$(dirname "$0")/bare_root.sh" check-hints check_hints_inside.py
