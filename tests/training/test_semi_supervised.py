"""The loss of unlabelled reviews: entropy, and the answers' move under the worst perturbation."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fixtures.tiny_problem import new_model, same, separable, tiny, weights_of
from fixtures.tiny_runs import TINY, kill, write_fasttext
from sentir.config import FineTuneConfig
from sentir.data.batching import Batch, pad
from sentir.data.dataset import EncodedCorpus
from sentir.errors import UsageError
from sentir.nn.classifier import SentimentClassifier
from sentir.training.adversarial import worst_perturbation
from sentir.training.checkpoint import Checkpoints
from sentir.training.classification import fit_classifier
from sentir.training.run import train
from sentir.training.semi_supervised import UnlabelledObjective


def objective(
    reviews: EncodedCorpus, *, entropy_weight: float = 0.0, epsilon: float = 0.0
) -> UnlabelledObjective:
    return UnlabelledObjective(
        reviews=reviews, max_length=50, seed=0, entropy_weight=entropy_weight, epsilon=epsilon
    )


@pytest.fixture
def reviews(tmp_path: Path) -> EncodedCorpus:
    return separable(tmp_path / "unlabelled", 60)


@pytest.fixture
def labelled() -> Batch:
    return pad([[2, 3, 4], [5, 6], [7], [8, 9]], 50)


def model_of(**settings: object) -> SentimentClassifier:
    return new_model(tiny(**settings)).train()


def test_the_same_labelled_reviews_draw_the_same_unlabelled_ones(
    reviews: EncodedCorpus, labelled: Batch
) -> None:
    first, again = objective(reviews).draw(labelled), objective(reviews).draw(labelled)
    assert first.rows_B.tolist() == again.rows_B.tolist()
    assert len(set(first.rows_B.tolist())) == 4
    other = objective(reviews).draw(labelled._replace(rows_B=labelled.rows_B + 4))
    assert other.rows_B.tolist() != first.rows_B.tolist()


def test_of_fewer_unlabelled_than_labelled_reviews_all_are_drawn(
    tmp_path: Path, labelled: Batch
) -> None:
    few = separable(tmp_path / "few", 3)
    assert sorted(objective(few).draw(labelled).rows_B.tolist()) == [0, 1, 2]


def test_the_entropy_is_that_of_the_answers(reviews: EncodedCorpus, labelled: Batch) -> None:
    model = model_of(head_dropout=0.0)
    batch = objective(reviews).draw(labelled)
    probabilities_BC = model.probabilities(model(batch.ids_BT, batch.lengths_B))
    entropy = -(probabilities_BC * probabilities_BC.log()).sum(dim=1).mean()
    loss = objective(reviews, entropy_weight=0.5).loss(model, labelled)
    assert loss.item() == pytest.approx(0.5 * entropy.item(), rel=1e-5)


def test_a_step_on_the_entropy_makes_answers_surer(reviews: EncodedCorpus, labelled: Batch) -> None:
    model = model_of()
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    losses = []
    for _ in range(20):
        loss = objective(reviews, entropy_weight=1.0).loss(model, labelled)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_perturbation_moves_answers_more_than_random_ones(
    reviews: EncodedCorpus, labelled: Batch
) -> None:
    """The first step of the power iteration finds a direction that is worse than chance."""
    model = model_of(head_dropout=0.0, hidden_size=8)
    with torch.no_grad():
        model.head.weight *= 20  # so that answers move at all
    batch = objective(reviews).draw(labelled)
    words_TBE = model.embed(batch.ids_BT.T).detach()
    with torch.no_grad():
        logits_BO = model.forward_embedded(words_TBE, batch.ids_BT, batch.lengths_B)
        still = model.loss(logits_BO, model.probabilities(logits_BO))
        found = objective(reviews, epsilon=0.2)
    move = found.loss(model, labelled).item() - still.item()
    random_moves = []
    for seed in range(20):
        torch.manual_seed(seed)
        step_TBE = worst_perturbation(words_TBE, torch.randn_like(words_TBE), batch.lengths_B, 0.2)
        with torch.no_grad():
            moved = model.forward_embedded(words_TBE + step_TBE, batch.ids_BT, batch.lengths_B)
            cross = model.loss(moved, model.probabilities(logits_BO))
        random_moves.append(cross.item() - still.item())
    assert move > max(random_moves) > 0


def test_without_a_perturbation_nothing_moves(reviews: EncodedCorpus, labelled: Batch) -> None:
    """Dropout draws the same masks in each pass, so only the perturbation moves the answers."""
    model = model_of(head_dropout=0.5, embedding_dropout=0.5)
    torch.manual_seed(0)
    entropy = objective(reviews, entropy_weight=1.0).loss(model, labelled)
    torch.manual_seed(0)
    both = objective(reviews, entropy_weight=1.0, epsilon=1e-9).loss(model, labelled)
    assert both.item() == pytest.approx(2 * entropy.item(), rel=1e-4)  # the divergence is entropy


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"freeze_embedding": True}])
def test_every_weight_that_is_trained_gets_a_gradient(
    classes: int, settings: dict[str, object], reviews: EncodedCorpus, labelled: Batch
) -> None:
    model = new_model(tiny(**settings), classes=classes).train()
    objective(reviews, entropy_weight=1.0, epsilon=0.1).loss(model, labelled).backward()
    for name, weight in model.named_parameters():
        assert (weight.grad is not None) == weight.requires_grad, name
        assert weight.grad is None or weight.grad.isfinite().all()


def test_it_is_asked_for_by_settings(reviews: EncodedCorpus) -> None:
    def asked(**settings: float) -> UnlabelledObjective | None:
        return UnlabelledObjective.of(reviews, FineTuneConfig(**settings), max_length=9, seed=1)

    assert asked() is None
    assert asked(entropy_weight=0.5) is not None
    assert asked(virtual_adversarial_epsilon=0.1) is not None


def test_training_with_it_is_resumed_bit_for_bit(tmp_path: Path, reviews: EncodedCorpus) -> None:
    config = tiny(virtual_adversarial_epsilon=0.05, entropy_weight=0.3, eval_steps=2, epochs=2)
    corpora = separable(tmp_path / "train", 40), separable(tmp_path / "valid", 20)

    def run(name: str, emit: object, *, resume: bool = False) -> dict[str, torch.Tensor]:
        (tmp_path / name).mkdir(exist_ok=True)
        model = new_model(config)
        fit_classifier(
            model, *corpora, config, unlabelled=reviews,
            checkpoints=Checkpoints(tmp_path / name, "x"), emit=emit, resume=resume,
        )  # fmt: skip
        return weights_of(model)

    whole = run("whole", lambda event: None)
    with pytest.raises(RuntimeError, match="killed"):
        run("killed", kill)
    assert same(run("killed", lambda event: None, resume=True), whole)


@pytest.mark.filterwarnings("ignore::sentir.errors.SentirWarning")  # of so few reviews
def test_a_run_with_unlabelled_reviews_and_no_teacher(tmp_path: Path) -> None:
    reviews = write_fasttext(tmp_path / "train.ft.txt", 90)
    more = write_fasttext(tmp_path / "more.ft.txt", 60, seed=5)
    settings = {"virtual_adversarial_epsilon": 0.05, "entropy_weight": 0.3}
    run = train(reviews, tmp_path / "run", unlabelled=more, config=TINY, **settings)
    assert run.bundle.config.finetune.entropy_weight == 0.3
    assert "60 from" in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_settings_without_unlabelled_reviews_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="entropy_weight, and no unlabelled reviews"):
        train("sample", tmp_path / "run", entropy_weight=1.0)
    with pytest.raises(UsageError, match="virtual_adversarial_epsilon, and no unlabelled"):
        train("sample", tmp_path / "run", virtual_adversarial_epsilon=0.1)
