"""What was taught as one TFLite file for any runtime, without TensorFlow.

Read in this order: fuse (writes it), fused (reads it).
"""
