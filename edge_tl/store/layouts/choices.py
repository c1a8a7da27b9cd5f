"""What a person may say of a folder, apart from what reads it: the command line shows it before anything is loaded."""

LAYOUTS = (
    *("classes", "sessions", "splits", "names", "nested"),
    *("yolo", "voc", "labelme", "audacity", "webdataset", "lists", "edge-impulse", "teachable-machine"),
)
"""How a folder is laid out, as `--layout` takes it; `registry` says what each is."""
SPLITS = ("merged", "sessions")
"""What becomes of train, valid and test: all one, or each a session."""
