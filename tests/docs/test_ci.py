#!/usr/bin/env python3
"""Runs the commands of docs/ci.md's job files for real, on the digits model under the names the page uses.

    test_ci.py --mpq BIN --source ROOT
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

DATA = {"model.onnx": "model.onnx", "calib.npz": "calibration.npz", "test.npz": "evaluation.npz", "labels.npy": "labels.npy"}


def block(page, language, marker):
    """The fenced block of a language that holds the marker."""
    blocks = re.findall(rf"```{language}\n(.*?)```", page, re.S)
    found = [b for b in blocks if marker in b]
    if len(found) != 1:
        sys.exit(f"docs/ci.md: {len(found)} {language} blocks hold {marker!r}, expected one")
    return found[0]


def github_steps(job):
    """The scripts of `- run:` steps: `>` folds lines, `|` keeps them."""
    steps = []
    for style, body in re.findall(r"^      - run: ([>|])\n((?:          .*\n)+)", job, re.M):
        lines = [line.strip() for line in body.splitlines()]
        steps.append((" " if style == ">" else "\n").join(lines))
    return steps


def gitlab_steps(job):
    """The items of `script:`, continuation lines folded."""
    script = re.search(r"^  script:\n((?:    .*\n)+)", job, re.M)[1]
    return [" ".join(line.strip() for line in item.splitlines()) for item in re.findall(r"^    - (.*\n(?:      .*\n)*)",
                                                                                       script, re.M)]


class Place:
    """A fresh folder with the files that the page speaks of."""

    def __init__(self, folder, mpq, source, config):
        self.folder = pathlib.Path(folder)
        tools = self.folder / ".tools"
        (self.folder / "out").mkdir(parents=True)
        tools.mkdir()
        (tools / "mpq").symlink_to(mpq.resolve())
        for name, original in DATA.items():
            shutil.copy(source / "models" / "digits" / original, self.folder / name)
        (self.folder / "mpq.toml").write_text(config, encoding="utf-8")
        self.env = {**os.environ, "PATH": f"{tools}:/usr/bin:/bin", "HOME": str(self.folder),
                    "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}

    def run(self, command):
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=self.folder, env=self.env,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"FAILED with {done.returncode}: {command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def expect(self, *names):
        missing = [name for name in names if not (self.folder / name).is_file()]
        if missing:
            sys.exit(f"FAILED: the job did not leave {missing}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True, type=pathlib.Path)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    options = parser.parse_args()
    page = (options.source / "docs" / "ci.md").read_text(encoding="utf-8")
    config = block(page, "toml", "[check]")
    jobs = {"github": github_steps(block(page, "yaml", "runs-on")), "gitlab": gitlab_steps(block(page, "yaml", "script:"))}
    for name, steps in jobs.items():
        if len(steps) < 2:
            sys.exit(f"docs/ci.md: the {name} job has {len(steps)} steps")
        with tempfile.TemporaryDirectory() as folder:
            place = Place(folder, options.mpq, options.source, config)
            for step in steps:
                place.run(step)
            place.expect("out/model.onnx", "out/model.run.json", "out/report.html", "out/gates.xml")
            if name == "github":
                place.expect("summary.md")
    if shutil.which("make"):
        with tempfile.TemporaryDirectory() as folder:
            place = Place(folder, options.mpq, options.source, config)
            (place.folder / "Makefile").write_text(block(page, "make", "out/%"), encoding="utf-8")
            place.run("make out/model.onnx")
            place.expect("out/model.onnx", "out/model.onnx.run.json")
    print("the jobs of docs/ci.md run")


if __name__ == "__main__":
    main()
