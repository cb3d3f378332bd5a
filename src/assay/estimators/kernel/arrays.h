/* Arrays of numbers taken from Python through the buffer protocol, not copied, their types checked. */
#ifndef ASSAY_ARRAYS_H
#define ASSAY_ARRAYS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    Py_buffer view;
    const void *data;
    size_t count; /* along the first axis */
} Array;

static inline void array_free(Array *array) {
    if (array->view.obj != NULL)
        PyBuffer_Release(&array->view);
}

/* Needs the lock. Take an array whose format is one of `formats`, like "LQ", with numbers of `size` bytes.
 * Return 0, or -1 with an exception that names it. */
static inline int array_of(
    PyObject *object, Array *array, const char *name, const char *formats, Py_ssize_t size, int axes
) {
    Py_buffer *view = &array->view;
    int flags = PyBUF_FORMAT | PyBUF_C_CONTIGUOUS;
    if (PyObject_GetBuffer(object, view, flags) < 0)
        return -1;
    const char *format = view->format;
    int sound = view->ndim == axes && view->itemsize == size && format != NULL && strlen(format) == 1 &&
                strchr(formats, format[0]) != NULL && (uintptr_t)view->buf % (uintptr_t)size == 0;
    if (!sound) {
        PyErr_Format(
            PyExc_ValueError, "%s must have %d axes and aligned numbers of %zd bytes, one of %s; it has %d and %s",
            name, axes, size, formats, view->ndim, format == NULL ? "none" : format
        );
        PyBuffer_Release(view);
        return -1;
    }
    array->data = view->buf;
    array->count = (size_t)view->shape[0];
    return 0;
}

#endif
