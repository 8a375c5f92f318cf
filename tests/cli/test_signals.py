#!/usr/bin/env python3
"""What a run leaves behind when it is killed or interrupted.

kill -9 at random moments: the output is absent or complete, byte for byte, and the next run clears the remains.
Ctrl-C: exit 130, nothing half-written, and the same command goes on from there to the same bytes.
"""
import argparse
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

KILLS = 25


class Run:
    """`mpq quantize` of the digits classifier into a folder of its own."""

    def __init__(self, mpq, models, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.output = self.folder / "small.onnx"
        self.record = self.folder / "run.json"
        self.command = [str(mpq), "quantize", str(models / "model.onnx"), "--budget", "5bit", "--calibration",
                        str(models / "calibration.npz"), "--trials", "200", "--rounding", "nearest", "--threads", "1", "--checkpoint",
                        str(self.folder / "kept.checkpoint"), "-o", str(self.output), "--report-json", str(self.record),
                        "--force"]
        self.environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C",
                            **{k: v for k, v in os.environ.items() if k == "LD_LIBRARY_PATH" or k.endswith("SAN_OPTIONS")}}

    def start(self):
        return subprocess.Popen(self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def finish(self):
        process = self.start()
        _, messages = process.communicate(timeout=300)
        if process.returncode:
            sys.exit(f"a run to the end exited with {process.returncode}:\n{messages}")

    def leftovers(self):
        """Files of the folder that are neither outputs nor the checkpoint."""
        return [f.name for f in self.folder.iterdir() if f.name not in ("small.onnx", "run.json", "kept.checkpoint")]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def kill_at_random(run, whole_s, expected):
    chance = random.Random(9)
    absent = 0
    for kill in range(KILLS):
        run.output.unlink(missing_ok=True)
        (run.folder / "kept.checkpoint").unlink(missing_ok=True)
        process = run.start()
        # The last moments, when files are written, are the interesting ones: half of the kills go there.
        time.sleep(whole_s * (chance.uniform(0, 1.1) if kill % 2 else chance.uniform(0.85, 1.05)))
        process.kill()
        process.communicate()
        if run.output.exists():
            check(digest(run.output) == expected, f"kill {kill}: the output is there but not whole")
        else:
            absent += 1
    check(absent > 0, "no kill came before the end; the test proves nothing")
    run.finish()
    check(digest(run.output) == expected, "the run after the kills wrote other bytes")
    check(not run.leftovers(), f"the run after the kills left {run.leftovers()}")
    return absent


def interrupt(run, expected):
    checkpoint = run.folder / "kept.checkpoint"
    process = run.start()
    while process.poll() is None and not (checkpoint.exists() and checkpoint.stat().st_size > 0):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    check(process.returncode == 130, f"Ctrl-C: exit code {process.returncode}, expected 130\n{messages}")
    check("kept.checkpoint" in messages, f"Ctrl-C: the message does not say where the progress is kept:\n{messages}")
    check(not run.output.exists(), "Ctrl-C: there is an output")
    check(not run.leftovers(), f"Ctrl-C left {run.leftovers()}")
    check(checkpoint.stat().st_size > 0, "Ctrl-C: the checkpoint is empty")
    run.finish()
    check(digest(run.output) == expected, "the resumed run wrote other bytes than an uninterrupted one")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True, type=pathlib.Path)
    parser.add_argument("--models", required=True, type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        reference = Run(options.mpq, options.models, folder, "reference")
        begin = time.monotonic()
        reference.finish()
        whole_s = time.monotonic() - begin
        expected = digest(reference.output)
        absent = kill_at_random(Run(options.mpq, options.models, folder, "killed"), whole_s, expected)
        interrupt(Run(options.mpq, options.models, folder, "interrupted"), expected)
        print(f"{KILLS} kills within {whole_s:.2f} s, {absent} of them before the output was in place; 1 interruption, resumed")


if __name__ == "__main__":
    main()
