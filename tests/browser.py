"""A headless Chromium of a test's own, driven over its debugging pipe (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import require

WAIT = 30.0  # seconds for anything that is sure to happen; a bound, never a pace
_PIPE = "import os,sys; os.dup2(int(sys.argv[1]),3); os.dup2(int(sys.argv[2]),4); os.execv(sys.argv[3],sys.argv[3:])"


class Browser:
    """One page of one browser; ``dialogs`` and ``errors`` are what it should never have."""

    def __init__(self, folder: Path, *, width: int = 1200, height: int = 800) -> None:
        chromium = require("chromium")
        (theirs, self._out), (self._in, back) = os.pipe(), os.pipe()
        for end in (theirs, back):
            os.set_inheritable(end, True)
        self._process = subprocess.Popen(
            [
                sys.executable, "-c", _PIPE, str(theirs), str(back), chromium,
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--remote-debugging-pipe",
                f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}", "about:blank",
            ],
            pass_fds=(theirs, back), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs)
        os.close(back)
        self._numbers = itertools.count(1)
        self._data = b""
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self._session = None
        pages = self._call("Target.getTargets")["targetInfos"]
        target = next(item["targetId"] for item in pages if item["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self.size(width, height)

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait(20)

    def size(self, width: int, height: int) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip

    def dark(self, wanted: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def go(self, url: str) -> None:
        self._call("Page.navigate", url=url)

    def run(self, expression: str):
        """Return the value of an expression in the page."""
        done = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, expression: str, wait: float = WAIT):
        """Return the first true value of an expression; the test fails with the page's text if none."""
        deadline = time.monotonic() + wait
        tried = f"(() => {{ try {{ return {expression}; }} catch {{ return null; }} }})()"
        while time.monotonic() < deadline:
            if value := self.run(tried):
                return value
            time.sleep(0.05)
        text = self.run("document.body && document.body.innerText")
        pytest.fail(f"not true within {wait:g} s: {expression}\n{self.errors}\n{text}")

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        script = (
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            " found.scrollIntoView({block: 'nearest'}); const box = found.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        x, y = self.run(script)
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Type into the element that has the focus."""
        self._call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        codes = {"Enter": 13, "Tab": 9}
        for kind in ("rawKeyDown", "char", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "char" else {}
            if kind != "char" or text:
                self._call(
                    "Input.dispatchKeyEvent",
                    type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text,
                )  # fmt: skip

    def picture(self, path: Path) -> None:
        done = self._call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(done["data"]))

    def _call(self, method: str, **params):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _read(self) -> dict:
        while b"\0" not in self._data:
            part = os.read(self._in, 1 << 20)
            assert part, "the browser has ended"
            self._data += part
        line, _, self._data = self._data.partition(b"\0")
        return json.loads(line)

    def _note(self, event: dict) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Page.javascriptDialogOpening":
                self.dialogs.append(params["message"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(params["exceptionDetails"].get("exception", params)))
            case "Runtime.consoleAPICalled" if params["type"] == "error":
                self.errors.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["source"] == "security":
                self.errors.append(params["entry"]["text"])
