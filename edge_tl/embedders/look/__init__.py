"""Find the hand or the face first, then embed it: what still works tomorrow, elsewhere, and for another person.

Read in this order: choices, region, anchors, palm_and_face, hand, any_side, face, made_hands, embedders, both, ways;
models says where the .tflite files come from, marks what a screen draws over the picture.

**Nothing there.** An embedder that looks for something and finds nothing gives an embedding of zeros, which nothing
that is there can have. It is an embedding like any other: it is stored, exported, re-embedded. The Recognizer honours
it: such examples teach a head nothing, and such a picture is answered with no label (`known` is False), so that it
never steers. A class most of whose examples are zeros is what "nothing there" is called: then that is the answer.
"""
