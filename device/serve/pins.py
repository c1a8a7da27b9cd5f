"""GPIO pins that follow labels, through gpiozero. Home of gpiozero."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from device.serve.config import PinConfig
from device.serve.event import LabelEvent
from edge_tl.errors import ConfigError, MissingDependency

WORD_S = 1.0
"""Words and movements have no end: the pin is on for so long where the configuration says nothing."""


class Pins:
    """An Output that turns pins on and off; all are off at the start and at the end.

    endless: whether the labels of a pipeline have no end, as words have none, by its name.
    """

    name = "pins"

    def __init__(self, pins: Sequence[PinConfig], endless: Callable[[str], bool]) -> None:
        self.pins, self._endless = pins, endless
        self._error = ""
        self._devices: list[Any] = []
        self._lasting: set[int] = set()
        """The pins that are on while a sign lasts."""

    def start(self) -> None:
        """Take the pins; MissingDependency without gpiozero, ConfigError where a pin cannot be had."""
        try:
            gpiozero = importlib.import_module("gpiozero")
        except ImportError as error:
            raise MissingDependency(
                "[[pins]] needs gpiozero: sudo apt install python3-gpiozero python3-lgpio"
            ) from error
        for one in self.pins:
            try:
                with warnings.catch_warnings():  # gpiozero names every back end that it does without
                    warnings.simplefilter("ignore")
                    device = gpiozero.DigitalOutputDevice(one.pin, active_high=one.active_high, initial_value=False)
            # gpiozero raises what its back end raises: there are four of them.
            except Exception as error:
                self.stop()
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise ConfigError(
                    f"GPIO {one.pin} cannot be used ({reason}): check [[pins]], and that python3-lgpio is installed"
                ) from error
            self._devices.append(device)

    def publish(self, event: LabelEvent) -> None:
        """Turn on the pins of this label, and off those of the label that it ended."""
        for one, device in zip(self.pins, self._devices, strict=True):
            if one.source not in (None, event.source):
                continue
            brief = self._endless(event.source) or event.start is not None  # a movement is over when it is told
            seconds = WORD_S if one.seconds is None and brief else one.seconds
            try:
                if event.label == one.label:
                    self._lasting.discard(one.pin)
                    if seconds is None:
                        self._lasting.add(one.pin)
                        device.on()
                    else:
                        device.blink(on_time=seconds, off_time=0, n=1, background=True)
                elif not brief and one.pin in self._lasting:
                    self._lasting.discard(one.pin)
                    device.off()
            except Exception as error:  # see start
                self._error = f"GPIO {one.pin}: {error}"

    def health(self) -> dict[str, Any]:
        """Which pins are on."""
        on = [one.pin for one, device in zip(self.pins, self._devices, strict=False) if device.value]
        return {"state": "failed" if self._error else "ok", "on": on, "error": self._error}

    def stop(self) -> None:
        """All off, and given back."""
        for device in self._devices:
            device.off()
            device.close()
        self._devices = []
