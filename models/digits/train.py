#!/usr/bin/env python3
"""Trains the digits classifier of this folder and writes model.onnx, calibration.npz, evaluation.npz and labels.npy.

Run once; the results are committed, so nobody needs torch to use them. Debian: python3-torch, and the file
digits.csv.gz of the scikit-learn package (UCI Optical Recognition of Handwritten Digits, 1797 images of 8 x 8).

    python3 train.py path/to/digits.csv.gz
"""
import gzip
import sys

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

SEED, EPOCHS, BATCH = 7, 60, 64
CALIBRATION, EVALUATION = 128, 500


class Separable(nn.Module):
    """Depthwise then pointwise convolution with a residual connection."""

    def __init__(self, channels):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = F.relu(self.norm1(self.depthwise(x)))
        return F.relu(x + self.norm2(self.pointwise(y)))


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(32)
        self.block1 = Separable(32)
        self.down = nn.Conv2d(32, 64, 3, stride=2, padding=1, bias=False)
        self.down_norm = nn.BatchNorm2d(64)
        self.block2 = Separable(64)
        self.block3 = Separable(64)
        self.hidden = nn.Linear(64 * 4 * 4, 64)
        self.head = nn.Linear(64, 10)

    def forward(self, image):
        x = F.relu(self.stem_norm(self.stem(image)))
        x = self.block1(x)
        x = F.relu(self.down_norm(self.down(x)))
        x = self.block3(self.block2(x))
        x = F.relu(self.hidden(x.flatten(1)))
        return self.head(F.dropout(x, 0.3, self.training))


def load(path):
    table = np.loadtxt(gzip.open(path), delimiter=",", dtype=np.float32)
    images = (table[:, :64] / 16).reshape(-1, 1, 8, 8)
    labels = table[:, 64].astype(np.int64)
    order = np.random.default_rng(SEED).permutation(len(labels))
    return images[order], labels[order]


def shifted(batch):
    """Random shifts by up to one pixel: the only augmentation."""
    dy, dx = np.random.randint(-1, 2, 2)
    return torch.roll(batch, (int(dy), int(dx)), (2, 3))


def main():
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    torch.set_num_threads(1)
    images, labels = load(sys.argv[1])
    x_eval, y_eval = images[:EVALUATION], labels[:EVALUATION]
    x = torch.from_numpy(images[EVALUATION:])
    y = torch.from_numpy(labels[EVALUATION:])

    model = Digits()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for i in range(len(x) // BATCH):
            pick = order[i * BATCH:(i + 1) * BATCH]
            loss = F.cross_entropy(model(shifted(x[pick])), y[pick], label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        correct = (model(torch.from_numpy(x_eval)).argmax(1).numpy() == y_eval).mean()
    print(f"parameters {sum(p.numel() for p in model.parameters())}, held-out accuracy {correct:.4f}")

    torch.onnx.export(model, torch.zeros(1, 1, 8, 8), "model.onnx", opset_version=17,
                      input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
    np.savez_compressed("calibration.npz", image=images[EVALUATION:EVALUATION + CALIBRATION])
    np.savez_compressed("evaluation.npz", image=x_eval)
    np.save("labels.npy", y_eval.astype(np.int32))


if __name__ == "__main__":
    main()
