/* Code points of a Python text, read without the interpreter's lock: the text must be kept alive meanwhile. */
#ifndef ASSAY_TEXT_H
#define ASSAY_TEXT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Texts with fewer characters are worked on with the lock held: giving it up may cost more than they do. */
#define QUICK 32768

typedef struct {
    int kind;
    int ascii;
    int lower; /* whether it is still to be lower-cased, where that matters */
    const void *data;
    Py_ssize_t length;
} Text;

/* Needs the lock. Returns 0, or -1 with an exception when the object is no text. */
static inline int text_of(PyObject *object, Text *text) {
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "a text must be str, not %.200s", Py_TYPE(object)->tp_name);
        return -1;
    }
    if (PyUnicode_READY(object) < 0)
        return -1;
    text->kind = PyUnicode_KIND(object);
    text->ascii = PyUnicode_IS_ASCII(object);
    text->lower = 0;
    text->data = PyUnicode_DATA(object);
    text->length = PyUnicode_GET_LENGTH(object);
    return 0;
}

static inline Py_UCS4 code_point(const Text *text, Py_ssize_t at) {
    return PyUnicode_READ(text->kind, text->data, at);
}

/* What `\w` of Python's `re` matches in Unicode texts. */
static inline int is_word(Py_UCS4 point) {
    return Py_UNICODE_ISALNUM(point) || point == '_';
}

#endif
