"""TFLite files without TensorFlow: read, cut, built from weights, quantised, and fused with what was trained.

Read in this order: flatbuffer, schema, surgery, graph, hdf5, torch_weights, weights, mobilenet, building, quantizing,
unfreeze, lowering, fuse, fused.
"""
