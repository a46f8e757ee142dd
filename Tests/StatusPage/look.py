#!/usr/bin/env python3
"""Looks at the status page of a running lkpush: `look.py URL [FOLDER]`.

Prints as JSON what is wrong with it on a wide and on a narrow screen, light and dark, and ends with 1 if anything is.
Pictures of all of them go to FOLDER.
"""

import json
import pathlib
import sys
import urllib.parse

import checks
import chromium

SIZES = {"wide": (1280, 800), "narrow": (360, 640)}


def main() -> int:
    url = sys.argv[1]
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    browser = chromium.Chromium()
    try:
        found = look(browser, url, folder)
    finally:
        browser.close()
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 1 if any(found.values()) else 0


def look(browser: chromium.Chromium, url: str, folder: pathlib.Path | None) -> dict[str, list[str]]:
    """Returns what is wrong, by where it shows."""
    browser.open(url)
    origin = urllib.parse.urlsplit(url)[:2]
    count = browser.run("return performance.getEntriesByType('resource').length")
    # The page has asked for figures, and for the next ones.
    browser.wait("return performance.getEntriesByType('resource').length >= arguments[0]", count + 2, patience_s=20)
    found = {}
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            browser.emulate(width, height, scheme)
            found[f"{size} {scheme}"] = checks.layout(browser) + checks.accessibility(browser)
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                browser.screenshot(folder / f"{size}-{scheme}.png")
        found[f"{size} keyboard"] = checks.keyboard(browser)
    found["console"] = browser.console()
    found["elsewhere"] = [each.url for each in browser.requests() if urllib.parse.urlsplit(each.url)[:2] != origin]
    return found


if __name__ == "__main__":
    sys.exit(main())
