"""The lesson: experiments, exercises, figures and the interactive page."""
