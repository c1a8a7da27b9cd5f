"""What one device teaches others: signed lessons, and what a head is taught of them. No network.

keys      who signs          lesson    one take's rows, signed      wire     in pieces, and whole again
pooling   own examples and lessons as one set of examples           judging  how well others' lessons do here
summed_answers   the same judged by sums, without a fit for each question
"""
