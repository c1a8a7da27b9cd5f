"""Pac-Man: pure rules (maze, ghosts, game) and, apart from them, a screen."""
