"""A small training engine in NumPy: layers with backward passes, losses, Keras' optimizers, and one loop.

Read in this order: layers, windows, convolution, depthwise, pooling, normalisation, losses, optimizers, folding,
network, training, memory. It is the only place with backward passes; what learns by gradient (the MLP head, fine-tuning
below the head) is built of it.

Pictures are (N, height, width, channels), rows are (N, D); float32 in use, float64 where gradients are checked.
"""

from edge_tl.nn.convolution import Conv2D
from edge_tl.nn.depthwise import DepthwiseConv2D
from edge_tl.nn.layers import Dense, Dropout, Flatten, Layer, ReLU
from edge_tl.nn.losses import CrossEntropy, Joint, Loss, MeanSquared
from edge_tl.nn.network import Network
from edge_tl.nn.normalisation import BatchNorm
from edge_tl.nn.optimizers import SGD, Adam, Cosine, Optimizer, RMSProp
from edge_tl.nn.pooling import MaxPool
from edge_tl.nn.training import Epoch, fit

__all__ = [
    "SGD",
    "Adam",
    "BatchNorm",
    "Conv2D",
    "Cosine",
    "CrossEntropy",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Epoch",
    "Flatten",
    "Joint",
    "Layer",
    "Loss",
    "MaxPool",
    "MeanSquared",
    "Network",
    "Optimizer",
    "RMSProp",
    "ReLU",
    "fit",
]
