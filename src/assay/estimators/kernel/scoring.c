/* Texts to logits in one pass. */
#include "block.h"

/* How many texts are prepared before the lock is given up for them. */
#define TEXTS_AT_ONCE 256
/* Bytes of the stack for the n-grams of a text, and as many for its counts: enough for some 2,000 characters,
 * so that nothing is allocated for most. */
#define ON_STACK 24576
/* Logits that are summed on the stack. */
#define FEW 16

typedef struct {
    PyTypeObject *block, *model;
} State;

typedef struct {
    PyObject_HEAD
    PyObject *blocks; /* a tuple */
    double *intercept;
    Py_ssize_t logits;
} Model;

/* What scoring a text takes; kept from text to text of one call. */
typedef struct {
    Walk walk;
    Counts counts;
    double *sums;
} Scratch;

typedef struct {
    Py_ssize_t count, characters;
    Text texts[TEXTS_AT_ONCE];
    PyObject *prepared[TEXTS_AT_ONCE];
} Batch;


/* Needs no lock. Add a text's logits; return 0, or -1 without memory. */
static int add_text(const Block *block, const Text *text, Scratch *scratch, double *logits) {
    if (count_text(&scratch->counts, &scratch->walk, &block->table, &block->trie, &block->ngrams, text) < 0)
        return -1;
    add_logits(&block->weights, &scratch->counts, scratch->sums, logits);
    return 0;
}

static void batch_free(Batch *batch) {
    for (Py_ssize_t at = 0; at < batch->count; at++)
        Py_DECREF(batch->prepared[at]);
    batch->count = 0;
}

/* Prepare as many texts as fit. Return 0, or -1 with an exception. */
static int batch_fill(Batch *batch, const Block *block, PyObject *texts, Py_ssize_t from) {
    while (batch->count < TEXTS_AT_ONCE && from < PyTuple_GET_SIZE(texts)) {
        Text *text = batch->texts + batch->count;
        PyObject *ready = block_prepared(block, PyTuple_GET_ITEM(texts, from++), text);
        if (ready == NULL)
            return -1;
        batch->prepared[batch->count++] = ready;
        batch->characters += text->length;
    }
    return 0;
}

/* Add the logits of prepared texts, a row a text. Return 0, or -1 with an exception. */
static int batch_score(const Batch *batch, const Block *block, Scratch *scratch, double *logits) {
    PyThreadState *unlocked = batch->characters < QUICK ? NULL : PyEval_SaveThread();
    int failed = 0;
    for (Py_ssize_t at = 0; at < batch->count && !failed; at++)
        failed = add_text(block, batch->texts + at, scratch, logits + (size_t)at * block->weights.logits);
    if (unlocked != NULL)
        PyEval_RestoreThread(unlocked);
    if (failed)
        PyErr_NoMemory();
    return failed;
}

/* Add what every block makes of a tuple of texts. Return 0, or -1 with an exception. */
static int model_score(const Model *model, PyObject *texts, Scratch *scratch, double *logits) {
    Batch batch;
    for (Py_ssize_t number = 0; number < PyTuple_GET_SIZE(model->blocks); number++) {
        const Block *block = (const Block *)PyTuple_GET_ITEM(model->blocks, number);
        for (Py_ssize_t from = 0; from < PyTuple_GET_SIZE(texts); from += TEXTS_AT_ONCE) {
            batch.count = batch.characters = 0;
            int failed = batch_fill(&batch, block, texts, from);
            if (!failed)
                failed = batch_score(&batch, block, scratch, logits + from * model->logits);
            batch_free(&batch);
            if (failed)
                return -1;
        }
    }
    return 0;
}

/* Fill in the logits of a tuple of texts. Return 0, or -1 with an exception. */
static int model_fill(const Model *model, PyObject *texts, double *logits) {
    double words[ON_STACK / sizeof(double)], counts[ON_STACK / sizeof(double)], few[FEW];
    Room sums = {few, sizeof few, 1};
    Scratch scratch = {.walk.room = {words, sizeof words, 1}, .counts.room = {counts, sizeof counts, 1}};
    size_t size = (size_t)model->logits * sizeof(double);
    scratch.sums = room_for(&sums, size);
    if (scratch.sums == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t row = 0; row < PyTuple_GET_SIZE(texts); row++)
        memcpy(logits + row * model->logits, model->intercept, size);
    int failed = model_score(model, texts, &scratch, logits);
    walk_free(&scratch.walk);
    counts_free(&scratch.counts);
    room_free(&sums);
    return failed;
}

