"""edge-tl: teach a Raspberry Pi new gestures and new words, on the Pi itself, in seconds."""
