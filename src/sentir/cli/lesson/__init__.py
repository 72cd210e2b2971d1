"""``sentir lesson``: the experiments and exercises of the course as commands."""

# The order of the imports is the order of the commands in the help.
# isort: off
from sentir.cli.lesson import cells, reviews, page
from sentir.cli.lesson.app import lesson

# isort: on

__all__ = ["cells", "lesson", "page", "reviews"]
