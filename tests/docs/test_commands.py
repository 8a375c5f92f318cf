#!/usr/bin/env python3
"""Every mpq command line that README.md and docs/ show is one that the tool takes: options, their values, arguments.

    test_commands.py --mpq BIN --source ROOT

Each is run with --print-config, which reads the whole command line and stops; tests/docs/test_ci.py runs whole jobs.
"""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys

LEAST = 40


def command_lines(text):
    """Lines of code blocks that begin with mpq, continued ones joined, without comments, pipes and redirections."""
    text = re.sub(r"\\\n\s*", " ", text)
    for line in re.findall(r"^(?:    |\t|\$ )?\s*(?:- )?(mpq [a-z].*)$", text, re.M):
        yield line


def words_of(line):
    words = shlex.split(line, comments=True)
    end = next((i for i, word in enumerate(words) if word in ("|", ">", ">>", "&&", ";")), len(words))
    return words[1:end]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--source", required=True, type=pathlib.Path)
    options = parser.parse_args()
    known = re.findall(r"^  ([a-z]+) ", subprocess.run([options.mpq, "help"], capture_output=True, text=True,
                                                       check=True).stdout, re.M)
    tried, failures = 0, []
    for page in [options.source / "README.md", *sorted((options.source / "docs").glob("*.md"))]:
        for line in command_lines(page.read_text(encoding="utf-8")):
            words = words_of(line)
            if words[0] not in known or words[0] == "help" or "..." in line:
                continue
            done = subprocess.run([options.mpq, *words, "--print-config"], capture_output=True, text=True, check=False,
                                  cwd=options.source / "tests")
            tried += 1
            if done.returncode != 0 and "configuration file cannot be read" not in done.stderr:
                failures.append(f"{page.name}: {line}\n  {done.stderr.strip()}")
    if failures or tried < LEAST:
        sys.exit("FAILED: " + "\n".join(failures or [f"only {tried} commands were found"]))
    print(f"{tried} commands of the documentation are taken")


if __name__ == "__main__":
    main()
