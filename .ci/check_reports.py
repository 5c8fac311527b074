"""Open the demo's reports in a browser and hold them against what can be seen in the clips."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

import emotrace

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PEOPLE = {"WolfgangLanger_Pexels.emotrace": 1, "obama_speech.emotrace": 2}


def main(folders: list[Path]) -> None:
    """Exit with a message at the first thing that is not as it should be."""
    if {folder.name for folder in folders} != set(PEOPLE):
        sys.exit(f"expected {sorted(PEOPLE)}, found {[folder.name for folder in folders]}")
    for folder in folders:
        found = len(emotrace.load(folder).people)
        if found != PEOPLE[folder.name]:
            sys.exit(f"{folder}: {found} people, expected {PEOPLE[folder.name]}")
    woman = next(folder for folder in folders if PEOPLE[folder.name] == 1)
    valence = emotrace.load(woman).timeline("face.valence_arousal")
    crying, laughing = (np.nanmean(valence.crop(*span)["valence"]) for span in ((0, 10), (15, 20)))
    print(f"valence while she cries {crying:.2f}, while she laughs {laughing:.2f}")
    if not crying < laughing - 0.2:
        sys.exit("her valence must be clearly lower before 10 s than after 15 s")
    look([folder / "report.html" for folder in folders])


def look(reports: list[Path]) -> None:
    """Load each report in Chromium; any script error ends it."""
    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), "")
    if not browser_path:
        print("no chromium here: reports were not opened")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for report in reports:
            page = browser.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            page.goto(report.resolve().as_uri())
            page.wait_for_selector(".u-over")
            if errors:
                sys.exit(f"{report}: {errors}")
            print(f"{report}: opens without errors, {report.stat().st_size / 1e6:.2f} MB")
        browser.close()


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
