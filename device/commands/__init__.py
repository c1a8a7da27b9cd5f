"""The commands of `edge-tl`, one file each, imported only when they are called."""
