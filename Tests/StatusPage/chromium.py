"""A headless Chromium of Debian that reaches nothing but loopback, and what it saw."""

import base64
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import tempfile
import time
import typing

from selenium import webdriver
from selenium.common import exceptions
from selenium.webdriver.chrome.service import Service

# Selenium looks for no driver and tells nobody that it is used.
os.environ.update(SE_OFFLINE="true", SE_AVOID_STATS="true")

DRIVER = "/usr/bin/chromedriver"
BROWSER = "/usr/bin/chromium"
# Chromium's own requests (updates, lists of sites, suggestions) are off, and no name but localhost is looked up.
SWITCHES = [
    "--headless=new",
    "--disable-background-networking",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-features=AutofillServerCommunication,MediaRouter,OptimizationHints,Translate",
    "--disable-gpu",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    # All tabs of a test share few processes.
    "--renderer-process-limit=2",
]
PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """Lets the kernel end the driver, and so the browser, when this program is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Request(typing.NamedTuple):
    """A request that a tab sent."""

    url: str
    kind: str


class Chromium:
    """One browser with a profile of its own, which is removed at the end."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="lkpush-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for switch in SWITCHES:
            options.add_argument(switch)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.add_argument(f"--user-data-dir={self._profile}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        # A dialog stays open until somebody asks about it.
        options.set_capability("unhandledPromptBehavior", "ignore")
        service = Service(executable_path=DRIVER, popen_kw={"preexec_fn": _end_with_parent})
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(300)
        self.driver.set_page_load_timeout(300)
        self._size = (1280, 800)
        self._scheme = "light"
        self.emulate()
        # Chromium begins with a page of its own.
        self.open("about:blank")
        self.requests()

    def close(self) -> None:
        with contextlib.suppress(exceptions.WebDriverException, OSError):
            self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    # What the page gets to see

    def emulate(self, width: int | None = None, height: int | None = None, scheme: str | None = None) -> None:
        """Changes the size of the window in CSS pixels, and whether it is light or dark. What is absent stays."""
        self._size = (width or self._size[0], height or self._size[1])
        self._scheme = scheme or self._scheme
        self._command(
            "Emulation.setDeviceMetricsOverride",
            {"width": self._size[0], "height": self._size[1], "deviceScaleFactor": 1, "mobile": False},
        )
        self._command(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": self._scheme}]}
        )

    def open(self, url: str) -> None:
        self.driver.get(url)

    def open_tab(self, url: str) -> str:
        """Opens a further tab and goes there. It is in the foreground as far as it can tell. Returns its handle."""
        self.driver.switch_to.new_window("tab")
        self._command("Emulation.setFocusEmulationEnabled", {"enabled": True})
        self.emulate()
        self.open(url)
        return self.driver.current_window_handle

    def select(self, tab: str) -> None:
        self.driver.switch_to.window(tab)

    def in_each_tab(self, script: str) -> list[typing.Any]:
        """Runs a script in every tab. Returns their results."""
        here = self.driver.current_window_handle
        results = []
        for handle in self.driver.window_handles:
            self.driver.switch_to.window(handle)
            results.append(self.run(script))
        self.driver.switch_to.window(here)
        return results

    # What it shows

    def run(self, script: str, *arguments: typing.Any) -> typing.Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: typing.Any, patience_s: float = 300) -> typing.Any:
        """Runs a script again and again until it returns something true. Returns the last result."""
        end = time.monotonic() + patience_s
        while True:
            result = self.run(script, *arguments)
            if result or time.monotonic() > end:
                return result
            time.sleep(0.05)

    def text(self) -> str:
        """The text that somebody sees."""
        return self.run("return document.body.innerText")

    def dialog(self) -> str | None:
        """The text of an open dialog, which is closed."""
        try:
            alert = self.driver.switch_to.alert
            text = alert.text
            alert.dismiss()
            return text
        except exceptions.NoAlertPresentException:
            return None

    def screenshot(self, path: pathlib.Path) -> None:
        """Writes a picture of the whole page."""
        size = self.run(
            "const root = document.documentElement; return [root.scrollWidth, root.scrollHeight, innerWidth]"
        )
        clip = {"x": 0, "y": 0, "width": max(size[0], size[2]), "height": size[1], "scale": 1}
        picture = self._command(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
        )
        path.write_bytes(base64.b64decode(picture["data"]))

    # What it did

    def requests(self) -> list[Request]:
        """The requests that were sent since the last call."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                parameters = message["params"]
                found.append(Request(parameters["request"]["url"], parameters.get("type", "")))
            elif message["method"] == "Network.webSocketCreated":
                found.append(Request(message["params"]["url"], "WebSocket"))
        return found

    def console(self) -> list[str]:
        """The warnings and errors since the last call: those of scripts, of the network and of security."""
        quiet = ("DEBUG", "INFO", "FINE")
        return [
            f"{entry['level']} {entry.get('source', '')}: {entry['message']}"
            for entry in self.driver.get_log("browser")
            if entry["level"] not in quiet
        ]

    def _command(self, name: str, parameters: dict[str, typing.Any]) -> typing.Any:
        return self.driver.execute_cdp_cmd(name, parameters)
