"""The headless service, `edge-tl serve`: read config, recognizing, pipeline, service; each way out has its own file."""
