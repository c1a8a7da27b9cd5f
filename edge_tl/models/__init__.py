"""The embedders that ship with edge-tl, each with its manifest and model card."""
