"""Cameras and microphones: opened by name, read by a thread that only copies, reopened where they went away.

Read in this order: choose, picamera, usb, v4l2, pixels, microphone, newest, reconnect, rotated.
"""
