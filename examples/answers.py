"""Train from Python and ask the model: a file of reviews in, labels and probabilities out."""

import tempfile
from pathlib import Path

from sentir import Config, load, train
from sentir.synthetic.reviews import sample_reviews

with tempfile.TemporaryDirectory() as folder:
    reviews = Path(folder) / "reviews.csv"
    rows = (f'{label},"{text.replace(chr(34), chr(39))}"' for label, text in sample_reviews(600))
    reviews.write_text("label,text\n" + "\n".join(rows) + "\n", encoding="utf-8")

    # Small, so that the example is quick; leave `config` out for a model that is any good.
    config = Config.preset("fast").override({"hidden_size": 16, "embedding_dim": 16, "epochs": 2})
    run = train(train=(str(reviews),), output=Path(folder) / "run", config=config)
    print(f"{run.validation.examples} validation reviews, {run.validation.accuracy:.1%} right")

    model = load(run.folder)
    for answer in model.predict(["The film was wonderful.", "I can't say it was bad."]):
        print(f"{answer.label} {answer.probability:.2f}")
    print(model.labels, model.predict_proba(["The film was wonderful."]).round(2))
