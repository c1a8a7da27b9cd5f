"""The peers' side, one file each; run in the peer's environment, so each imports the standard library and its peer."""
