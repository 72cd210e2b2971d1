"""Fitting the classifier: the loop, its checkpoints, the run that ties the journey together."""
