"""Conversion, verification and reference training on a host: the only home of TensorFlow."""
