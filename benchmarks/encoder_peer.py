"""FastAPI + torch, one text a call, as people write it: what ``serve_encoder`` measures Assay against.

``uvicorn benchmarks.encoder_peer:app`` with ENCODER (a folder of Hugging Face), THREADS and TOKENS set.
"""

import os

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

FOLDER, TOKENS = os.environ["ENCODER"], int(os.environ["TOKENS"])

torch.set_num_threads(int(os.environ["THREADS"]))
tokenizer = AutoTokenizer.from_pretrained(FOLDER)
model = AutoModelForSequenceClassification.from_pretrained(FOLDER).eval()
app = FastAPI()


class Asked(BaseModel):
    """One text."""

    text: str


@app.post("/predict")
def predict(asked: Asked) -> dict[str, object]:
    """Decide one text."""
    inputs = tokenizer(asked.text, truncation=True, max_length=TOKENS, return_tensors="pt")
    with torch.inference_mode():
        [probabilities] = model(**inputs).logits.softmax(dim=-1)
    best = int(probabilities.argmax())
    return {"label": model.config.id2label[best], "probability": float(probabilities[best])}
