"""Find the hand or the face first, then embed it: what still works tomorrow, elsewhere, and for another person.

Read in this order: region, anchors, detect, hand, face, embedders; models says where the .tflite files come from.

**Nothing there.** An embedder that looks for something and finds nothing gives an embedding of zeros, which nothing
that is there can have. It is an embedding like any other: it is stored, exported, re-embedded. The Recognizer honours
it: such a picture is answered with no label (`known` is False), so that it never steers.
"""
