"""What words need beside a head: cut out, varied, and counted against hours in which nobody says them.

Read in this order: utterance, augment, spoken, others, alarms.
"""
