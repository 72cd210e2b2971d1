"""Units that mean something: a network that guesses the next character, and what its cells hold.

Nobody tells the network of negations, sentences or quotation marks. To guess well it has to keep
them in mind, and some units come to hold just that (Karpathy, Johnson and Fei-Fei 2016). Which unit
does is not picked by eye: the one that tells best on one half of some text that was not learnt from
is scored on the other half, beside the best unit of a network of chance, chosen in the same way.

Shapes: T characters, B stretches of text, H units, A characters of the alphabet, E their numbers.
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

#: Of the network and of its training; small enough for a minute or two.
UNITS, EMBEDDING, STEPS, BATCH, STRETCH, RATE = 64, 16, 800, 32, 100, 0.005
#: Characters learnt from and looked at; the network has seen none of the latter.
LEARNT, SAMPLED_REVIEWS = 400_000, 40_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The unit that tells a property best.

    Attributes:
        name: of the property.
        kind: ``auc``, 0.5 for chance and 1 for always right, or ``correlation``, 0 for chance.
        unit: which unit, from 0.
        sign: 1 if it rises with the property, -1 if it falls.
        score: on the half of the text that did not choose the unit.
        chance: the same of a network with random weights.
    """

    name: str
    kind: str
    unit: int
    sign: int
    score: float
    chance: float


@dataclass(frozen=True, kw_only=True)
class Units:
    """What was found.

    Attributes:
        bits: a character, of the trained network on text it has not seen.
        bits_untrained: of the network of chance.
        found: by property.
        text: the looked at text's second half, for a picture.
        cells_TH: the trained network's cell states along it.
    """

    bits: float
    bits_untrained: float
    found: list[Found]
    text: str
    cells_TH: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it, without the text and the cells."""
        return {
            "bits": self.bits,
            "bits_untrained": self.bits_untrained,
            "found": [asdict(one) for one in self.found],
        }


class CharacterModel(nn.Module):
    """Guesses the next character: an embedding, an LSTM, a linear layer."""

    def __init__(self, alphabet: int, units: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(alphabet, EMBEDDING)
        self.layer = nn.LSTM(EMBEDDING, units)
        self.head = nn.Linear(units, alphabet)

    def forward(self, ids_TB: Tensor) -> Tensor:
        """Logits (T, B, A) of the character that follows each."""
        logits_TBA: Tensor = self.head(self.layer(self.embedding(ids_TB))[0])
        return logits_TBA

    def cells(self, ids_T: Tensor) -> Floats:
        """The cell states along a text, (T, H), as `sentir.nn.cells` computes them."""
        with torch.inference_mode():
            x_T1E = self.embedding(ids_T)[:, None]
            trace = unroll("lstm", x_T1E, weights_of(self.layer))
        assert trace.cell_TBH is not None
        found_TH: Floats = trace.cell_TBH[:, 0].double().numpy()
        return found_TH


def synthetic_text(language: str, characters: int, *, seed: int = 0) -> str:
    """Reviews of the sample, one a line.

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
    """Train a network of characters, and find the unit that tells each property best.

    Args:
        language: of the text; it says what a negation is.
        texts: reviews to learn from and look at; none: made up, see `synthetic_text`.
        seed: of the text, the weights and the order.
        units: H.
        steps: of training.
        advance: told of every step.

    Raises:
        UsageError: the lesson does not speak the language, or there is too little text.
    """
    text = "\n".join(islice(texts, 5000)) or synthetic_text(
        language, LEARNT + SAMPLED_REVIEWS, seed=seed
    )
    text = text[: LEARNT + SAMPLED_REVIEWS]
    looked_at = min(SAMPLED_REVIEWS, len(text) // 5)
    if looked_at < 1000:
        raise UsageError(
            f"{len(text):,} characters are too few to learn from", todo="give 5,000 or more"
        )
    learnt, unseen = text[:-looked_at], text[-looked_at:]
    alphabet = {sign: at for at, sign in enumerate(sorted(set(text)))}
    learnt_T, unseen_T = (
        torch.tensor([alphabet[sign] for sign in part]) for part in (learnt, unseen)
    )
    torch.manual_seed(seed)
    untrained = CharacterModel(len(alphabet), units).eval()
    torch.manual_seed(seed)
    model = CharacterModel(len(alphabet), units)
    for _ in train(model, learnt_T, steps, seed):
        advance(1)
    model.eval()
    half = looked_at // 2
    cells_TH, chance_TH = model.cells(unseen_T), untrained.cells(unseen_T)
    found = []
    for one in PROPERTIES:
        truth_T = one.of(unseen, language)
        if any(part.std() == 0 for part in (truth_T[:half], truth_T[half:])):
            continue  # a text without quotes has no unit for them
        unit, sign, score = best_unit(cells_TH, truth_T, one, half)
        chance = best_unit(chance_TH, truth_T, one, half)[2]
        found.append(
            Found(name=one.name, kind=one.kind, unit=unit, sign=sign, score=score, chance=chance)
        )
    return Units(
        bits=bits(model, unseen_T),
        bits_untrained=bits(untrained, unseen_T),
        found=found,
        text=unseen[half:],
        cells_TH=cells_TH[half:],
    )


def train(model: CharacterModel, learnt_T: Tensor, steps: int, seed: int) -> Iterator[float]:
    """Teach the network on stretches drawn at random; gives each step's loss in nats."""
    random = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    within_S = torch.arange(STRETCH + 1)
    for _ in range(steps):
        starts_B = torch.randint(len(learnt_T) - STRETCH, (BATCH,), generator=random)
        ids_SB = learnt_T[starts_B[None] + within_S[:, None]]
        logits_TBA = model(ids_SB[:-1])
        loss = F.cross_entropy(logits_TBA.flatten(0, 1), ids_SB[1:].flatten())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        yield float(loss.detach())


def bits(model: CharacterModel, ids_T: Tensor) -> float:
    """How many bits a character the network is surprised by."""
    with torch.inference_mode():
        logits_TA = model(ids_T[:-1, None])[:, 0]
        return float(F.cross_entropy(logits_TA, ids_T[1:])) / float(np.log(2))


def best_unit(
    cells_TH: Floats, truth_T: Floats, one: Property, half: int
) -> tuple[int, int, float]:
    """The unit that tells best on the first half, its sign, and its score on the second."""
    scores_H = one.scores(cells_TH[:half], truth_T[:half])
    unit = int(np.abs(scores_H - one.nothing).argmax())
    sign = 1 if scores_H[unit] > one.nothing else -1
    score = one.scores(sign * cells_TH[half:, unit : unit + 1], truth_T[half:])[0]
    return unit, sign, float(score)
