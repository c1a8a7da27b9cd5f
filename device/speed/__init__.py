"""How fast this machine is: what a Raspberry Pi will do by published figures, what this one does, and what is chosen.

Read in this order: boards, costs, measured, chosen.
"""
