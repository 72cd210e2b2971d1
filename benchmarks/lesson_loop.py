"""The lesson's own training and inference loop: the reference for speed.

Its recipe as it stands: every review padded on the left to 200 tokens, float32, PyTorch's default
Adam over the whole embedding, the head on all 200 steps though only the last is used, batches of
400 built in the loop. Its errors are fixed, since they do not affect the speed: the state starts at
zero for every batch, unknown words have an id of their own, the device is assigned.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from sentir.data.dataset import EncodedCorpus

LENGTH, BATCH = 200, 400


class LessonNet(nn.Module):
    """Embedding 400, two LSTM layers of 512, dropout, a linear head and a sigmoid."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 400)
        self.lstm = nn.LSTM(400, 512, 2, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(512, 1)

    def forward(self, ids_BT: Tensor) -> Tensor:
        states_BTH, _ = self.lstm(self.embedding(ids_BT))
        outputs = torch.sigmoid(self.fc(self.dropout(states_BTH.reshape(-1, 512))))
        return outputs.view(len(ids_BT), -1)[:, -1]


def batches(corpus: EncodedCorpus, order: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
    """Left-padded ids of shape (BATCH, LENGTH) and their labels."""
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        ids_BT = np.zeros((len(rows), LENGTH), dtype=np.int64)
        for index, row in enumerate(rows):
            ids = corpus[row][:LENGTH]
            ids_BT[index, LENGTH - len(ids) :] = ids
        yield torch.from_numpy(ids_BT), torch.from_numpy(corpus.labels_N[rows].astype(np.float32))


def train_steps(model: LessonNet, corpus: EncodedCorpus, seed: int) -> Iterator[int]:
    """Train for an epoch; yields the number of reviews of each step."""
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
    criterion = nn.BCELoss()
    order = np.random.default_rng(seed).permutation(len(corpus))
    for ids_BT, labels_B in batches(corpus, order):
        model.zero_grad()
        criterion(model(ids_BT), labels_B).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimiser.step()
        yield len(labels_B)


def predict(model: LessonNet, corpus: EncodedCorpus, rows: np.ndarray) -> np.ndarray:
    """Probability of the positive class for these rows (N,)."""
    model.eval()
    with torch.no_grad():
        batches_B = [model(ids_BT).numpy() for ids_BT, _ in batches(corpus, rows)]
    return np.concatenate(batches_B)
