/* Texts to counts of n-grams, for fitting. */
#include "text.h"

static PyMethodDef methods[] = {{NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "assay.estimators.kernel.counting",
    .m_doc = "Texts to counts of n-grams, for fitting.",
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_counting(void) { return PyModuleDef_Init(&module); }
