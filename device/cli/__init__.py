"""The grammar of the command line: every option of every command, and how a command speaks.

Read in this order: arguments, grammar, model_grammar, detect_grammar, serve_grammar, output, stopping; fetch_models,
spoken_demo.
"""
