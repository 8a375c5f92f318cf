#!/usr/bin/env python3
"""Every manual page, read by groff with all its warnings on: it has no mistakes and fits 80 columns.

    test_man.py --mpq BIN

Exits with 77 (skipped) where groff is not installed.
"""
import argparse
import re
import shutil
import subprocess
import sys


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, check=True, **more)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True)
    options = parser.parse_args()
    if shutil.which("groff") is None:
        print("skipped: groff is not installed")
        sys.exit(77)
    commands = re.findall(r"^  ([a-z]+) ", run(options.mpq, "help").stdout.split("Commands:")[1].split("Topics:")[0], re.M)
    files = run(options.mpq, "man", "list").stdout.split()
    missing = {f"mpq-{name}.1" for name in commands if name != "help"} - set(files)
    if missing or "mpq.1" not in files:
        sys.exit(f"FAILED: no manual page for {missing or 'mpq'}")
    for file in files:
        name = re.fullmatch(r"(?:mpq-)?(.*)\.[17]", file)[1]
        done = run("groff", "-man", "-Tutf8", "-ww", "-P-c", "-P-b", "-P-u", "-rLL=80n", input=run(options.mpq, "man", name).stdout)
        wide = [line for line in done.stdout.splitlines() if len(line) > 80]
        if done.stderr or wide or "NAME" not in done.stdout:
            sys.exit(f"FAILED: {file}: {done.stderr}{wide[:3]}")
    print(f"{len(files)} manual pages are well-formed")


if __name__ == "__main__":
    main()
