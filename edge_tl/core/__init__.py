"""The words that the whole library speaks, and the arithmetic under them: NumPy alone.

Read in this order: examples, answers, restoring, absent, features, gram, folds, metrics, boxes, kept, timing;
archive, hashed_folder.
"""
