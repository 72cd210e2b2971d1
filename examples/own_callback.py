"""A callback of your own: it stops the training as soon as the model is accurate enough."""

import tempfile
from pathlib import Path

import sentir

ENOUGH = 0.5  # validation accuracy; a real run would ask for more


def stop_when_accurate(event: dict[str, object]) -> None:
    """Raise what Ctrl-C raises: training ends and the best model so far is kept."""
    if event["event"] == "validation":
        print(f"step {event['step']}: accuracy {event['accuracy']:.1%}")
        if float(str(event["accuracy"])) >= ENOUGH:
            raise KeyboardInterrupt


with tempfile.TemporaryDirectory() as folder:
    run = sentir.train(
        train="sample_es", output=Path(folder) / "run", callbacks=[stop_when_accurate],
        hidden_size=8, embedding_dim=8, ngram_buckets=0, embedding_init="random",
        epochs=1, eval_steps=20,
    )  # fmt: skip
    print(f"stopped: {run.bundle.metrics['training']['stopped']}")
