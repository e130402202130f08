"""A real browser: Debian's chromium, driven through its chromedriver; neither downloads nor asks for anything."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1200,800"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A browser with a new profile in an empty folder; its console and its requests are logged."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert program is not None, "these tests need a browser: apt-get install chromium chromium-driver"
    assert driver is not None, "these tests need chromium's driver: apt-get install chromium-driver"
    options = Options()
    options.binary_location = program
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()
