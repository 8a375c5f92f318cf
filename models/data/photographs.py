#!/usr/bin/env python3
"""Crops of real photographs for the image classifiers: 224 x 224, ImageNet normalisation."""
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import sources


def main():
    out = Path(sys.argv[1]) / "efficientnet_lite0"
    for name, split, count in (("calibration", 0, 64), ("evaluation", 1, 192)):
        rng, noise = random.Random(31 + split), np.random.default_rng(31 + split)
        pictures = sources.photographs()[split]
        samples = []
        for i in range(count):
            picture = sources.as_taken(sources.random_crop(pictures[i % len(pictures)], rng), rng, noise)
            pixels = np.asarray(picture.resize((224, 224), Image.BICUBIC), np.float32) / 255
            samples.append(((pixels - sources.MEAN) / sources.DEVIATION).transpose(2, 0, 1))
        np.savez(out / f"{name}.npz", image=np.stack(samples).astype(np.float32))


if __name__ == "__main__":
    main()
