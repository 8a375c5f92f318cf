#!/usr/bin/env python3
"""Runs command-line cases and compares exit code, stdout and stderr with what the case says.

    run_case.py --mpq BIN --fixtures DIR CASE...     checks
    run_case.py --update --mpq BIN ... CASE...       rewrites the expectations with what happened; read the diff

A case is a text file of steps, run one after the other in a fresh folder that holds copies of the fixtures:

    # comment
    $ mpq inspect net.onnx        the command, for bash
    ? 3                           its exit code (0 when left out)
    > text                        the lines of stdout, all of them, in order
    ! text                        the lines of stderr
    >* and !*                     that stream is not compared
    >~ text and !~ text           that stream holds this line somewhere; nothing else of it is compared

In expected lines <n> stands for a number, <sha> for hexadecimal digits, <time> for a duration and <any> for any text.
"""
import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 300
NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
DURATION = r"(?:\d+(?:\.\d+)? (?:ms|s)|\d+ min \d+ s)"
PLACEHOLDERS = {"<n>": NUMBER, "<sha>": "[0-9a-f]{12,64}", "<time>": DURATION, "<any>": ".*"}
EXAMPLE_MARK = re.compile("(" + "|".join(PLACEHOLDERS) + ")")


def pattern(line):
    parts = EXAMPLE_MARK.split(line)
    return re.compile("".join(PLACEHOLDERS.get(p, re.escape(p)) for p in parts))


def generalise(line):
    """What --update writes for a line: durations, hashes and measured figures become placeholders."""
    line = re.sub(r"\b(?=\d*[a-f])[0-9a-f]{12,64}\b", "<sha>", line)
    line = re.sub(r"\b" + DURATION + r"\b", "<time>", line)
    return re.sub(r"\b\d+(?:\.\d+)?e-?\d+\b|\b0\.\d{3,}\b", "<n>", line)


class Step:
    def __init__(self, command):
        self.command, self.code, self.notes = command, 0, []
        self.lines = {">": [], "!": []}
        self.mode = {">": "all", "!": "all"}

    def add(self, mark, rest):
        if rest.startswith("*"):
            self.mode[mark] = "any"
        elif rest.startswith("~"):
            self.mode[mark] = "some"
            self.lines[mark].append(rest[2:])
        else:
            self.lines[mark].append(rest[1:])

    def check_stream(self, mark, text):
        actual = text.split("\n")
        if actual[-1] == "":
            actual.pop()
        if self.mode[mark] == "any":
            return ""
        if self.mode[mark] == "some":
            missing = [l for l in self.lines[mark] if not any(pattern(l).fullmatch(a) for a in actual)]
            return f"no line is: {missing}; the stream holds:\n{text}" if missing else ""
        expected = self.lines[mark]
        if len(expected) == len(actual) and all(pattern(e).fullmatch(a) for e, a in zip(expected, actual)):
            return ""
        shown = [e if i < len(actual) and pattern(e).fullmatch(actual[i]) is None else (actual[i] if i < len(actual) else e)
                 for i, e in enumerate(expected)]
        return "\n".join(difflib.unified_diff(shown, actual, "expected", "found", lineterm=""))

    def write(self, code, streams):
        out = self.notes + [f"$ {self.command}"]
        if code:
            out.append(f"? {code}")
        for mark, text in streams.items():
            if self.mode[mark] == "any":
                out.append(f"{mark}*")
            elif self.mode[mark] == "some":
                out += [f"{mark}~ {l}" for l in self.lines[mark]]
            else:
                lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n") if text else []
                old = self.lines[mark]
                keep = len(old) == len(lines)
                out += [(f"{mark} {o if keep and pattern(o).fullmatch(l) else generalise(l)}").rstrip()
                        for l, o in zip(lines, old if keep else lines)]
        return out


def parse(path):
    steps, notes = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("$ "):
            steps.append(Step(line[2:]))
            steps[-1].notes, notes = notes, []
        elif not line.strip() or line.startswith("#"):
            notes.append(line)
        elif steps and line.startswith("? "):
            steps[-1].code = int(line[2:])
        elif steps and line[0] in "!>":
            steps[-1].add(line[0], line[1:])
        else:
            sys.exit(f"{path}:{number}: not understood: {line}")
    return steps, notes


def environment(folder, mpq):
    """Nothing of the caller's environment but what the loader of shared libraries and the sanitizers read."""
    kept = {k: v for k, v in os.environ.items() if k in ("LD_LIBRARY_PATH",) or k.endswith("SAN_OPTIONS")}
    tools = folder / ".tools"
    tools.mkdir()
    (tools / "mpq").symlink_to(mpq)
    return {**kept, "PATH": f"{tools}:/usr/bin:/bin", "HOME": str(folder / ".home"), "LC_ALL": "C", "TZ": "UTC"}


def run_step(step, folder, env):
    done = subprocess.run(["bash", "-c", step.command], cwd=folder / "work", env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIMEOUT_S)
    return done.returncode, {">": done.stdout.decode("utf-8", "replace"), "!": done.stderr.decode("utf-8", "replace")}


def run_case(path, options):
    steps, tail = parse(path)
    failures, written = 0, []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree(options.fixtures, folder / "work", symlinks=True)
        env = environment(folder, options.mpq)
        for step in steps:
            code, streams = run_step(step, folder, env)
            written += step.write(code, streams)
            problems = [step.check_stream(mark, text) for mark, text in streams.items()]
            if code != step.code:
                problems.append(f"exit code {code}, expected {step.code}\nstderr: {streams['!'][-2000:]}")
            problems = [p for p in problems if p]
            if problems and not options.update:
                failures += 1
                print(f"FAILED {path.name}: $ {step.command}\n" + "\n".join(problems) + "\n")
    if options.update:
        path.write_text("\n".join(written + tail).rstrip() + "\n", encoding="utf-8")
    print(f"{path.name}: {len(steps)} steps, {failures} failed")
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True, type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--fixtures", required=True, type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("cases", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    if sum(run_case(path, options) for path in options.cases):
        sys.exit(1)


if __name__ == "__main__":
    main()
