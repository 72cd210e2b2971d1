"""Train on a file of reviews and ask the model: labels and probabilities."""

import tempfile
from pathlib import Path

import sentir
from sentir.synthetic.reviews import sample_reviews

with tempfile.TemporaryDirectory() as folder:
    reviews = Path(folder) / "reviews.csv"
    rows = (f'{label},"{text.replace(chr(34), chr(39))}"' for label, text in sample_reviews(600))
    reviews.write_text("label,text\n" + "\n".join(rows) + "\n", encoding="utf-8")

    # Small sizes make the example quick; without them the model is a useful one.
    run = sentir.train(
        train=reviews, output=Path(folder) / "run", preset="fast",
        hidden_size=16, embedding_dim=16, epochs=2,
    )  # fmt: skip
    print(
        f"accuracy on {run.validation.examples} validation reviews: {run.validation.accuracy:.1%}"
    )

    model = sentir.load(run.folder)
    for answer in model.predict(["The film was wonderful.", "I can't say it was bad."]):
        print(f"{answer.label} {answer.probability:.2f}")
    print(model.labels, model.predict_proba(["The film was wonderful."]).round(2))
