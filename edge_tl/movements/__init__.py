"""Movements of a hand: a swipe, a circle, a wave, taught by a few demonstrations and found in a stream of landmarks.

Track (landmarks with time stamps) → windows of 16 moments → MovementHead | Spotter. Nothing is trained beforehand.
"""
