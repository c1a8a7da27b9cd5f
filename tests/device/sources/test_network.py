"""Cameras and microphones on the network, with a server of RTSP here: all that it sends comes, or one line says why."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rtsp_server import camera_parts, microphone_parts, serving

from device.sources.choose import Choice, open_mic, open_source, parse_camera
from device.sources.network import NetworkCamera, NetworkMicrophone
from device.sources.reconnect import ReconnectingSource
from edge_tl.errors import SourceClosed, SourceError
from edge_tl.frames import BaseSource, Frame

PICTURES = [np.full((48, 64, 3), 20 + 10 * number, np.uint8) for number in range(20)]
HUM = (0.5 * np.sin(np.arange(32_000) / 9)).astype(np.float32)


def all_of(source: BaseSource) -> list[Frame]:
    """Every frame until the server hangs up, which is one line without its password."""
    frames, said = [], ""
    while not said:
        try:
            frames.append(source.read())
        except SourceError as error:
            said = str(error)
    assert re.fullmatch(r"(camera|microphone) at 127\.0\.0\.1: the stream ended", said)
    return frames


def test_a_camera_shows_what_is_sent() -> None:
    """Every picture, in its order; closing twice is allowed, and then it is closed."""
    with serving(*camera_parts(PICTURES)) as address, NetworkCamera(address) as camera:
        assert camera.name == "camera at 127.0.0.1"
        frames = all_of(camera)
    assert [frame.index for frame in frames] == list(range(20))
    levels = np.array([frame.data.mean() for frame in frames])
    np.testing.assert_allclose(levels, [picture.mean() for picture in PICTURES], atol=4)
    with pytest.raises(SourceClosed):
        camera.read()
    camera.close()


def test_a_microphone_hears_what_is_sent() -> None:
    """Every sample, at its rate, and its time does not run backwards."""
    with serving(*microphone_parts(HUM, 16_000)) as address, NetworkMicrophone(address) as source:
        frames = all_of(source)
    np.testing.assert_allclose(np.concatenate([frame.data for frame in frames]), HUM, atol=1e-4)
    assert {frame.rate_hz for frame in frames} == {16_000}
    assert (np.diff([frame.time_s for frame in frames]) >= 0).all()


def test_the_options_mean_them() -> None:
    """`--camera` and `--mic` take the address; a sound is no camera, and pictures are no microphone."""
    assert parse_camera("rtsp://10.0.0.7/live") == Choice("rtsp", address="rtsp://10.0.0.7/live")
    assert parse_camera("HTTP://phone:8080/video").kind == "rtsp"
    with serving(*microphone_parts(HUM, 16_000)) as address:
        with open_mic(address) as source:
            assert source.read().rate_hz == 16_000
        with pytest.raises(SourceError, match="sends no pictures"):
            open_source(address)
    with serving(*camera_parts(PICTURES)) as address, pytest.raises(SourceError, match="sends no sound"):
        open_mic(address)


def test_a_stream_that_ends_is_opened_again() -> None:
    """What hangs up is a loss and no end: it is sought again, as an unplugged camera is."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with serving(*microphone_parts(HUM[:3200], 16_000)) as address:
        source = ReconnectingSource(lambda: open_mic(address), lambda: now[0], sleep)
        with source:
            heard = []
            while len(heard) < 20:
                try:
                    heard.append(source.read())
                except SourceError:
                    assert source.state == "waiting"
    assert [frame.index for frame in heard] == list(range(20))


def test_nobody_there_is_one_line() -> None:
    """An address at which nobody answers is named by its host; no password is told."""
    with pytest.raises(SourceError) as caught:
        open_mic("rtsp://me:secret@127.0.0.1:1/x")
    assert str(caught.value).startswith("microphone at 127.0.0.1: ")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
