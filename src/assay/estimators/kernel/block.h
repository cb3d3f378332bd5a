/* The Python type Block: n-grams of one kind, their table and their weights. */
#ifndef ASSAY_BLOCK_H
#define ASSAY_BLOCK_H

#include "unknown.h"
#include "weights.h"

typedef struct {
    PyObject_HEAD
    Ngrams ngrams;
    StopWords *stop;
    PyObject *prepare; /* a callable, or NULL */
    Table table;
    Trie trie;
    Weights weights;
} Block;

typedef struct {
    const char *analyzer, *tf, *norm;
    PyObject *prepare, *stop, *hashes, *offsets, *keys, *buckets, *scale, *coef;
} BlockParts;

/* Return a name's place in a list that ends with NULL, or -1 with an exception. */
static int place_of(const char *name, const char *const *names, const char *what) {
    for (int place = 0; names[place] != NULL; place++)
        if (strcmp(name, names[place]) == 0)
            return place;
    PyErr_Format(PyExc_ValueError, "%s cannot be %s", what, name);
    return -1;
}

static int block_kind(Block *block, const BlockParts *parts) {
    static const char *const analyzers[] = {"words", "all-words", "words-and-punctuation", "char", "char_wb", NULL};
    static const char *const tfs[] = {"count", "log", "binary", NULL};
    static const char *const norms[] = {"none", "l1", "l2", NULL};
    int analyzer = place_of(parts->analyzer, analyzers, "analyzer");
    int tf = place_of(parts->tf, tfs, "tf"), norm = place_of(parts->norm, norms, "norm");
    if (analyzer < 0 || tf < 0 || norm < 0)
        return -1;
    Ngrams *ngrams = &block->ngrams;
    if (ngrams->low < 1 || ngrams->high < ngrams->low || ngrams->high > MOST_TOKENS) {
        PyErr_Format(PyExc_ValueError, "n-grams cannot be of %d to %d", ngrams->low, ngrams->high);
        return -1;
    }
    ngrams->analyzer = (Analyzer)analyzer;
    block->weights.tf = (Tf)tf;
    block->weights.norm = (Norm)norm;
    if (parts->prepare != Py_None)
        block->prepare = Py_NewRef(parts->prepare);
    if (PyTuple_GET_SIZE(parts->stop) == 0)
        return 0;
    ngrams->stop = block->stop = stopwords_of(parts->stop);
    return block->stop == NULL ? -1 : 0;
}

static int block_table(Block *block, const BlockParts *parts) {
    Table *table = &block->table;
    if (array_of(parts->hashes, &table->hashes, "hashes", "IL", 4, 1) < 0 ||
        array_of(parts->offsets, &table->offsets, "offsets", "LQ", 8, 1) < 0 ||
        array_of(parts->keys, &table->keys, "keys", "B", 1, 1) < 0 ||
        array_of(parts->buckets, &table->buckets, "buckets", "IL", 4, 1) < 0)
        return -1;
    return table_check(table);
}

/* Needs the table. */
static int block_trie(Block *block) {
    const Ngrams *ngrams = &block->ngrams;
    int inside_words = ngrams->analyzer == CHARACTERS_IN_WORDS;
    /* In words, what is shorter than any n-gram counts whole, and a space alone counts for both its words. */
    if (ngrams->analyzer < CHARACTERS || (inside_words && (ngrams->low < 2 || ngrams->low > 3)))
        return 0;
    if (trie_of(&block->trie, &block->table, inside_words) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static int block_weights(Block *block, const BlockParts *parts) {
    Weights *weights = &block->weights;
    size_t features = block->table.hashes.count;
    if (array_of(parts->coef, &weights->coef, "coef", "d", 8, 2) < 0)
        return -1;
    if (parts->scale != Py_None && array_of(parts->scale, &weights->scale, "scale", "d", 8, 1) < 0)
        return -1;
    if (weights->coef.count != features || (weights->scale.data != NULL && weights->scale.count != features)) {
        PyErr_Format(PyExc_ValueError, "coef and scale must have a row for each of %zu features", features);
        return -1;
    }
    weights->logits = (size_t)weights->coef.view.shape[1];
    block->table.along[0] = (Along){weights->coef.data, weights->logits * sizeof(double)};
    block->table.along[1] = (Along){weights->scale.data, weights->scale.data ? sizeof(double) : 0};
    weights_ready(weights);
    return 0;
}

static void block_dealloc(Block *block) {
    PyTypeObject *type = Py_TYPE(block);
    stopwords_free(block->stop);
    table_free(&block->table);
    trie_free(&block->trie);
    weights_free(&block->weights);
    Py_XDECREF(block->prepare);
    type->tp_free(block);
    Py_DECREF(type);
}

static PyObject *block_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    static char *names[] = {
        "analyzer", "low", "high", "lowercase", "prepare", "stop_words", "tf", "norm",
        "hashes", "offsets", "keys", "buckets", "scale", "coef", NULL,
    };
    BlockParts parts;
    Ngrams ngrams = {0};
    if (!PyArg_ParseTupleAndKeywords(
            args, named, "$siipOO!ssOOOOOO", names, &parts.analyzer, &ngrams.low, &ngrams.high, &ngrams.lower,
            &parts.prepare, &PyTuple_Type, &parts.stop, &parts.tf, &parts.norm, &parts.hashes, &parts.offsets,
            &parts.keys, &parts.buckets, &parts.scale, &parts.coef
        ))
        return NULL;
    Block *block = (Block *)type->tp_alloc(type, 0);
    if (block == NULL)
        return NULL;
    block->ngrams = ngrams;
    if (block_kind(block, &parts) < 0 || block_table(block, &parts) < 0 || block_trie(block) < 0 ||
        block_weights(block, &parts) < 0) {
        Py_DECREF(block);
        return NULL;
    }
    return (PyObject *)block;
}

/* Needs the lock. A new reference to the text as it is scored, or NULL with an exception. */
static PyObject *block_prepared(const Block *block, PyObject *object, Text *text) {
    PyObject *ready = prepared_text(object, &block->ngrams, block->prepare, text);
    if (ready != NULL && text->length > MOST_CHARACTERS) {
        PyErr_SetString(PyExc_ValueError, "a text has too many characters");
        Py_CLEAR(ready);
    }
    return ready;
}

static PyObject *block_count_unknown(Block *block, PyObject *object) {
    Text text;
    PyObject *ready = block_prepared(block, object, &text);
    if (ready == NULL)
        return NULL;
    double memory[1024];
    Walk walk = {.room = {memory, sizeof memory, 1}};
    Unknown unknown;
    int failed = count_unknown(&block->table, block->ngrams, &text, &walk, &unknown);
    walk_free(&walk);
    Py_DECREF(ready);
    return failed ? PyErr_NoMemory() : Py_BuildValue("nn", (Py_ssize_t)unknown.distinct, (Py_ssize_t)unknown.lacking);
}

static PyMethodDef block_methods[] = {
    {"count_unknown", (PyCFunction)block_count_unknown, METH_O,
     "Return how many distinct words a text has, and how many of them the vocabulary lacks."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot block_slots[] = {
    {Py_tp_doc, "N-grams of one kind, their table and their weights."},
    {Py_tp_new, block_new},
    {Py_tp_dealloc, block_dealloc},
    {Py_tp_methods, block_methods},
    {0, NULL},
};

static PyType_Spec block_spec = {
    .name = "assay.estimators.kernel.scoring.Block",
    .basicsize = sizeof(Block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = block_slots,
};

#endif
