"""Your own output: send each new label as a UDP datagram (receive them with `nc -ul 9999`).

python examples/own_output.py --port 9999
"""

from __future__ import annotations

import argparse
import json
import socket

from edge_tl import Controller, Recognizer, SimulatedPlayer, Steady, TFLiteEmbedder, default_model

POSES = ("up", "down", "left", "right")


class DatagramOutput:
    """Send steady labels to an address; it never waits, and a missing receiver is not an error."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)

    def publish(self, steady: Steady, time_s: float) -> None:
        """Send one change."""
        message = {"label": steady.label, "confidence": round(steady.confidence, 2), "time_s": round(time_s, 2)}
        try:
            self.socket.sendto(json.dumps(message).encode(), self.address)
        except OSError as error:
            print(f"not sent: {error.strerror}")

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=9999)
    output = DatagramOutput("127.0.0.1", parser.parse_args().port)
    recognizer = Recognizer(TFLiteEmbedder.load(default_model()))
    with SimulatedPlayer(seed=1) as player:
        for take in range(16):
            player.pose = POSES[take % 4]
            for _ in range(10):
                recognizer.teach(player.read(), player.pose, take)
        recognizer.learn()
        controller = Controller(recognizer.classes)
        for pose in POSES:  # a person would show these signs now, two thirds of a second each
            player.pose = pose
            for _ in range(20):
                frame = player.read()
                seen = recognizer.observe(frame)
                steady = controller.update(seen.probabilities, frame.time_s, seen.known)
                if steady.changed:
                    output.publish(steady, frame.time_s)
    output.close()
