"""Pictures and sounds as files and as arrays: decoded, cut, resampled, and made ready for a network.

Read in this order: image, wav, resample, frontend, sound, spectrum, tfjsscds.
"""
