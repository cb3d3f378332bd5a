/* Texts to counts of n-grams, for fitting. */
#include "columns.h"

#define TEXTS_AT_ONCE 64

static const char *const analyzers[] = {
    [WORDS] = "words",
    [ALL_WORDS] = "all-words",
    [WORDS_AND_PUNCTUATION] = "words-and-punctuation",
    [CHARACTERS_IN_WORDS] = "char_wb",
};

/* Return 0, or -1 with an exception for a name that is not known or sizes that do not rise from 1. */
static int kind_of(const char *name, int low, int high, Ngrams *kind) {
    if (low < 1 || high < low) {
        PyErr_Format(PyExc_ValueError, "the sizes of n-grams must rise from 1 on, not from %d to %d", low, high);
        return -1;
    }
    for (size_t number = 0; number < sizeof analyzers / sizeof *analyzers; number++) {
        if (analyzers[number] != NULL && strcmp(analyzers[number], name) == 0) {
            *kind = (Ngrams){(Analyzer)number, low, high, 1, NULL};
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "there is no counting for the analyzer '%.100s'", name);
    return -1;
}

typedef struct {
    PyObject *held[TEXTS_AT_ONCE];
    Text texts[TEXTS_AT_ONCE];
    int count;
} Chunk;

static void chunk_release(Chunk *chunk) {
    while (chunk->count > 0)
        Py_DECREF(chunk->held[--chunk->count]);
}

/* Take the next texts of a tuple in lower case. Return 0, or -1 with an exception. */
static int chunk_take(Chunk *chunk, PyObject *texts, Py_ssize_t begin, const Ngrams *kind) {
    Py_ssize_t size = PyTuple_GET_SIZE(texts);
    for (Py_ssize_t at = begin; at < size && chunk->count < TEXTS_AT_ONCE; at++) {
        Text *text = chunk->texts + chunk->count;
        PyObject *held = prepared_text(PyTuple_GET_ITEM(texts, at), kind, NULL, text);
        if (held == NULL)
            return -1;
        chunk->held[chunk->count++] = held;
        if (text->length > MOST_CHARACTERS) {
            PyErr_Format(PyExc_ValueError, "a text has %zd characters; %zd are the most", text->length,
                         MOST_CHARACTERS);
            return -1;
        }
    }
    return PyErr_CheckSignals();
}

/* Return 0, or -1 with an exception. */
static int read_texts(Tokens *tokens, PyObject *texts, const Ngrams *kind) {
    Chunk chunk = {.count = 0};
    Walk walk = {0};
    int status = 0;
    for (Py_ssize_t at = 0; status == 0 && at < PyTuple_GET_SIZE(texts); at += TEXTS_AT_ONCE) {
        status = chunk_take(&chunk, texts, at, kind);
        if (status == 0) {
            Py_BEGIN_ALLOW_THREADS
            for (int number = 0; status == 0 && number < chunk.count; number++)
                if (walk_text(&walk, kind, chunk.texts + number) < 0 || add_text(tokens, &walk) < 0)
                    status = -1;
            Py_END_ALLOW_THREADS
            if (status < 0)
                PyErr_NoMemory();
        }
        chunk_release(&chunk);
    }
    walk_free(&walk);
    return status;
}

/* Return a list of the n-grams of sorted columns; lone surrogates stay what they are. */
static PyObject *grams_of(const Sorted *sorted, uint32_t count) {
    PyObject *grams = PyList_New(count);
    for (uint32_t at = 0; grams != NULL && at < count; at++) {
        PyObject *gram = PyUnicode_DecodeUTF8((const char *)sorted->keys[at].bytes,
                                              (Py_ssize_t)sorted->keys[at].size, "surrogatepass");
        if (gram == NULL)
            Py_CLEAR(grams);
        else
            PyList_SET_ITEM(grams, at, gram);
    }
    return grams;
}

/* Return (n-grams, row starts as int64, columns and counts as int32), the numbers in bytearrays. */
static PyObject *result_of(Counter *counter, const Sorted *sorted) {
    size_t rows = counter->tokens.texts;
    PyObject *grams = grams_of(sorted, counter->column_count);
    PyObject *starts = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)((rows + 1) * sizeof(int64_t)));
    Py_ssize_t size = (Py_ssize_t)(counter->entry_count * sizeof(int32_t));
    PyObject *columns = PyByteArray_FromStringAndSize(NULL, size);
    PyObject *counts = PyByteArray_FromStringAndSize(NULL, size);
    PyObject *result = NULL;
    if (grams != NULL && starts != NULL && columns != NULL && counts != NULL) {
        int64_t *to_starts = (int64_t *)PyByteArray_AS_STRING(starts);
        int32_t *to_columns = (int32_t *)PyByteArray_AS_STRING(columns);
        int32_t *to_counts = (int32_t *)PyByteArray_AS_STRING(counts);
        Py_BEGIN_ALLOW_THREADS
        write_rows(counter, sorted, to_starts, to_columns, to_counts);
        Py_END_ALLOW_THREADS
        result = PyTuple_Pack(4, grams, starts, columns, counts);
    }
    Py_XDECREF(grams);
    Py_XDECREF(starts);
    Py_XDECREF(columns);
    Py_XDECREF(counts);
    return result;
}

static PyObject *counted(PyObject *texts, const Ngrams *kind, size_t least) {
    Counter counter = {0};
    Sorted sorted = {0};
    PyObject *result = NULL;
    if (read_texts(&counter.tokens, texts, kind) == 0) {
        int status;
        Py_BEGIN_ALLOW_THREADS
        status = count_ngrams(&counter, kind, least);
        if (status == 0)
            status = sort_columns(&counter, kind, &sorted);
        Py_END_ALLOW_THREADS
        result = status < 0 ? PyErr_NoMemory() : result_of(&counter, &sorted);
    }
    sorted_free(&sorted);
    counter_free(&counter);
    return result;
}

static PyObject *count(PyObject *Py_UNUSED(module), PyObject *arguments) {
    PyObject *given;
    const char *analyzer;
    int low, high;
    Py_ssize_t least;
    Ngrams kind;
    if (!PyArg_ParseTuple(arguments, "Osiin:count", &given, &analyzer, &low, &high, &least) ||
        kind_of(analyzer, low, high, &kind) < 0)
        return NULL;
    /* A tuple, since another thread may change a list meanwhile. */
    PyObject *texts = PySequence_Tuple(given);
    if (texts == NULL)
        return NULL;
    PyObject *result = NULL;
    if (PyTuple_GET_SIZE(texts) >= (Py_ssize_t)MOST_NUMBERS)
        PyErr_SetString(PyExc_ValueError, "there are too many texts to number");
    else
        result = counted(texts, &kind, least < 1 ? 1 : (size_t)least);
    Py_DECREF(texts);
    return result;
}

static PyMethodDef methods[] = {{"count", count, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "assay.estimators.kernel.counting",
    .m_doc = "Texts to counts of n-grams, for fitting.",
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_counting(void) { return PyModuleDef_Init(&module); }
