"""The headless service, `edge-tl serve`: read config, recognising, pipeline, service; each way out has its own file."""
