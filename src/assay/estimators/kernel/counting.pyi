"""Texts to counts of n-grams, for fitting."""
