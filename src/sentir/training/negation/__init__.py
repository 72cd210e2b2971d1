"""Texts of known polarity that are made from the training reviews, so that negation is learnt."""
