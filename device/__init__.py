"""The appliance on the Pi: cameras, screens, Pac-Man, and the `edge-tl` command."""
