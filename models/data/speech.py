#!/usr/bin/env python3
"""Synthesised speech with pauses and background noise for Silero VAD, in chunks of 512 samples at 16 kHz.

The model carries a state from chunk to chunk: every sample holds the state the float model had at that point.
"""
import random
import subprocess
import sys
import tempfile
import wave
from math import gcd
from pathlib import Path

import numpy as np
import onnxruntime
from scipy.signal import resample_poly

import sources

RATE, CHUNK, CONTEXT = 16000, 512, 64
VOICES = ["en-us", "en-gb", "en-gb-scotland", "de", "fr", "es", "it", "pl"]
VARIANTS = ["", "+f2", "+f4", "+m3", "+m7", "+f5", "+m1"]


def speak(text, rng):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["espeak-ng", "-v", rng.choice(VOICES) + rng.choice(VARIANTS), "-s", str(rng.randint(120, 200)),
                        "-p", str(rng.randint(20, 80)), "-w", file.name, text], check=True)
        with wave.open(file.name) as sound:
            audio = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(np.float32) / 32768
            rate = sound.getframerate()
    common = gcd(RATE, rate)
    return resample_poly(audio, RATE // common, rate // common).astype(np.float32)


def background(noise, length, kind):
    sound = noise.normal(0, 1, length)
    if kind == "pink":
        spectrum = np.fft.rfft(sound)
        sound = np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** .5, length)
    return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def stream(texts, rng, noise):
    """(audio, speech mask) of some spoken sentences with pauses."""
    parts, masks = [], []
    for _ in range(4):
        pause = int(rng.uniform(.3, 1.2) * RATE)
        voice = speak(rng.choice(texts)[:90], rng)
        voice = voice / (np.abs(voice).max() + 1e-9) * rng.uniform(.1, .9)
        loud = np.convolve(np.abs(voice), np.ones(800) / 800, "same") > .02 * np.abs(voice).max()
        parts += [np.zeros(pause, np.float32), voice]
        masks += [np.zeros(pause, bool), loud]
    audio, mask = np.concatenate(parts), np.concatenate(masks)
    kind = rng.choice(["white", "pink", "pink", "none"])
    if kind != "none":
        audio = audio + background(noise, len(audio), kind) * rng.uniform(.01, .25)
    whole = len(audio) // CHUNK * CHUNK
    return np.clip(audio[:whole], -1, 1).astype(np.float32), mask[:whole]


def main():
    out = Path(sys.argv[1]) / "silero_vad"
    session = onnxruntime.InferenceSession(str(out / "model.onnx"), providers=["CPUExecutionProvider"])
    texts = sources.sentences()[300:500]
    for name, split, streams, count in (("calibration", 0, 8, 64), ("evaluation", 1, 16, 256)):
        rng, noise = random.Random(51 + split), np.random.default_rng(51 + split)
        inputs, states, labels = [], [], []
        for _ in range(streams):
            audio, mask = stream(texts[split::2], rng, noise)
            state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
            for begin in range(0, len(audio), CHUNK):
                chunk = np.concatenate([context, audio[begin:begin + CHUNK]])
                inputs.append(chunk)
                states.append(state)
                labels.append(int(mask[begin:begin + CHUNK].mean() > .5))
                feed = {"input": chunk[None], "state": state, "sr": np.array(RATE, np.int64)}
                _, state = session.run(None, feed)
                context = chunk[-CONTEXT:]
        pick = sorted(rng.sample(range(len(inputs)), count))
        np.savez(out / f"{name}.npz", input=np.stack([inputs[i] for i in pick]), state=np.stack([states[i] for i in pick]),
                 sr=np.full(count, RATE, np.int64))
        if name == "evaluation":
            np.save(out / "labels.npy", np.array([labels[i] for i in pick], np.int64))


if __name__ == "__main__":
    main()