static PyObject *model_logits(Model *model, PyObject *args) {
    PyObject *sequence, *out;
    if (!PyArg_ParseTuple(args, "OO:logits", &sequence, &out))
        return NULL;
    PyObject *texts = PySequence_Tuple(sequence), *result = NULL;
    if (texts == NULL)
        return NULL;
    Array array = {0};
    if (array_of(out, &array, "out", "d", 8, 2) == 0) {
        if (array.view.readonly || array.view.shape[1] != model->logits ||
            array.view.shape[0] != PyTuple_GET_SIZE(texts))
            PyErr_SetString(PyExc_ValueError, "out must be writable, with a row a text and a column a logit");
        else if (model_fill(model, texts, array.view.buf) == 0)
            result = Py_NewRef(Py_None);
        array_free(&array);
    }
    Py_DECREF(texts);
    return result;
}

static PyObject *model_logits_of(Model *model, PyObject *text) {
    PyObject *texts = PyTuple_Pack(1, text), *result = NULL;
    double few[FEW];
    Room room = {few, sizeof few, 1};
    double *logits = room_for(&room, (size_t)model->logits * sizeof *logits);
    if (logits == NULL)
        PyErr_NoMemory();
    else if (texts != NULL && model_fill(model, texts, logits) == 0)
        result = PyTuple_New(model->logits);
    for (Py_ssize_t at = 0; result != NULL && at < model->logits; at++) {
        PyObject *number = PyFloat_FromDouble(logits[at]);
        if (number == NULL)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, at, number);
    }
    room_free(&room);
    Py_XDECREF(texts);
    return result;
}

static void model_dealloc(Model *model) {
    PyTypeObject *type = Py_TYPE(model);
    Py_XDECREF(model->blocks);
    PyMem_RawFree(model->intercept);
    type->tp_free(model);
    Py_DECREF(type);
}

static int check_blocks(PyTypeObject *type, PyObject *blocks, size_t logits) {
    State *state = PyType_GetModuleState(type);
    if (state == NULL)
        return -1;
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(blocks); at++) {
        PyObject *block = PyTuple_GET_ITEM(blocks, at);
        if (Py_TYPE(block) != state->block) {
            PyErr_Format(PyExc_TypeError, "blocks must be of Block, not %.200s", Py_TYPE(block)->tp_name);
            return -1;
        }
        if (((Block *)block)->weights.logits != logits) {
            PyErr_Format(PyExc_ValueError, "every block must have %zu logits", logits);
            return -1;
        }
    }
    return 0;
}

static PyObject *model_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    static char *names[] = {"blocks", "intercept", NULL};
    PyObject *blocks, *given;
    if (!PyArg_ParseTupleAndKeywords(args, named, "O!O", names, &PyTuple_Type, &blocks, &given))
        return NULL;
    Array intercept = {0};
    if (array_of(given, &intercept, "intercept", "d", 8, 1) < 0)
        return NULL;
    Model *model = NULL;
    size_t size = intercept.count * sizeof(double);
    if (check_blocks(type, blocks, intercept.count) == 0)
        model = (Model *)type->tp_alloc(type, 0);
    if (model != NULL && (model->intercept = PyMem_RawMalloc(size)) == NULL) {
        Py_CLEAR(model);
        PyErr_NoMemory();
    }
    if (model != NULL) {
        memcpy(model->intercept, intercept.data, size);
        model->blocks = Py_NewRef(blocks);
        model->logits = (Py_ssize_t)intercept.count;
    }
    array_free(&intercept);
    return (PyObject *)model;
}

static PyMethodDef model_methods[] = {
    {"logits", (PyCFunction)model_logits, METH_VARARGS, "Fill in the logits of texts, a row a text."},
    {"logits_of", (PyCFunction)model_logits_of, METH_O, "Return the logits of one text."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot model_slots[] = {
    {Py_tp_doc, "Blocks of weighted n-grams and an intercept a logit."},
    {Py_tp_new, model_new},
    {Py_tp_dealloc, model_dealloc},
    {Py_tp_methods, model_methods},
    {0, NULL},
};

static PyType_Spec model_spec = {
    .name = "assay.estimators.kernel.scoring.Model",
    .basicsize = sizeof(Model),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = model_slots,
};

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **type) {
    *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *type == NULL ? -1 : PyModule_AddType(module, *type);
}

static int scoring_exec(PyObject *module) {
    State *state = PyModule_GetState(module);
    return add_type(module, &block_spec, &state->block) < 0 ? -1 : add_type(module, &model_spec, &state->model);
}

static int scoring_traverse(PyObject *module, visitproc visit, void *arg) {
    State *state = PyModule_GetState(module);
    Py_VISIT(state->block);
    Py_VISIT(state->model);
    return 0;
}

static int scoring_clear(PyObject *module) {
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->block);
    Py_CLEAR(state->model);
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, scoring_exec}, {0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "assay.estimators.kernel.scoring",
    .m_doc = "Texts to logits in one pass.",
    .m_size = sizeof(State),
    .m_slots = slots,
    .m_traverse = scoring_traverse,
    .m_clear = scoring_clear,
};

PyMODINIT_FUNC PyInit_scoring(void) { return PyModuleDef_Init(&module); }
