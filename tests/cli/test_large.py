#!/usr/bin/env python3
"""Reports of networks of 100 and 1000 layers: small, and made in no time.

    test_large.py --mpq BIN --models models/digits

Takes the record of a real run and repeats its layers under a transformer's names, each with prices of its own.
"""
import argparse
import copy
import json
import pathlib
import resource
import subprocess
import sys
import tempfile

FORMATS = ("table", "json", "csv", "md", "html")
LARGEST_PAGE = {100: 800_000, 1000: 5_000_000}
SECONDS = 2.0


def run_record(mpq, models, folder):
    record = folder / "run.json"
    subprocess.run([mpq, "quantize", "-q", models / "model.onnx", "--budget", "6bit", "--effort", "1", "--calibration",
                    models / "calibration.npz", "--eval", models / "evaluation.npz", "-o", folder / "small.onnx",
                    "--report-json", record], check=True, capture_output=True)
    return json.loads(record.read_text(encoding="utf-8"))


def enlarged(record, count):
    layers, entries = record["sensitivity"]["layers"], record["plan"]["entries"]
    result = copy.deepcopy(record)
    result["sensitivity"]["layers"], result["plan"]["entries"] = [], []
    for i in range(count):
        layer, entry = copy.deepcopy(layers[i % len(layers)]), copy.deepcopy(entries[i % len(entries)])
        layer["layer"]["name"] = entry["layer"] = f"/model/encoder/layers.{i}/attention/self/query/MatMul"
        factor = 1 + (i * 7919 % 1000) / 100
        layer["score"] *= factor
        for candidate in layer["candidates"]:
            candidate["damage"] *= factor
        result["sensitivity"]["layers"].append(layer)
        result["plan"]["entries"].append(entry)
    return result


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpq", required=True, type=pathlib.Path)
    parser.add_argument("--models", required=True, type=pathlib.Path)
    options = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        record = run_record(options.mpq, options.models, folder)
        for count, largest in LARGEST_PAGE.items():
            source = folder / f"{count}.run.json"
            source.write_text(json.dumps(enlarged(record, count)), encoding="utf-8")
            for form in FORMATS:
                output = folder / f"{count}.{form}"
                before = processor_seconds()
                subprocess.run([options.mpq, "report", source, "--format", form, "-o", output], check=True)
                spent, size = processor_seconds() - before, output.stat().st_size
                print(f"{count} layers, {form}: {size:,} bytes, {spent:.2f} s")
                if spent > SECONDS:
                    failures.append(f"{count} layers as {form} took {spent:.2f} s")
                if form == "html" and size > largest:
                    failures.append(f"the page of {count} layers has {size:,} bytes, more than {largest:,}")
    if failures:
        sys.exit("FAILED: " + "; ".join(failures))


if __name__ == "__main__":
    main()
