"""The appliance on the Pi: cameras, screens, Pac-Man, and the `edge-tl` command."""

import os

# Before NumPy is loaded, and only where nobody chose otherwise. The head's matrices are small: with two OpenBLAS
# threads on two cores that also read the camera, training 240 examples took 200 to 1100 ms, with one 40 to 50.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
