"""One loop from a frame or a second of sound to what was taught or recognized, without a screen.

Read in this order, after edge_tl/line: detect_line, recorder, lesson, looking, notice, silence, resume,
players, steering, thresholds; boxed, box_lesson; rehearsal, compare_embedders.
"""
