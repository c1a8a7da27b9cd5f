"""Sound: from a microphone or a file to the embedding of a second, and from probabilities to words that are told.

Read in this order: audio, mel, windows, resample, wav, sound, wav_source, spectrum, embedding, base, browser, stream,
hearing, utterance, augment, spoken, tfjsscds, others, listening, alarms.
"""
