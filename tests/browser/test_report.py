#!/usr/bin/env python3
"""The HTML report in headless Chromium: sorts, searches, hovers, zooms, chooses points of the frontier, prints, and takes
screenshots; with the live charts, and as a build without their library makes the page.

    test_report.py --mpq BIN --models DIR --screenshots DIR [--live]

Exits with 77 (skipped) where no Chromium is installed. $MPQ_CHROMIUM names one.
"""
import argparse
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
ACTIONS = pathlib.Path(__file__).with_name("actions.js")
EVIL = "</script><img src=x onerror=alert(1)>\"'\u202e"


def browser():
    if os.environ.get("MPQ_CHROMIUM"):
        return os.environ["MPQ_CHROMIUM"]
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def run_browser(program, profile, *arguments):
    done = subprocess.run([program, *FLAGS, f"--user-data-dir={profile}", *arguments], capture_output=True, text=True,
                          timeout=90, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} failed with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def make_report(mpq, models, folder):
    """The report of a real run, and one whose names are hostile."""
    run = folder / "run.json"
    digits = models / "digits"
    subprocess.run([mpq, "quantize", "-q", digits / "model.onnx", "--budget", "6bit", "--trials", "4", "--calibration",
                    digits / "calibration.npz", "--eval", digits / "evaluation.npz", "--labels", digits / "labels.npy",
                    "-o", folder / "small.onnx", "--report-json", run], check=True, capture_output=True)
    record = json.loads(run.read_text(encoding="utf-8"))
    record["sensitivity"]["layers"][0]["layer"]["name"] = EVIL
    record["plan"]["entries"][0]["layer"] = EVIL
    record["model"]["path"] = EVIL
    (folder / "evil.json").write_text(json.dumps(record), encoding="utf-8")
    pages = []
    for name in ("run", "evil"):
        page = folder / f"{name}.html"
        subprocess.run([mpq, "report", "-q", folder / f"{name}.json", "--format", "html", "-o", page], check=True)
        pages.append(page)
    return pages


def look(program, profile, page):
    """What the actions saw."""
    acted = page.with_suffix(".acted.html")
    text = page.read_text(encoding="utf-8")
    acted.write_text(text.replace("</body>", f"<script id=\"acts\">{ACTIONS.read_text(encoding='utf-8')}</script></body>"),
                     encoding="utf-8")
    document = run_browser(program, profile, "--window-size=1280,900", "--virtual-time-budget=6000", "--dump-dom",
                           acted.as_uri())
    found = re.search(r'<pre id="seen">(.*?)</pre>', document, re.S)
    if not found:
        sys.exit("the actions did not run to their end in " + page.name)
    return json.loads(html.unescape(found[1]))


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def check_interaction(seen):
    check(seen["failures"] == [], f"no script error: {seen['failures']}")
    check(not seen["wide"], "the page fits its window")
    check(sorted(seen["byName"], key=str.lower) == sorted(seen["before"], key=str.lower), "sorting keeps the rows")
    check(seen["byName"] != seen["before"], "sorting by name changes the order")
    check(seen["byParameters"] == sorted(seen["byParameters"], reverse=True), "parameters sort as numbers")
    check(seen["found"] == ["/hidden/Gemm"], f"the search finds one layer: {seen['found']}")
    check(seen["foundText"] == f"1 of {len(seen['before'])} layers", "the search says how many")
    check(seen["all"] == len(seen["before"]), "an empty search shows all")
    check(re.search(r"^mpq quantize .* --budget [\d.]+bit --calibration .* --eval ", seen["command"]), seen["command"])
    check(seen["smallForms"] != seen["ownForms"], "a small point changes the forms")
    check(seen["changed"] > 0 and seen["stillChanged"] == 0, "changes are marked and reset")
    check(seen["resetForms"] == seen["ownForms"], "the reset brings the run's plan back")
    check(seen["boxes"] == len(seen["before"]), f"every layer has its box in the heat map: {seen['boxes']}")
    check(seen["largest"] != seen["point"], "the slider chooses a point")
    check("bytes" in seen["tip"], "hovering tells more")
    check(seen["theme"] in ("dark", "light"), "the theme can be switched")


def check_live(seen):
    check(seen["live"] == 6 and seen["still"] == 0, f"six live charts stand in place of the static ones: {seen['live']}")
    check(seen["clicked"] and seen["liveForms"] != seen["ownForms"], "a click in the live frontier chooses its point")
    before, after = seen["zoomBefore"], seen["zoomAfter"]
    check(after[1] - after[0] < before[1] - before[0], f"the wheel with Ctrl zooms: {before} {after}")
    check(seen["scrolls"], "the wheel alone scrolls the page, also over a chart")
    for tip, part in zip(seen["tips"], (" ± ", " at ", "1. ", "possible", "before: ")):
        check(part in tip, f"hovering over a live chart tells more: {part!r} in {seen['tips']}")


def without_library(page):
    """The page as a build without ECharts makes it."""
    still = page.with_name("still.html")
    text, found = re.subn(r'<script type="application/octet-stream" id="library">.*?</script>\n', "",
                          page.read_text(encoding="utf-8"))
    still.write_text(text, encoding="utf-8")
    return still, found == 1


def take_screenshots(program, profile, page, folder):
    """Every chart at two widths, dark and light; and what is left without scripts and on paper."""
    for width in (1280, 500):
        for theme in ("light", "dark"):
            themed = page.with_name(f"{theme}.html")
            themed.write_text(page.read_text(encoding="utf-8").replace(
                '<html lang="en">', f'<html lang="en" data-theme="{theme}">'), encoding="utf-8")
            shot = folder / f"report-{width}-{theme}.png"
            run_browser(program, profile, "--virtual-time-budget=3000", f"--screenshot={shot}",
                        f"--window-size={width},3600", themed.as_uri())
            check(shot.stat().st_size > 20_000, f"{shot.name} shows something")
    shot, paper = folder / "report-no-script.png", folder / "report.pdf"
    bare = page.with_name("bare.html")
    bare.write_text(re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.S), encoding="utf-8")
    run_browser(program, profile, f"--screenshot={shot}", "--window-size=1280,3600", bare.as_uri())
    check(shot.stat().st_size > 20_000, "the page shows something without scripts")
    run_browser(program, profile, "--virtual-time-budget=3000", f"--print-to-pdf={paper}", page.as_uri())
    check(paper.read_bytes()[:5] == b"%PDF-" and paper.stat().st_size > 20_000, "the page prints")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True)
    parser.add_argument("--models", required=True, type=pathlib.Path)
    parser.add_argument("--screenshots", required=True, type=pathlib.Path)
    parser.add_argument("--live", action="store_true", help="the page must carry the live charts")
    options = parser.parse_args()
    program = browser()
    if program is None:
        print("skipped: no Chromium is installed")
        sys.exit(77)
    options.screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        page, evil = make_report(options.mpq, options.models, pathlib.Path(name))
        still, has_library = without_library(page)
        check_interaction(look(program, profile, still))
        seen = look(program, profile, page)
        check_interaction(seen)
        if has_library:
            check_live(seen)
        elif options.live:
            sys.exit("FAILED: the build has the library of charts, but the page does not carry it")
        seen = look(program, profile, evil)
        check(seen["failures"] == [], f"hostile names break nothing: {seen['failures']}")
        # The page's own scripts and the actions.
        own = 4 if has_library else 3
        check(seen["injected"] == own, f"hostile names add no element: {seen['injected']}")
        take_screenshots(program, profile, page, options.screenshots)
    print("the report works in", program)


if __name__ == "__main__":
    main()
