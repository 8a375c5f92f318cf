#!/usr/bin/env python3
"""Models with external data within --memory-limit: the same prices, files and figures as without one, and the peak of
the process within the limit. Transformers are made by bench/large/make_transformer.py.

    test_memory_limit.py --mpq BIN --generator bench/large/make_transformer.py
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

MEBIBYTE = 1 << 20


def run(mpq, arguments, folder, expected=0):
    """Returns stdout, stderr and the peak resident memory in bytes."""
    process = subprocess.Popen([mpq, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != expected:
        sys.exit(f"mpq {' '.join(arguments)}: exit code {code}, expected {expected}\n{err}")
    return out, err, usage.ru_maxrss * 1024


def close(a, b, tolerance):
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def check(condition, what):
    if not condition:
        sys.exit(what)


def damages(path):
    record = json.loads(path.read_text())
    return {(layer["layer"]["name"], candidate["form"], candidate["bits"], candidate["block"]): candidate["damage"]
            for layer in record["layers"] for candidate in layer["candidates"]}


def same_work(mpq, folder):
    """A small model, one with a limit that leaves room for a few of its layers at a time."""
    common = ["--calibration", "calibration.npz", "--effort", "1", "--checkpoint", "none", "--quiet"]
    limit = ["--memory-limit", "121MiB"]
    for name, extra in (("whole", []), ("pieces", limit)):
        run(mpq, ["analyze", "model.onnx", *common, *extra, "-o", name + ".json"], folder)
        run(mpq, ["quantize", "model.onnx", *common, *extra, "--budget", "5bit", "--rounding", "nearest", "--compute",
                  "float", "-o", name + ".onnx", "--report-json", name + ".run.json"], folder)
    whole, pieces = damages(folder / "whole.json"), damages(folder / "pieces.json")
    check(whole.keys() == pieces.keys() and len(whole) > 50, "other layers or candidates were priced")
    for key, damage in whole.items():
        check(close(damage, pieces[key], 1e-3), f"{key}: {damage} as a whole, {pieces[key]} by pieces")
    check((folder / "whole.onnx").read_bytes() == (folder / "pieces.onnx").read_bytes(), "another file was written")
    records = [json.loads((folder / (name + ".run.json")).read_text()) for name in ("whole", "pieces")]
    check("memory_limit_bytes" not in records[0], "a small model ran piece by piece without a limit")
    check(records[1]["memory_limit_bytes"] == 121 * MEBIBYTE, "the record does not tell the limit")
    damage = [record["verification"]["damage"] for record in records]
    check(close(*damage, 1e-3), f"measured damage {damage}")
    for extra in ([], limit):
        out, _, _ = run(mpq, ["verify", "model.onnx", "pieces.onnx", "--data", "calibration.npz", "--json", *extra], folder)
        found = json.loads(out)["verification"]["outputs"][0]["relative_mse"]
        check(close(found, records[0]["verification"]["outputs"][0]["relative_mse"], .2), f"verify: {found}")


def too_little(mpq, folder):
    _, err, _ = run(mpq, ["analyze", "model.onnx", "--memory-limit", "100MB"], folder, expected=2)
    check("at least" in err and "--memory-limit" in err, f"the error does not tell the least limit:\n{err}")
    check(not (folder / "model.onnx.sensitivity.json").exists(), "something was written all the same")


def peak_stays_within(mpq, folder):
    """As a whole this model takes 1.9 GB."""
    limit = 280 * MEBIBYTE
    common = ["--calibration", "calibration.npz", "--memory-limit", f"{limit}B", "--quiet"]
    work = ["--effort", "1", "--bits", "3,4,6", "--forms", "grid", "--checkpoint", "none"]
    for arguments in (["inspect", "model.onnx", "--memory-limit", f"{limit}B"],
                      ["analyze", "model.onnx", *common, *work],
                      ["quantize", "model.onnx", *common, *work, "--budget", "5bit", "-o", "q.onnx",
                       "--report-json", "q.json"],
                      ["verify", "model.onnx", "q.onnx", "--data", "calibration.npz", *common[2:]]):
        _, _, peak = run(mpq, arguments, folder)
        print(f"{arguments[0]}: {peak / MEBIBYTE:.0f} MiB of {limit / MEBIBYTE:.0f}")
        check(peak <= limit, f"{arguments[0]} took {peak} bytes, {limit} were allowed")
    record = json.loads((folder / "q.json").read_text())
    check(record["plan"]["rounding"] == "second-order", "the layers were not rounded by their inputs")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mpq", required=True)
    parser.add_argument("--generator", required=True)
    options = parser.parse_args()
    options.mpq = os.path.abspath(options.mpq)
    with tempfile.TemporaryDirectory() as folder:
        make = [sys.executable, options.generator]
        small, large = pathlib.Path(folder) / "small", pathlib.Path(folder) / "large"
        subprocess.run([*make, small, "--width", "64", "--blocks", "4", "--vocabulary", "2048", "--samples", "10"], check=True)
        subprocess.run([*make, large, "--width", "256", "--blocks", "24", "--samples", "5"], check=True)
        same_work(options.mpq, small)
        too_little(options.mpq, small)
        peak_stays_within(options.mpq, large)
    print("within the memory limit: same prices, files and figures; peaks below it")


if __name__ == "__main__":
    main()
