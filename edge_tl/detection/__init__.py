"""Where in a picture a thing is, and what it is: a label, a confidence and a box for each thing that was found.

Read in this order: found, then what learns to find (answers, detector), the drawn task it is proved on (scenes), and
detectors of other makers (suppress, ssd_anchors, ssd), and one of your own thing (windows, few, judging).
Boxes are (left, top, right, bottom) in pixels of the picture as it came.
"""
