"""Watch a run with a function of your own: here it stops as soon as the model is good enough."""

import tempfile
from pathlib import Path

from sentir import Config, train

WANTED = 0.5  # share of right answers; a real run would want more


def stop_when_good(event: dict[str, object]) -> None:
    """Raise what Ctrl-C raises: the best model so far is kept."""
    if event["event"] == "validation":
        print(f"step {event['step']}: {event['accuracy']:.1%} right")
        if float(str(event["accuracy"])) >= WANTED:
            raise KeyboardInterrupt


with tempfile.TemporaryDirectory() as folder:
    config = Config().override(
        {"hidden_size": 8, "embedding_dim": 8, "epochs": 1, "eval_steps": 20}
    )
    run = train(
        train=("sample_es",),
        output=Path(folder) / "run",
        config=config,
        callbacks=[stop_when_good],
    )
    print(f"stopped: {run.bundle.metrics['training']['stopped']}")
