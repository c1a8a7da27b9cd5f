"""`edge-tl serve`: the headless service, until it is told to stop."""

from __future__ import annotations

import dataclasses
import os
import signal
from argparse import Namespace
from contextlib import ExitStack
from types import FrameType

from device.cli.grammar import data_dir
from device.cli.output import warn
from device.serve.build import build
from device.serve.config import PipelineConfig, ServiceConfig, WebConfig, read_config
from device.serve.memory import share_pools
from device.serve.systemd import Notify
from device.serve.unit import forbidden
from edge_tl.errors import ConfigError

BAD_CONFIG = 78
"""EX_CONFIG of sysexits.h: the unit has systemd not start anew what would find the same mistake two seconds later."""


def run(arguments: Namespace) -> int:
    """Serve what the configuration names, with what the flags say instead; with `--check` only read it.

    Exit code 1 where it cannot start, but BAD_CONFIG where that is the configuration's fault.
    """
    if arguments.check:
        # Only what can be known without opening anything.
        config = flagged(arguments)
        print(f"the configuration is good: {', '.join(config.pipelines)}")
        for line in forbidden(config):
            warn(line)
        return 0
    try:
        config = flagged(arguments)
    except ConfigError as error:
        warn(str(error))
        return BAD_CONFIG
    if "INVOCATION_ID" in os.environ:  # systemd started it: systemd.exec(5)
        for line in forbidden(config):
            warn(line)
    share_pools()
    with ExitStack() as stack:
        notify = Notify()
        stack.callback(notify.close)
        service = build(config, arguments.data_dir or config.data_dir or data_dir(), stack, notify)

        def stop(_number: int, _frame: FrameType | None) -> None:
            service.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, stop)
            stack.callback(signal.signal, number, before)
        warn(f"serving {', '.join(config.pipelines)}")
        service.run()
    warn("stopped; what was counted is saved")
    return 0


def flagged(arguments: Namespace) -> ServiceConfig:
    """The configuration, with what the flags say in place of what the file says."""
    if arguments.camera is not None or arguments.mic is not None:
        named = {}
        if arguments.camera is not None:
            named["signs"] = PipelineConfig(camera=arguments.camera, profile=arguments.profile or "default")
        if arguments.mic is not None:
            words = arguments.profile if arguments.camera is None else None
            named["words"] = PipelineConfig(mic=arguments.mic, profile=words or "words")
        config = read_config(arguments.config) if arguments.config is not None else None
        config = dataclasses.replace(config, pipelines=named) if config else ServiceConfig(pipelines=named)
    else:
        config = read_config(arguments.config)
    if arguments.web is not None:
        web = config.web or WebConfig()
        config = dataclasses.replace(config, web=dataclasses.replace(web, port=arguments.web))
    return config
