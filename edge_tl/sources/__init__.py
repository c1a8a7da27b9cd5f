"""Where frames and sound come from without a device: files, and a simulated player that is drawn.

Read in this order: folder, wav, simulated, drawn_head, drawn_hand, drawn_room.
"""
