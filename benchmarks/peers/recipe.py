"""The textbook's recipe, which everyone with a network follows: dense(100), Adam, twenty epochs. Numbers alone."""

UNITS, EPOCHS, RATE = 100, 20, 1e-4
BATCH_SHARE = 0.4
"""Of the examples."""

# Frigate's published classifier of states and objects (frigate/util/classification.py): MobileNetV2 α .35 at 224 px,
# global average pooling, dense(128), dropout, softmax; a fifth of the pictures is held back and used for nothing.
FRIGATE_UNITS, FRIGATE_DROPOUT, FRIGATE_EPOCHS, FRIGATE_BATCH, FRIGATE_RATE = 128, 0.3, 50, 16, 1e-3
FRIGATE_HELD, FRIGATE_PX, FRIGATE_ALPHA = 0.2, 224, 0.35
