/* The folded view of texts: characters one by one by a table, then the passes over words.

   What a character becomes does not depend on its neighbours for nearly all of them. Python says once what that is,
   or that neighbours have a say; a text with such a character goes through Python's own passes up to the
   words. */
#include "disguises.h"
#include "entities.h"

#define PAGE 256
#define PAGES (0x110000 / PAGE)
/* Entries of the table that are no cells have the highest bit set. */
#define NO_CELL (1u << 31)
#define UNKNOWN 0xffffffffu
#define DROPPED (NO_CELL | 1)
#define DEPENDS (NO_CELL | 2)
#define AMPERSAND (NO_CELL | 3)
#define STRING (NO_CELL | 4)
/* Python is asked for so many characters a text; one with more new ones goes through its passes. */
#define MAX_ASKED 256

typedef struct {
    PyObject_HEAD
    Cell *pages[PAGES];
    Classes classes;
    PyObject *strings;
    PyObject *alone, *front, *entity;
    int spacing, leetspeak, elongation;
} Folder;

/* What has FAILED without an exception had no memory. */
enum { FAILED = -1, NOT_MINE = 0, DONE = 1 };

static inline Cell entry_of(const Folder *folder, Py_UCS4 point) {
    const Cell *page = folder->pages[point / PAGE];
    return page == NULL ? UNKNOWN : page[point % PAGE];
}

static int set_entry(Folder *folder, Py_UCS4 point, Cell entry) {
    Cell **page = &folder->pages[point / PAGE];
    if (*page == NULL) {
        Cell *made = PyMem_Malloc(PAGE * sizeof(Cell));
        if (made == NULL) {
            PyErr_NoMemory();
            return FAILED;
        }
        memset(made, 0xff, PAGE * sizeof(Cell));
        *page = made;
    }
    (*page)[point % PAGE] = entry;
    return DONE;
}

/* Asks Python what becomes of a character. */
static int learn(Folder *folder, Py_UCS4 point) {
    PyObject *answer, *character = PyUnicode_FromOrdinal((int)point);
    if (character == NULL)
        return FAILED;
    answer = PyObject_CallOneArg(folder->alone, character);
    Py_DECREF(character);
    if (answer == NULL)
        return FAILED;
    Text text;
    Cell entry = DEPENDS;
    if (answer != Py_None) {
        if (text_of(answer, &text) < 0)
            goto failed;
        entry = text.length == 0 ? DROPPED : STRING + (Cell)PyList_GET_SIZE(folder->strings);
        if (text.length == 1)
            entry = cell_of(&folder->classes, code_point(&text, 0));
        else if (text.length > 1 && PyList_Append(folder->strings, answer) < 0)
            goto failed;
    }
    Py_DECREF(answer);
    return set_entry(folder, point, entry);
failed:
    Py_DECREF(answer);
    return FAILED;
}

static int put_string(Folder *folder, Cell entry, Cells *cells, Py_ssize_t left) {
    Text text;
    if (text_of(PyList_GET_ITEM(folder->strings, entry - STRING), &text) < 0 ||
        cells_reserve(cells, cells->length + text.length + left) < 0)
        return FAILED;
    for (Py_ssize_t at = 0; at < text.length; at++)
        cells->first[cells->length++] = cell_of(&folder->classes, code_point(&text, at));
    return DONE;
}

typedef struct {
    Cells cells;
    int asked;
} Reading;

/* Adds what becomes of a character; cells for it and for `left` more characters are reserved. */
static int put(Folder *folder, Py_UCS4 point, Reading *reading, Py_ssize_t left) {
    Cell entry = entry_of(folder, point);
    if (entry == UNKNOWN) {
        if (++reading->asked > MAX_ASKED)
            return NOT_MINE;
        if (learn(folder, point) < 0)
            return FAILED;
        entry = entry_of(folder, point);
    }
    Cells *cells = &reading->cells;
    if (entry == DEPENDS)
        return NOT_MINE;
    if (entry == DROPPED)
        return DONE;
    if (entry == AMPERSAND)
        entry = folder->classes.ascii['&'];
    else if (entry & NO_CELL)
        return put_string(folder, entry, cells, left);
    cells->first[cells->length++] = entry;
    return DONE;
}

/* Returns what an entity means by Python's tables, or NULL with an exception. */
static PyObject *meaning(Folder *folder, const Text *text, const Entity *entity) {
    PyObject *what = PyUnicode_FromKindAndData(
        text->kind, (const char *)text->data + entity->first * text->kind, entity->end - entity->first);
    if (what == NULL)
        return NULL;
    PyObject *meant = PyObject_CallOneArg(folder->entity, what);
    Py_DECREF(what);
    return meant;
}

