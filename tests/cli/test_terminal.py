#!/usr/bin/env python3
"""The tool in real terminals: reports in windows of several sizes, and completions in zsh and fish, as tmux shows them.

    test_terminal.py --mpq BIN --fixtures DIR

Exits with 77 (skipped) where tmux is not installed; a shell that is not installed is left out.
"""
import argparse
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

WIDE = "層/重み/畳み込み"
END = "=end="
DEADLINE_S = 30


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


class Window:
    """A window of tmux with one command in it, on a server of its own: one that is being killed is no server."""

    servers = itertools.count()

    def __init__(self, folder, env, columns, rows, command):
        self.base = ["tmux", "-u", "-L", f"mpq-test-{os.getpid()}-{next(self.servers)}", "-f", "/dev/null"]
        subprocess.run([*self.base, "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(folder), command],
                       check=True, env=env)

    def call(self, *arguments):
        return subprocess.run([*self.base, *arguments], capture_output=True, text=True, check=True).stdout

    def wait_for(self, text):
        end = time.monotonic() + DEADLINE_S
        while text not in self.call("capture-pane", "-p", "-S", "-"):
            check(time.monotonic() < end, f"{text!r} appears in:\n{self.call('capture-pane', '-p', '-S', '-')}")
            time.sleep(0.1)

    def lines(self, *flags):
        return self.call("capture-pane", "-p", "-S", "-", *flags).split(END)[0].splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("kill-server")


def shown(folder, env, columns, command, rows=40):
    """The lines on the screen, those with wrapped ones joined, and with their colours."""
    with Window(folder, env, columns, rows, f"{command}; echo {END}; sleep 60") as window:
        window.wait_for(END)
        return window.lines(), [line.rstrip() for line in window.lines("-J")], window.lines("-e")


def check_windows(folder, env):
    for columns in (80, 120):
        for command in ("mpq report wide.json", "mpq report wide.plan.json", "mpq inspect net.onnx",
                        "mpq plan wide.json --frontier", "mpq diff wide.json wide.json", "mpq help quantize", "mpq --help"):
            split, joined, _ = shown(folder, env, columns, command)
            check(len(split) > 4 and len(split) == len(joined), f"`{command}` fits {columns} columns:\n" + "\n".join(split))
    split, _, coloured = shown(folder, env, 80, "mpq report wide.json")
    check(any(WIDE[:2] in line for line in split), "wide characters are shown")
    check(any("\x1b[" in line for line in coloured), "a terminal gets colours")
    _, _, plain = shown(folder, {**env, "NO_COLOR": "1"}, 80, "mpq report wide.json")
    check(not any("\x1b[3" in line for line in plain), "NO_COLOR is heeded")
    _, _, piped = shown(folder, env, 80, "mpq report wide.json | cat")
    check(not any("\x1b[3" in line for line in piped), "a pipe gets no colours")
    check_columns(split)
    for columns, rows in ((20, 5), (1, 1)):
        with Window(folder, env, columns, rows, f"mpq report wide.json; echo $? > code-{columns}; sleep 60"):
            wait_for_file(folder / f"code-{columns}")
        check((folder / f"code-{columns}").read_text().strip() == "0", f"a window of {columns} columns breaks nothing")


def wait_for_file(path):
    end = time.monotonic() + DEADLINE_S
    while not path.exists() or not path.read_text():
        check(time.monotonic() < end, f"{path.name} is written")
        time.sleep(0.1)


def cells(text):
    """Of printable text; tmux itself has placed what follows."""
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)


def check_columns(lines):
    places = {cells(line[:line.index("±")]) for line in lines if "±" in line and line.strip()[:1].isdigit()}
    check(len(places) == 1, f"wide names keep the columns: {places}\n" + "\n".join(lines))


def completes(folder, env, shell, setup, typed, *expected):
    """What a shell shows after a tabulator."""
    if shutil.which(shell[0]) is None:
        print(f"{shell[0]} is not installed: left out")
        return
    with Window(folder, env, 120, 40, " ".join(shell)) as window:
        window.call("send-keys", "-l", setup + "; clear; echo rea''dy")
        window.call("send-keys", "Enter")
        window.wait_for("ready")
        window.call("send-keys", "-l", typed)
        window.call("send-keys", "Tab")
        for text in expected:
            window.wait_for(text)


def check_completions(folder, env):
    for name in ("zsh", "fish"):
        (folder / f"c.{name}").write_bytes(subprocess.run(["mpq", "completion", name], env=env, check=True,
                                                          capture_output=True).stdout)
    zsh = (["zsh", "-f"], "autoload -Uz compinit; compinit -u -D; source ./c.zsh")
    fish = (["fish", "--no-config"], "source ./c.fish")
    for shell, setup in (zsh, fish):
        completes(folder, env, shell, setup, "mpq quantize net.onnx --keep conv", "conv1", "conv2")
        completes(folder, env, shell, setup, "mpq plan wide.json --what-if f", "fc=")
        completes(folder, env, shell, setup, "mpq report wide.json --format h", "--format html")
        completes(folder, env, shell, setup, "mpq help bud", "help budgets")
        completes(folder, env, shell, setup, "mpq quant", "mpq quantize")


def prepare(folder, env):
    run = lambda *words: subprocess.run(["mpq", *words], cwd=folder, env=env, check=True, capture_output=True)
    run("analyze", "-q", "net.onnx", "--trials", "2", "-o", "wide.json")
    record = json.loads((folder / "wide.json").read_text(encoding="utf-8"))
    record["layers"][0]["layer"]["name"] = WIDE
    (folder / "wide.json").write_text(json.dumps(record), encoding="utf-8")
    run("plan", "-q", "wide.json", "--budget", "6bit", "-o", "wide.plan.json")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--fixtures", required=True, type=pathlib.Path)
    options = parser.parse_args()
    if shutil.which("tmux") is None:
        print("skipped: tmux is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "work"
        shutil.copytree(options.fixtures, folder, symlinks=True)
        (folder / ".tools").mkdir()
        (folder / ".tools" / "mpq").symlink_to(options.mpq)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MPQ_", "TMUX")) and k != "NO_COLOR"}
        env |= {"PATH": f"{folder}/.tools:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
        prepare(folder, env)
        check_windows(folder, env)
        check_completions(folder, env)
    print("reports fit their windows, and completions work")


if __name__ == "__main__":
    main()
