#!/usr/bin/env python3
"""Validates records of mpq against the shipped JSON Schemas with an independent implementation of the standard.

    check_schema.py RECORD...             validates these files, each against the schema of its kind
    check_schema.py --tool MPQ --model M  runs analyze, plan, quantize and verify on a model and validates what they write

Exits with 77 (skipped) where the Python package jsonschema is missing.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
    from referencing import Registry, Resource
except ImportError:
    print("skipped: the Python package jsonschema is missing")
    sys.exit(77)

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schemas"


def load_schemas():
    """Kind of record -> validator. The schemas themselves are checked against the standard's own schema."""
    documents = {path.name.split(".")[0]: json.loads(path.read_text(encoding="utf-8"))
                 for path in sorted(SCHEMAS.glob("*.schema.json"))}
    registry = Registry().with_resources(
        (document["$id"], Resource.from_contents(document)) for document in documents.values())
    for document in documents.values():
        jsonschema.Draft202012Validator.check_schema(document)
    return {kind: jsonschema.Draft202012Validator(document, registry=registry)
            for kind, document in documents.items()}


def refuse_constant(text):
    raise ValueError(f"{text} is no JSON")


def parse(text):
    """Strict: Python's parser would take NaN and Infinity."""
    return json.loads(text, parse_constant=refuse_constant)


def numbers_survive(value):
    """Every number must be finite and have the shortest text that reads back as the same number."""
    if isinstance(value, dict):
        return all(map(numbers_survive, value.values()))
    if isinstance(value, list):
        return all(map(numbers_survive, value))
    return not isinstance(value, float) or (math.isfinite(value) and float(repr(value)) == value)


def problems_of(name, text, validators):
    record = parse(text)
    kind = record.get("record")
    if kind not in validators:
        return [f"{name}: no schema for the record kind {kind!r}"]
    problems = [f"{name}: {error.json_path}: {error.message}" for error in validators[kind].iter_errors(record)]
    if list(record)[:2] != ["schema_version", "record"]:
        problems.append(f"{name}: schema_version and record are not the first keys")
    if not numbers_survive(record):
        problems.append(f"{name}: holds a number that does not survive")
    return problems


def written_by(tool, model, folder):
    """Runs the commands that write records; yields (name, text)."""
    def run(*arguments):
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)} failed with {done.returncode}:\n{done.stderr}")
        return done.stdout

    at = {name: str(folder / name) for name in ("scores.json", "plan.json", "run.json", "small.onnx", "verify.json")}
    run("analyze", model, "-o", at["scores.json"], "--trials", "1")
    run("plan", at["scores.json"], "--budget", "6bit", "-o", at["plan.json"])
    printed = run("quantize", model, "--budget", "6bit", "-o", at["small.onnx"], "--report-json", at["run.json"],
                  "--json", "--trials", "1")
    run("verify", model, at["small.onnx"], "--report-json", at["verify.json"])
    for name in ("scores.json", "plan.json", "run.json", "verify.json"):
        yield name, (folder / name).read_text(encoding="utf-8")
    yield "quantize --json", printed
    yield "profile --json", run("profile", model, "--devices", "cpu,cuda:9", "--repeats", "1", "-o", "-")
    yield "diff --json", run("diff", at["run.json"], at["plan.json"], "--json")
    yield "check --json", run("check", at["run.json"], "--max-bytes", "100%", "--min-sqnr", "warn:99dB", "--json")
    at["profile.json"] = str(folder / "profile.json")
    run("profile", model, "--devices", "cpu", "--precisions", "float32", "--repeats", "1", "-o", at["profile.json"])
    for task in ("sync", "async"):
        yield f"run --task {task}", run("run", model, "--profile", at["profile.json"], "--task", task, "--json")
    yield "report --format json", run("report", at["run.json"], "--format", "json")


def problems_of_lines(tool, model, folder, validators):
    """What quantize --json-lines prints of a model, of a planned one and of a broken one."""
    (folder / "broken.onnx").write_bytes(b"no model")
    problems, seen = [], []
    for extra in ([], ["--dry-run"]):
        done = subprocess.run([tool, "quantize", "-q", model, str(folder / "broken.onnx"), "--budget", "6bit", "--trials", "1",
                               "--output-dir", str(folder / "lines"), "--json-lines", *extra], capture_output=True, text=True,
                              check=False)
        for line in done.stdout.splitlines():
            record = parse(line)
            seen.append(record["status"])
            problems += [f"{line}: {error.message}" for error in validators["line"].iter_errors(record)]
    if seen != ["ok", "failed"] * 2:
        problems.append(f"--json-lines: {seen} instead of two times ok and failed")
    return problems


def self_test(validators):
    """The validation must be able to fail."""
    assert problems_of("empty", '{"schema_version": 1, "record": "plan"}', validators)
    assert list(validators["line"].iter_errors({"schema_version": 1, "model": "a", "status": "ok", "exit_code": 0}))
    assert problems_of("unknown", '{"schema_version": 1, "record": "cake"}', validators)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", nargs="*")
    parser.add_argument("--tool")
    parser.add_argument("--model")
    arguments = parser.parse_args()
    validators = load_schemas()
    self_test(validators)
    texts = [(name, pathlib.Path(name).read_text(encoding="utf-8")) for name in arguments.records]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.tool:
            texts += written_by(arguments.tool, arguments.model, pathlib.Path(folder))
        problems = [problem for name, text in texts for problem in problems_of(name, text, validators)]
        if arguments.tool:
            problems += problems_of_lines(arguments.tool, arguments.model, pathlib.Path(folder), validators)
    print("\n".join(problems) if problems else f"{len(validators)} schemas and {len(texts)} records are valid")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
