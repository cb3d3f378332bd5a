"""What the documentation shows of encoders that were trained on IMDB, as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

from assay.estimators.transformer.quantization_cost import QuantizationCost
from benchmarks.markdown import table

Results = Mapping[str, Any]
WAYS = {
    "sentiment-minilm": "MiniLM-L6, fine-tuned",
    "sentiment-embedding": "MiniLM-L6, frozen, logistic regression",
}


def finetune(results: Results) -> str:
    """Return what each family reaches on IMDB's test rows."""
    rows = []
    for found in results["finetune"]["imdb"]:
        accuracy, f1 = found["accuracy"], found["f1"]
        facts = found["training"]
        rows.append(
            [
                WAYS[found["task"]],
                f"{accuracy['value']:.4f} ({accuracy['low']:.4f} to {accuracy['high']:.4f})",
                f"{f1['value']:.4f}",
                f"{facts['encoder_rows']:,}",
                f"{len(found['epochs']) or '-'}",
                f"{found['estimator']['max_tokens']}",
                f"{found['test_rows']:,}",
                f"{facts['encoder_seconds'] / 60:.0f} min",
            ]
        )
    head = [
        "encoder",
        "accuracy (95 % interval)",
        "F1",
        "rows trained on",
        "epochs",
        "tokens",
        "rows tested on",
    ]
    head += ["training"]
    return table(head, rows)


def finetune_int8(results: Results) -> str:
    """Return what eight bits cost the fine-tuned encoder."""
    [line] = QuantizationCost.model_validate(results["finetune"]["int8"]).lines()
    return line.replace("validation rows", "of the test reviews, at one threshold") + ".\n"


FINETUNE: Mapping[str, Callable[[Results], str]] = {"finetune": finetune, "finetune_int8": finetune_int8}
"""Each table by its name on the page."""
