"""``sentir lesson``: the lesson's ideas, each as a run that the reader can repeat."""

# In this order the commands stand in the help.
# isort: off
from sentir.cli.lesson import cells, reviews, page
from sentir.cli.lesson.app import lesson

# isort: on

__all__ = ["cells", "lesson", "page", "reviews"]
