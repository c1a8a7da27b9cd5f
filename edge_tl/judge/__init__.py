"""What a trained head is worth, said honestly: what is left out, how sure it may be, and what to record next.

Read in this order: evidence, calibration, validation, evaluation, confidence, learning_curve,
projection, guide, expected.
"""
