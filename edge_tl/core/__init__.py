"""The words that the whole library speaks, and the arithmetic under them: NumPy alone.

Read in this order: examples, answers, absent, features, gram, growing, folds, metrics, boxes, rounding, timing;
archive, hashed_folder.
"""
