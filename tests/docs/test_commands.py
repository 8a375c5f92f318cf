#!/usr/bin/env python3
"""Runs every command that README.md and docs/ show, page by page and in the page's order, in a folder with stand-ins.

    test_commands.py --mpq BIN --source ROOT [PAGE...]

A command is a line of an indented or unmarked block, or a code span of `mpq` with an argument. It has to end with the
code that its comment names ("# exit code 5"), else with 0. Files that a page takes for granted are the digits
model and its data under the page's names; what a page's own commands write, later ones on it read. Jobs in marked
blocks are run by test_ci.py.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

LEAST = 60
WORKERS = 2
# Stand-ins: under which names pages know the files of models/digits.
DIGITS = {
    "model.onnx": ["model.onnx", "MODEL/model.onnx", "models/a.onnx", "models/digits/model.onnx",
                   "models/fetched/ppocr_cls/model.onnx", "minilm.onnx", "model.qdq.onnx"],
    "calibration.npz": ["inputs.npz", "calib.npz", "calibration.npz", "MODEL/calibration.npz",
                        "models/digits/calibration.npz", "models/fetched/ppocr_cls/calibration.npz"],
    "evaluation.npz": ["test.npz", "evaluation.npz", "MODEL/evaluation.npz", "models/digits/evaluation.npz",
                       "models/fetched/ppocr_cls/evaluation.npz"],
    "labels.npy": ["labels.npy", "MODEL/labels.npy", "models/digits/labels.npy", "models/fetched/ppocr_cls/labels.npy"],
}
# What pages take for granted beside them, each made once by the command.
MADE = {
    "model.mpq-6bit.onnx": "quantize model.onnx --budget 6bit --calibration inputs.npz",
    "run.json": "quantize model.onnx --budget 6bit --calibration inputs.npz --eval test.npz --labels labels.npy "
                "-o run.onnx --report-json run.json",
    "model.onnx.sensitivity.json": "analyze model.onnx --calibration inputs.npz",
    "part.sensitivity.json": "analyze model.onnx --calibration inputs.npz --shard 1/1 -o part.sensitivity.json",
    "model.profile.json": "profile model.onnx --devices cpu --repeats 1 -o model.profile.json",
}
TAKEN = {
    "README.md": {"run.json": ["run.json"], "part.sensitivity.json": ["part.sensitivity.json"],
                  "model.profile.json": ["model.profile.json"]},
    "ci.md": {"run.json": ["last/model.run.json", "RECORD"]},
    "cli.md": {"part.sensitivity.json": ["part.sensitivity.json"], "model.profile.json": ["model.profile.json"], "run.json": ["run.json"]},
    "compute-forms.md": {"model.mpq-6bit.onnx": ["model.mpq-6bit.onnx"]},
    "formats.md": {"run.json": ["run.json"]},
    "getting-started.md": {"run.json": ["old.run.json"]},
    "many-processors.md": {"model.onnx.sensitivity.json": ["minilm.sensitivity.json"],
                           "model.profile.json": ["minilm.profile.json"]},
    "reading-the-report.md": {"run.json": ["run.json"],
                              "model.onnx.sensitivity.json": ["model.onnx.sensitivity.json"]},
}
# Words that stand for something of the reader's own.
PLACEHOLDERS = {"AFTER": "run.json", "B": "6bit", "BEFORE": "run.json", "COMMAND": "quantize", "D": "test.npz",
                "DIR": "weights", "F": "md", "GLOB": "*", "LIST": "cpu:0,cpu:1", "MODEL": "model.onnx",
                "NAME": "*Gemm", "P": "model.profile.json", "PAGE": "mpq", "PARTS": "part.sensitivity.json", "QUANTIZED": "model.mpq-6bit.onnx",
                "RECORD": "run.json", "REFERENCE": "model.onnx", "SENSITIVITY": "model.onnx.sensitivity.json",
                "SHELL": "bash", "X": "1%"}
# Commands that no test of a few seconds can run, with the reason.
SKIPPED = {
    "git clone": "needs the address of the repository",
    "scripts/": "installs packages, builds, or runs this very test",
    "models/fetch": "downloads models",
    "bench/": "minutes; needs fetched models",
    "python tests/interop/": "minutes; interop.structures runs the same cases",
}
COMMAND = re.compile(r"(?:mpq [a-z]|(?:git|python|cmake|ctest|make|bash) |(?:scripts|models|bench)/\w)")


def block_lines(text):
    """Lines of indented blocks and of fenced ones without a language, continued lines joined."""
    text = re.sub(r"^(\s*)```\w+\n.*?^\1```$", "", text, flags=re.S | re.M)
    text = re.sub(r"\\\n\s*", " ", text)
    fenced = "\n".join(re.findall(r"^```\n(.*?)^```$", text, re.S | re.M))
    for line in re.findall(r"^    (?:  )?(\S.*)$", text, re.M) + re.findall(r"^  (\S.*)$", fenced, re.M):
        if COMMAND.match(line):
            yield line


def spans(text):
    """Code spans of mpq with an argument that is no option: `mpq plan -o` is a mention."""
    text = re.sub(r"^(\s*)```.*?^\1```$", "", text, flags=re.S | re.M)
    for line in re.findall(r"`(mpq [a-z][^`]*)`", text):
        words = line.replace("\\|", "|").split()
        if len(words) > 2 and not words[2].startswith("-"):
            yield line


def as_run(line):
    """The command with stand-ins for its placeholders, the first of alternatives, and the exit code it should have."""
    code = re.search(r"# exit code (\d)$", line)
    line = re.sub(r"\s#.*", "", line.replace("\\|", "|"))
    line = re.sub(r"(?<=\w)(?:\|[\w-]+)+", "", line)
    line = re.sub(r"(?<![\w/.*-])([A-Z]+)(?![\w/.])", lambda m: PLACEHOLDERS.get(m[1], m[1]), line)
    return line, int(code[1]) if code else 0


def png(side, grey):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes((grey + x * y) % 256 for x in range(side)) for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Place:
    """A folder with the stand-ins of a page."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        tools = folder / ".tools"
        tools.mkdir(parents=True)
        (tools / "mpq").symlink_to(options.mpq)
        self.env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder), "LC_ALL": "C.UTF-8",
                    "XDG_CACHE_HOME": str(folder / ".cache"), "MPQ_THREADS": "1", "MPQ_REPEATS": "1"}
        for original, names in DIGITS.items():
            for name in names:
                self.add(options.source / "models" / "digits" / original, name)
        (folder / "photos").mkdir()
        for i in range(5):
            (folder / "photos" / f"{i}.png").write_bytes(png(28, 40 * i))
        (folder / "out").mkdir()

    def add(self, original, name):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(original, self.folder / name)

    def run(self, command, **more):
        return subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.folder, env={**self.env, **more},
                              capture_output=True, text=True, check=False, timeout=120)