static int put_ampersand(Folder *folder, const Text *text, Py_ssize_t *at, Reading *reading) {
    Entity entity;
    Text meant;
    if (!entity_at(text, *at, &entity)) {
        *at += 1;
        return put(folder, '&', reading, text->length - *at);
    }
    *at = entity.end;
    Py_ssize_t left = text->length - entity.end;
    if (means_itself(entity.number))
        return put(folder, (Py_UCS4)entity.number, reading, left);
    PyObject *object = meaning(folder, text, &entity);
    if (object == NULL)
        return FAILED;
    int status = text_of(object, &meant) < 0 ? FAILED : DONE;
    if (status == DONE)
        status = cells_reserve(&reading->cells, reading->cells.length + meant.length + left) < 0 ? FAILED : DONE;
    for (Py_ssize_t of = 0; status == DONE && of < meant.length; of++)
        status = put(folder, code_point(&meant, of), reading, meant.length - of - 1 + left);
    Py_DECREF(object);
    return status;
}

/* Four at a time as long as there are. */
#define READ_CELLS(type, entry)                                                                                      \
    {                                                                                                                \
        const type *from = (const type *)text->data + at, *end = (const type *)text->data + text->length;            \
        for (; end - from >= 4; from += 4, cell += 4) {                                                              \
            Cell one = entry(from[0]), two = entry(from[1]), three = entry(from[2]), four = entry(from[3]);          \
            if ((one | two | three | four) & NO_CELL)                                                                \
                break;                                                                                               \
            cell[0] = one, cell[1] = two, cell[2] = three, cell[3] = four;                                           \
        }                                                                                                            \
        for (; from < end && !(entry(*from) & NO_CELL); from++)                                                      \
            *cell++ = entry(*from);                                                                                  \
        at = from - (const type *)text->data;                                                                        \
    }
#define LATIN_ENTRY(point) latin[point]
#define ENTRY(point) entry_of(folder, point)

/* Reads characters that become one cell each. Returns the place of the first other one. */
static Py_ssize_t read_cells(const Folder *folder, const Text *text, Py_ssize_t at, Cells *cells) {
    Cell *cell = cells->first + cells->length;
    const Cell *latin = folder->pages[0];
    if (text->kind == PyUnicode_1BYTE_KIND)
        READ_CELLS(Py_UCS1, LATIN_ENTRY)
    else if (text->kind == PyUnicode_2BYTE_KIND)
        READ_CELLS(Py_UCS2, ENTRY)
    else
        READ_CELLS(Py_UCS4, ENTRY)
    cells->length = cell - cells->first;
    return at;
}

static int read_text(Folder *folder, const Text *text, Reading *reading) {
    int status = DONE;
    if (cells_reserve(&reading->cells, text->length) < 0)
        return FAILED;
    for (Py_ssize_t at = 0; status == DONE;) {
        at = read_cells(folder, text, at, &reading->cells);
        if (at == text->length)
            break;
        Py_UCS4 point = code_point(text, at);
        if (entry_of(folder, point) == AMPERSAND)
            status = put_ampersand(folder, text, &at, reading);
        else
            status = put(folder, point, reading, text->length - ++at);
    }
    return status;
}

/* Reads a text by Python's passes up to the words. */
static int read_in_python(Folder *folder, PyObject *object, Cells *cells) {
    Text text;
    PyObject *passed = PyObject_CallOneArg(folder->front, object);
    if (passed == NULL)
        return FAILED;
    cells->length = 0;
    int status = text_of(passed, &text) < 0 || cells_reserve(cells, text.length) < 0 ? FAILED : DONE;
    if (status == DONE)
        for (Py_ssize_t at = 0; at < text.length; at++)
            cells->first[cells->length++] = cell_of(&folder->classes, code_point(&text, at));
    Py_DECREF(passed);
    return status;
}

/* Joins what signs spell out, then what blanks do. */
static int join(Cells *cells) {
    Cells other = {NULL, 0, 0, 0};
    if (cells_reserve(&other, cells->length) < 0)
        return FAILED;
    join_spelled(cells, &other, 1);
    join_spelled(&other, cells, 0);
    cells_free(&other);
    return DONE;
}

static int tell_twice(Cells *cells, const Classes *classes) {
    Cells both = {NULL, 0, 0, 0};
    if (cells_reserve(&both, 2 * cells->length + 1) < 0)
        return FAILED;
    shorten(cells, &both, 2);
    both.first[both.length++] = classes->ascii['\n'];
    shorten(cells, &both, 1);
    both.all = cells->all | '\n';
    cells_free(cells);
    *cells = both;
    return DONE;
}

static int undo_disguises(const Folder *folder, Cells *cells) {
    cells_close(cells);
    int seen = scan(cells);
    if (folder->spacing && seen & SPELLED) {
        if (join(cells) < 0)
            return FAILED;
        seen = scan(cells);
    }
    if (folder->leetspeak && seen & MASKED) {
        read_masked(&folder->classes, cells);
        seen = scan(cells);
    }
    if (folder->leetspeak && seen & MARKED) {
        read_marks(&folder->classes, cells);
        seen = scan(cells);
    }
    return folder->elongation && seen & DRAWN ? tell_twice(cells, &folder->classes) : DONE;
}

