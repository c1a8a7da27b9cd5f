"""How other programs lay out their pictures: which layout a folder has, and a small reader for each."""
