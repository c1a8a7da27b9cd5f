"""The headless service, `edge-tl serve`: read config.py, pipeline.py, service.py; each way out has its own file."""
