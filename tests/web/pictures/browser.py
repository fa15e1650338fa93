"""Chromium without a window, driven through chromedriver."""

import base64
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

PATIENCE_S = 60
# Where the element of an answer stands, by the standard.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A browser of its own: no cookies, no history. It ends with the block that it is used in."""

    def __enter__(self):
        try:
            self.driver = subprocess.Popen(
                ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        except FileNotFoundError:
            raise SystemExit("chromedriver is missing (Debian: apt-get install chromium-driver)")
        self.base = f"http://127.0.0.1:{self._port()}"
        try:
            session = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted()}})
        except BaseException:
            self._end()
            raise
        self.base += f"/session/{session['sessionId']}"
        return self

    def __exit__(self, *_):
        try:
            self._send("DELETE", "")
        finally:
            self._end()

    def size(self, width, height):
        """Makes the page as large as this, which a window cannot be below 500 pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._developer("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, theme):
        """Has the system of the user prefer these colors: `light` or `dark`."""
        features = [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self._developer("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url):
        self._send("POST", "/url", {"url": url})

    def run(self, script):
        """Runs the body of a function in the page."""
        return self._send("POST", "/execute/sync", {"script": script, "args": []})

    def until(self, expression):
        """Waits until the expression is true in the page."""
        end = time.monotonic() + PATIENCE_S
        while not self.run(f"return !!({expression});"):
            if time.monotonic() > end:
                raise SystemExit(f"in vain waited for: {expression}")

    def type(self, css, text):
        self._send("POST", f"/element/{self._find(css)}/value", {"text": text})

    def click(self, css):
        self._send("POST", f"/element/{self._find(css)}/click", {})

    def picture(self, n_most=None):
        """The whole page as PNG, or its upper part."""
        width, height = self.run(
            "const box = document.documentElement; return [innerWidth, Math.ceil(box.getBoundingClientRect().height)];"
        )
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, n_most or height), "scale": 1}
        taken = self._developer(
            "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True}
        )
        return base64.b64decode(taken["data"])

    def _end(self):
        self.driver.terminate()
        self.driver.wait()

    def _port(self):
        for line in self.driver.stdout:
            if found := re.search(r"successfully on port (\d+)", line):
                return found[1]
        raise SystemExit("chromedriver ended without a word of its port")

    def _find(self, css):
        return self._send("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def _developer(self, command, parameters):
        return self._send("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"the browser refused {path or 'to end'}: {json.load(error)['value']['message']}")


def wanted():
    """How the browser is set up."""
    arguments = [
        "--headless=new",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
    ]
    # Chromium refuses to sandbox what root runs; in a container there may be nobody else.
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return {"browserName": "chrome", "goog:chromeOptions": {"args": arguments}}
