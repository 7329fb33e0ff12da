"""Training steps of PyTorch beside `stance bench train`: pip install torch numpy, then

    python train.py [--kind causal|relative|full|looped|lstm] [--layers 4] [--width 128] [--heads 4] [--context 256]
                    [--batch 16] [--vocab 16] [--steps 20] [--mode eager|compile] [--bf16] [--threads N]

prints one JSON object. Batches are random symbols, as in `stance bench`; a step is forward, backward, clipping by the
global norm and AdamW (PyTorch's fused one) in f32. `causal`, `full` and `looped` have learnt absolute positions and
PyTorch's fused attention, the cheapest that it offers. `relative` is this project's model: a learnt bias for each head
and each distance, which PyTorch's attention takes as a mask.
"""

import argparse
import json
import math
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, context, kind):
        super().__init__()
        self.heads, self.kind = heads, kind
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        if kind == "relative":
            self.bias = nn.Parameter(torch.randn(heads, context))
            distance = torch.arange(context)[:, None] - torch.arange(context)[None, :]
            self.register_buffer("distance", distance.clamp(min=0))
            self.register_buffer("future", distance < 0)

    def forward(self, x):
        sequences, length, width = x.shape
        parts = self.qkv(self.norm1(x)).view(sequences, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if self.kind == "relative":
            mask = self.bias[:, self.distance].masked_fill(self.future, -math.inf)
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        else:
            mixed = F.scaled_dot_product_attention(query, key, value, is_causal=self.kind != "full")
        x = x + self.out(mixed.transpose(1, 2).reshape(sequences, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Transformer(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.embed = nn.Embedding(a.vocab, a.width)
        self.place = None if a.kind == "relative" else nn.Embedding(a.context, a.width)
        distinct = 1 if a.kind == "looped" else a.layers
        self.blocks = nn.ModuleList(Block(a.width, a.heads, a.context, a.kind) for _ in range(distinct))
        self.layers, self.norm, self.unembed = a.layers, nn.LayerNorm(a.width), nn.Linear(a.width, a.vocab)

    def forward(self, tokens):
        x = self.embed(tokens)
        if self.place is not None:
            x = x + self.place.weight
        for number in range(self.layers):
            x = self.blocks[number % len(self.blocks)](x)
        return self.unembed(self.norm(x))


class Lstm(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.embed, self.unembed = nn.Embedding(a.vocab, a.width), nn.Linear(a.width, a.vocab)
        self.lstm = nn.LSTM(a.width, a.width, num_layers=a.layers, batch_first=True)

    def forward(self, tokens):
        return self.unembed(self.lstm(self.embed(tokens))[0])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kind", default="causal", choices=["causal", "relative", "full", "looped", "lstm"])
    for name, value in dict(layers=4, width=128, heads=4, context=256, batch=16, vocab=16, steps=20, threads=0).items():
        p.add_argument(f"--{name}", type=int, default=value)
    p.add_argument("--mode", default="eager", choices=["eager", "compile"])
    p.add_argument("--bf16", action="store_true")
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    model = (Lstm(a) if a.kind == "lstm" else Transformer(a)).to(a.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    tokens, targets = (torch.randint(a.vocab, (a.batch, a.context), device=a.device) for _ in range(2))

    def loss_of():
        with torch.autocast(a.device, torch.bfloat16, enabled=a.bf16):
            logits = model(tokens)
        return F.cross_entropy(logits.float().view(-1, a.vocab), targets.view(-1))

    compute = torch.compile(loss_of) if a.mode == "compile" else loss_of

    def step():
        loss = compute()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if a.device != "cpu":
            torch.cuda.synchronize()

    for _ in range(4):
        step()
    times = []
    for _ in range(a.steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    mean = sum(times) / len(times)
    print(json.dumps({
        "tokens_per_second": a.batch * a.context / mean,
        "median_tokens_per_second": a.batch * a.context / statistics.median(times),
        "milliseconds_per_step": 1000 * mean,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "device": a.device, "kind": a.kind, "mode": a.mode, "bf16": a.bf16, "threads": torch.get_num_threads(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()), "torch": torch.__version__,
    }))


main()
