"""The folded view of texts."""
