"""Frozen networks that turn a picture or a second of sound into the numbers a head learns from.

Read in this order: tflite (pictures), then look (hands and faces first); mel, windows, speech, speech_base, browser,
stream, hearing (sound).
"""
