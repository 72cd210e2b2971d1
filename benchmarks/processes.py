"""What a training step of `base` costs each of several processes, for several sizes of the batch.

    torchrun --standalone --nproc-per-node 2 benchmarks/processes.py

Random reviews of 100 tokens over 52,000 words; one thread per process. CPU time, as it hardly
depends on what else the machine does. The bytes are those of one
all-reduce, with all rows of the embedding and with those that the batch reads.
"""

from __future__ import annotations

import os
import statistics
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from sentir.config import Config
from sentir.data.batching import pad
from sentir.nn.classifier import SentimentClassifier
from sentir.training.classification import ClassificationTask
from sentir.training.process_group import ProcessGroup, joined

WORDS, TOKENS, STEPS, BATCHES = 52_000, 100, 12, (64, 256)


def seconds_per_step(processes: ProcessGroup, batch_size: int) -> tuple[float, float, float]:
    """Median CPU seconds of a step on rank 0; MB of its gradients, whole and as sent."""
    torch.manual_seed(0)
    config = Config().override({"ngram_buckets": 0})
    model = SentimentClassifier(config.model, vocabulary=WORDS, classes=2)
    random = np.random.default_rng(0)
    valid: Any = SimpleNamespace()
    task = ClassificationTask(
        targets=torch.zeros(batch_size, dtype=torch.int64), valid=valid, max_length=TOKENS
    )
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    # Words as frequent as in a text: the k-th in proportion to 1 / k.
    shares = 1 / np.arange(1, WORDS - 1)
    times = []
    for step in range(STEPS):
        ids = random.choice(WORDS - 2, (batch_size, TOKENS), p=shares / shares.sum()) + 2
        batch = pad(list(ids.astype(np.int32)), TOKENS)
        began = time.process_time()
        share = processes.share_of(batch)
        loss = task.loss(model, share, processes.own_randomness(0, step))
        loss.backward()
        processes.sum_gradients(model, task, batch, loss)
        optimiser.step()
        optimiser.zero_grad()
        times.append(time.process_time() - began)
    sizes = [weight.numel() for weight in model.parameters()]
    rows = len(task.rows_read(model, batch))
    unread = (WORDS - rows) * config.model.embedding_dim
    return statistics.median(times[3:]), sum(sizes) * 4e-6, (sum(sizes) - unread) * 4e-6


def main() -> None:
    torch.set_num_threads(1)
    with joined() as processes:
        for batch_size in BATCHES:
            seconds, whole_mb, sent_mb = seconds_per_step(processes, batch_size)
            if processes.rank == 0:
                print(
                    f"W {os.environ.get('WORLD_SIZE', '1')}, batch {batch_size:,}: "
                    f"{seconds * 1000:,.0f} CPU ms a step, gradients {sent_mb:.1f} MB "
                    f"instead of {whole_mb:.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
