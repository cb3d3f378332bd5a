"""Texts to logits in one pass."""
