"""Interpretable units: a network that predicts the next character, and what its cells hold.

The network is not trained on negations, sentences or quotation marks, but predicting well requires
keeping track of them, and single units come to hold one of them (Karpathy, Johnson and Fei-Fei
2016). The unit is not picked by eye: the unit that scores best on one half of unseen text is scored
on the other half, beside the best unit of an untrained network, chosen in the same way.

Shapes: T time (characters), B batch, S a stretch of text with its next character, H units,
V vocabulary (characters), E embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sentir.errors import UsageError
from sentir.lesson.units.properties import PROPERTIES, Property
from sentir.nn.cells import unroll, weights_of
from sentir.synthetic.reviews import sample_reviews

#: Sizes of the network and its training: a minute or two.
UNITS, EMBEDDING, STEPS, BATCH, STRETCH, LEARNING_RATE = 64, 16, 800, 32, 100, 0.005
#: Characters to train on, and unseen characters to choose and score units on.
TRAINING_CHARACTERS, UNSEEN_CHARACTERS = 400_000, 40_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class BestUnit:
    """The unit that tracks a property best.

    Attributes:
        name: of the property.
        kind: ``auc``, 0.5 for chance and 1 for always right, or ``correlation``, 0 for chance.
        unit: which unit, from 0.
        sign: 1 if it rises with the property, -1 if it falls.
        score: on the half of the text that the unit was not chosen on.
        chance: the score of the best unit of an untrained network.
    """

    name: str
    kind: str
    unit: int
    sign: int
    score: float
    chance: float


@dataclass(frozen=True, kw_only=True)
class Units:
    """The best unit of each property, and the text they were scored on.

    Attributes:
        bits: cross-entropy of the trained network on unseen text (bits per character).
        bits_untrained: the same of the untrained network.
        best: one per property.
        text: the half of the unseen text that units are scored on.
        cells_TH: the trained network's cell states along it.
    """

    bits: float
    bits_untrained: float
    best: list[BestUnit]
    text: str
    cells_TH: Floats

    def to_dict(self) -> dict[str, Any]:
        """The numbers as JSON holds them, without the text and the cells."""
        return {
            "bits": self.bits,
            "bits_untrained": self.bits_untrained,
            "best": [asdict(unit) for unit in self.best],
        }


class CharacterModel(nn.Module):
    """Predicts the next character: an embedding, an LSTM, a linear layer."""

    def __init__(self, alphabet: int, units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(alphabet, EMBEDDING)
        self.layer = nn.LSTM(EMBEDDING, units)
        self.head = nn.Linear(units, alphabet)

    def forward(self, ids_TB: Tensor) -> Tensor:
        """Logits (T, B, V) of the next character at each position."""
        logits_TBV: Tensor = self.head(self.layer(self.embedding(ids_TB))[0])
        return logits_TBV

    def cells(self, ids_T: Tensor) -> Floats:
        """The cell states along a text, (T, H), as `sentir.nn.cells` computes them."""
        with torch.inference_mode():
            x_T1E = self.embedding(ids_T)[:, None]
            trace = unroll("lstm", x_T1E, weights_of(self.layer))
        assert trace.cell_TBH is not None
        cells_TH: Floats = trace.cell_TBH[:, 0].double().numpy()
        return cells_TH


def synthetic_text(language: str, characters: int, *, seed: int = 0) -> str:
    """Synthetic reviews, one per line.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    parts, size = [], 0
    for _, review in sample_reviews(1 + characters // 50, language=language, seed=seed):
        parts.append(review.replace("<br />", " "))
        size += len(parts[-1]) + 1
        if size > characters:
            break
    return "\n".join(parts)[:characters]


def find_units(
    language: str = "en",
    *,
    texts: Iterable[str] = (),
    seed: int = 0,
    units: int = UNITS,
    steps: int = STEPS,
    advance: Callable[[int], None] = lambda count: None,
) -> Units:
    """Train a character model, and find the unit that tracks each property best.

    Args:
        language: of the text; decides which words are negations.
        texts: reviews; without any, `synthetic_text` is used.
        seed: of the text, the weights and the order.
        units: H.
        steps: of training.
        advance: called with 1 after every step.

    Raises:
        UsageError: the lesson does not speak the language, or there is too little text.
    """
    text = "\n".join(islice(texts, 5000)) or synthetic_text(
        language, TRAINING_CHARACTERS + UNSEEN_CHARACTERS, seed=seed
    )
    text = text[: TRAINING_CHARACTERS + UNSEEN_CHARACTERS]
    unseen_count = min(UNSEEN_CHARACTERS, len(text) // 5)
    if unseen_count < 1000:
        raise UsageError(
            f"{len(text):,} characters are too few to learn from", todo="give 5,000 or more"
        )
    training, unseen = text[:-unseen_count], text[-unseen_count:]
    alphabet = {character: id for id, character in enumerate(sorted(set(text)))}
    training_T, unseen_T = (
        torch.tensor([alphabet[character] for character in part]) for part in (training, unseen)
    )
    torch.manual_seed(seed)
    untrained = CharacterModel(len(alphabet), units).eval()
    torch.manual_seed(seed)
    model = CharacterModel(len(alphabet), units)
    for _ in train(model, training_T, steps, seed):
        advance(1)
    model.eval()
    half = unseen_count // 2
    cells_TH, chance_TH = model.cells(unseen_T), untrained.cells(unseen_T)
    best = []
    for tracked in PROPERTIES:
        truth_T = tracked.of(unseen, language)
        if any(part.std() == 0 for part in (truth_T[:half], truth_T[half:])):
            continue  # the text does not have the property, as in one without quotation marks
        unit, sign, score = best_unit(cells_TH, truth_T, tracked, half)
        chance = best_unit(chance_TH, truth_T, tracked, half)[2]
        best.append(
            BestUnit(
                name=tracked.name, kind=tracked.kind, unit=unit, sign=sign, score=score,
                chance=chance,
            )
        )  # fmt: skip
    return Units(
        bits=bits(model, unseen_T),
        bits_untrained=bits(untrained, unseen_T),
        best=best,
        text=unseen[half:],
        cells_TH=cells_TH[half:],
    )


def train(model: CharacterModel, training_T: Tensor, steps: int, seed: int) -> Iterator[float]:
    """Train on stretches drawn at random; yields the loss of each step (nats)."""
    random = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    within_S = torch.arange(STRETCH + 1)
    for _ in range(steps):
        starts_B = torch.randint(len(training_T) - STRETCH, (BATCH,), generator=random)
        ids_SB = training_T[starts_B[None] + within_S[:, None]]
        logits_TBV = model(ids_SB[:-1])
        loss = F.cross_entropy(logits_TBV.flatten(0, 1), ids_SB[1:].flatten())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        yield float(loss.detach())


def bits(model: CharacterModel, ids_T: Tensor) -> float:
    """The cross-entropy of the network (bits per character)."""
    with torch.inference_mode():
        logits_TV = model(ids_T[:-1, None])[:, 0]
        return float(F.cross_entropy(logits_TV, ids_T[1:])) / float(np.log(2))


def best_unit(
    cells_TH: Floats, truth_T: Floats, tracked: Property, half: int
) -> tuple[int, int, float]:
    """The unit with the best score on the first half, its sign, and its score on the second."""
    scores_H = tracked.scores(cells_TH[:half], truth_T[:half])
    unit = int(np.abs(scores_H - tracked.uninformative).argmax())
    sign = 1 if scores_H[unit] > tracked.uninformative else -1
    score = tracked.scores(sign * cells_TH[half:, unit : unit + 1], truth_T[half:])[0]
    return unit, sign, float(score)
