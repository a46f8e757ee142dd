#!/usr/bin/env python3
"""Serves one browser to a test: `session.py PORT [FOLDER]` connects to that port of this machine.

Each line that comes is a JSON list: the name of a method below, and its arguments. Each gets a line with JSON:
`{"result": ...}`, or `{"error": "..."}` where it failed. It ends when the connection does. Screenshots go to FOLDER.
"""

import json
import pathlib
import socket
import sys
import traceback
import typing

import checks
import chromium


class Session:
    """What a test may ask for."""

    def __init__(self, browser: chromium.Chromium, folder: pathlib.Path | None) -> None:
        self._browser = browser
        self._folder = folder

    def open(self, url: str) -> None:
        self._browser.open(url)

    def open_tab(self, url: str) -> str:
        return self._browser.open_tab(url)

    def select(self, tab: str) -> None:
        self._browser.select(tab)

    def in_each_tab(self, script: str) -> list[typing.Any]:
        return self._browser.in_each_tab(script)

    def emulate(self, width: int, height: int, scheme: str) -> None:
        self._browser.emulate(width, height, scheme)

    def run(self, script: str, *arguments: typing.Any) -> typing.Any:
        return self._browser.run(script, *arguments)

    def wait(self, script: str, patience_s: float, *arguments: typing.Any) -> typing.Any:
        return self._browser.wait(script, *arguments, patience_s=patience_s)

    def text(self) -> str:
        return self._browser.text()

    def dialog(self) -> str | None:
        return self._browser.dialog()

    def requests(self) -> list[str]:
        return [request.url for request in self._browser.requests()]

    def console(self) -> list[str]:
        return self._browser.console()

    def accessibility(self) -> list[str]:
        return checks.accessibility(self._browser)

    def layout(self) -> list[str]:
        return checks.layout(self._browser)

    def keyboard(self) -> list[str]:
        return checks.keyboard(self._browser)

    def focus(self, selector: str) -> bool:
        return checks.focus(self._browser, selector)

    def press(self, key: str) -> None:
        checks.press(self._browser, key)

    def type(self, text: str) -> None:
        checks.type_text(self._browser, text)

    def screenshot(self, name: str) -> None:
        if self._folder:
            self._browser.screenshot(self._folder / f"{name}.png")


def main() -> None:
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
        browser = chromium.Chromium()
        try:
            serve(Session(browser, folder), connection)
        finally:
            browser.close()


def serve(session: Session, connection: socket.socket) -> None:
    with connection.makefile("rw", encoding="utf-8", newline="\n") as stream:
        for line in stream:
            name, *arguments = json.loads(line)
            try:
                answer = {"result": getattr(session, name)(*arguments)}
            except Exception:  # The test is told whatever it is, and decides.
                answer = {"error": traceback.format_exc()}
            stream.write(json.dumps(answer) + "\n")
            stream.flush()


if __name__ == "__main__":
    main()
