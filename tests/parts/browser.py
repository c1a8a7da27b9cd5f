"""A real headless Chromium, driven over its own debugging pipe: no driver and no package in between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LONG_S = 60.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--remote-debugging-pipe",
)


def kept(screenshot: Path) -> None:
    """Copy a screenshot to the folder that EDGE_TL_SCREENSHOTS names, for a person to look at."""
    if "EDGE_TL_SCREENSHOTS" in os.environ:
        shutil.copy(screenshot, os.environ["EDGE_TL_SCREENSHOTS"])


class Browser:
    """One page. `do` calls a JavaScript expression (promises are waited for); `until` waits for one to hold."""

    def __init__(self, folder: Path, width_px: int = 390, height_px: int = 844, *flags: str) -> None:
        assert CHROMIUM is not None
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def as_three_and_four() -> None:  # the numbers that the pipe must have
            one, two = os.dup(to_browser), os.dup(from_browser)
            os.dup2(one, 3)
            os.dup2(two, 4)

        self.process = subprocess.Popen(
            [
                CHROMIUM,
                *FLAGS,
                *flags,
                f"--user-data-dir={folder}",
                f"--window-size={width_px},{height_px}",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=as_three_and_four,
            env=os.environ | {"HOME": str(folder)},
        )
        os.close(to_browser)
        os.close(from_browser)
        self._number, self._buffer = 0, b""
        self.problems: list[str] = []
        """What the page's console said of errors."""
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(one for one in targets if one["type"] == "page")
        attached = self._ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width_px,
            height=height_px,
            deviceScaleFactor=1,
            mobile=width_px < 600,
        )

    def open(self, address: str) -> None:
        """Go to a page."""
        self.send("Page.navigate", url=address)

    def do(self, expression: str) -> Any:
        """What a JavaScript expression gives."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait, frame by frame of the browser, until an expression is true; what it is then."""
        watched = """new Promise((done, fail) => {
            const end = Date.now() + LONG_MS;
            const look = () => {
                let value = null;
                try { value = (EXPRESSION); } catch (error) { /* not there yet */ }
                if (value) done(value);
                else if (Date.now() > end) fail(new Error("never: " + TEXT));
                else setTimeout(look, 30);
            };
            look();
        })"""
        for word, meant in (("LONG_MS", str(1000 * LONG_S)), ("TEXT", json.dumps(expression))):
            watched = watched.replace(word, meant)
        watched = watched.replace("EXPRESSION", expression)
        return self.do(watched)

    def press(self, selector: str) -> None:
        """Put the mouse on an element and press its button down, as a finger does."""
        self._mouse("mousePressed", selector)

    def release(self, selector: str) -> None:
        """Let the button go there."""
        self._mouse("mouseReleased", selector)

    def choose(self, selector: str, *files: Path) -> None:
        """Choose files in an input of files."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG."""
        import base64

        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol to the page."""
        return self._ask(method, session=self._session, **parameters)

    def _mouse(self, kind: str, selector: str) -> None:
        self.do(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        x, y = self.do(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); "
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _ask(self, method: str, *, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._read, 1 << 20)
            assert data, "the browser ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        if message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(str(message["params"]["exceptionDetails"]))
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.problems.append(message["params"]["entry"]["text"])
        return dict(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._write)
        os.close(self._read)
