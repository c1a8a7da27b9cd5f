"""Training below the head, on the device: bases that are adapted, and the networks that they start from.

Read in this order: picture_base, adaptation, handwriting.
"""