def skeleton(report):
    """What of a report holds on every machine: its fields, headings and layers; not figures, nor how lines are broken."""
    lines = [line for line in report.splitlines() if line.strip()]
    fields = [line.split()[0] for line in lines if re.match(r"[A-Z][a-z]+ ( |\w)", line)]
    headings = [re.sub(r" +", " ", line) for line in lines if re.match(r" *(#|output) ", line)]
    layers = sorted(line.split()[1] for line in lines if re.match(r" *\d+ /", line))
    return fields, headings, layers


def stale_report(page, place):
    """Whether README.md shows another report than the command above it prints."""
    text = page.read_text(encoding="utf-8")
    shown = re.search(r"^    (mpq quantize (?:[^\n]*\\\n)*[^\n]*)\n\n```\n(mpq quantize: .*?)^```$", text, re.S | re.M)
    if not shown:
        return [f"{page.name}: no command stands above the report"]
    printed = skeleton(place.run(re.sub(r"\\\n\s*", " ", shown[1]), MPQ_FORCE="true").stdout)
    return [f"{page.name}: the report shows {ours}, the command prints {theirs}"
            for ours, theirs in zip(skeleton(shown[2]), printed) if ours != theirs]


def make_once(folder, options):
    """The files of MADE."""
    place = Place(folder, options)
    for command in MADE.values():
        done = place.run("mpq " + command)
        if done.returncode != 0:
            sys.exit(f"FAILED: {command}\n{done.stderr}")
    return place.folder


def run_page(page, made, folder, options):
    """What ran, and what failed, of one page."""
    place = Place(folder / page.stem, options)
    for original, names in TAKEN.get(page.name, {}).items():
        for name in names:
            place.add(made / original, name)
    text = page.read_text(encoding="utf-8")
    ran, failures, skipped = [], [], set()
    # Blocks are followed one after the other; spans are forms, which do not mind each other's files.
    lines = [(line, {}) for line in block_lines(text)] + [(line, {"MPQ_FORCE": "true"}) for line in spans(text)]
    for line, more in lines:
        reason = next((start for start in SKIPPED if line.startswith(start)), None)
        if reason:
            skipped.add(reason)
            continue
        command, expected = as_run(line)
        done = place.run(command, **more)
        ran.append(command)
        if done.returncode != expected:
            failures.append(f"{page.name}: {line}\n  ran: {command}\n  exit code {done.returncode}, not {expected}: "
                            f"{done.stderr.strip()[-600:]}")
    if page.name == "README.md":
        failures += stale_report(page, place)
    return ran, failures, skipped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--list", action="store_true", help="print what ran")
    parser.add_argument("pages", nargs="*", help="these pages only")
    options = parser.parse_args()
    pages = [options.source / "README.md", *sorted((options.source / "docs").glob("*.md"))]
    if options.pages:
        pages = [page for page in pages if page.name in options.pages]
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        folder = pathlib.Path(name)
        made = make_once(folder / "made", options)
        results = list(pool.map(lambda page: run_page(page, made, folder, options), pages))
    ran = [command for result in results for command in result[0]]
    failures = [failure for result in results for failure in result[1]]
    if options.list:
        print("\n".join(ran))
    if failures:
        sys.exit(f"FAILED: {len(failures)} of {len(ran)}\n" + "\n".join(failures))
    if not options.pages and len(ran) < LEAST:
        sys.exit(f"FAILED: only {len(ran)} commands were found")
    unused = set(SKIPPED) - set().union(*(result[2] for result in results))
    if not options.pages and unused:
        sys.exit(f"FAILED: no page has a command that begins with {unused}")
    print(f"{len(ran)} commands of the documentation ran")


if __name__ == "__main__":
    main()
