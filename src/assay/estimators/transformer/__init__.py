"""Fine-tuned and frozen transformer encoders; the only place that imports torch and transformers."""