/* Undoes the disguises of a long text without the lock. */
static int undo_all(const Folder *folder, Cells *cells) {
    PyThreadState *unlocked = cells->length < QUICK ? NULL : PyEval_SaveThread();
    int status = undo_disguises(folder, cells);
    if (unlocked != NULL)
        PyEval_RestoreThread(unlocked);
    return status;
}

static PyObject *folder_fold(Folder *folder, PyObject *object) {
    Text text;
    Reading reading = {{NULL, 0, 0, 0}, 0};
    PyObject *view = NULL;
    if (folder->strings == NULL) {
        PyErr_SetString(PyExc_ValueError, "a Folder folds after it was made");
        return NULL;
    }
    if (text_of(object, &text) < 0)
        return NULL;
    int status = read_text(folder, &text, &reading);
    if (status == NOT_MINE)
        status = read_in_python(folder, object, &reading.cells);
    if (status == DONE)
        status = undo_all(folder, &reading.cells);
    if (status == DONE)
        view = cells_text(&reading.cells);
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    cells_free(&reading.cells);
    return view;
}

static int read_leet(Classes *classes, PyObject *leet) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    Text sign, letter;
    if (PyDict_GET_SIZE(leet) > MAX_LEET) {
        PyErr_Format(PyExc_ValueError, "at most %d signs may stand for letters", MAX_LEET);
        return FAILED;
    }
    while (PyDict_Next(leet, &at, &key, &value)) {
        if (text_of(key, &sign) < 0 || text_of(value, &letter) < 0)
            return FAILED;
        if (sign.length != 1 || letter.length != 1) {
            PyErr_Format(PyExc_ValueError, "one sign stands for one letter; got %R for %R", key, value);
            return FAILED;
        }
        classes->leet[classes->leets] = code_point(&sign, 0);
        classes->meant[classes->leets++] = code_point(&letter, 0);
    }
    for (Py_UCS4 point = 0; point < 128; point++)
        classes->ascii[point] = class_of(classes, point);
    return DONE;
}

static int folder_init(Folder *folder, PyObject *args, PyObject *named) {
    static char *names[] = {"alone", "front", "entity", "leet", "spacing", "leetspeak", "elongation", NULL};
    PyObject *alone, *front, *entity, *leet;
    if (folder->strings != NULL) {
        PyErr_SetString(PyExc_TypeError, "a Folder is made once");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(args, named, "$OOOO!ppp:Folder", names, &alone, &front, &entity, &PyDict_Type,
                                     &leet, &folder->spacing, &folder->leetspeak, &folder->elongation))
        return -1;
    folder->alone = Py_NewRef(alone);
    folder->front = Py_NewRef(front);
    folder->entity = Py_NewRef(entity);
    if ((folder->strings = PyList_New(0)) == NULL || read_leet(&folder->classes, leet) < 0)
        return -1;
    for (Py_UCS4 point = 0; point < 128; point++)
        if (learn(folder, point) < 0)
            return -1;
    return entity == Py_None || set_entry(folder, '&', AMPERSAND) == DONE ? 0 : -1;
}

static int folder_traverse(Folder *folder, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(folder));
    Py_VISIT(folder->strings);
    Py_VISIT(folder->alone);
    Py_VISIT(folder->front);
    Py_VISIT(folder->entity);
    return 0;
}

static void folder_dealloc(Folder *folder) {
    PyTypeObject *type = Py_TYPE(folder);
    PyObject_GC_UnTrack(folder);
    for (int page = 0; page < PAGES; page++)
        PyMem_Free(folder->pages[page]);
    Py_CLEAR(folder->strings);
    Py_CLEAR(folder->alone);
    Py_CLEAR(folder->front);
    Py_CLEAR(folder->entity);
    type->tp_free((PyObject *)folder);
    Py_DECREF(type);
}

static PyMethodDef folder_methods[] = {
    {"fold", (PyCFunction)folder_fold, METH_O, "Return the folded view of a text."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot folder_slots[] = {
    {Py_tp_doc, "Folds texts."},        {Py_tp_init, folder_init},       {Py_tp_dealloc, folder_dealloc},
    {Py_tp_traverse, folder_traverse}, {Py_tp_methods, folder_methods}, {0, NULL},
};

static PyType_Spec folder_spec = {
    .name = "assay.estimators.kernel.folding.Folder",
    .basicsize = sizeof(Folder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = folder_slots,
};

static int folding_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &folder_spec, NULL);
    if (type == NULL)
        return -1;
    int status = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return status;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, folding_exec}, {0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "assay.estimators.kernel.folding",
    .m_doc = "The folded view of texts.",
    .m_size = 0,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_folding(void) { return PyModuleDef_Init(&module); }
