"""One loop from a frame or a second of sound to what was taught or recognised, without a screen.

Read in this order: picture_line, sound_line, detect_line, pace, holding, recorder, lesson, looking, notice, resume,
players, steering, thresholds; boxed, box_lesson; rehearsal, compare_embedders.
"""
