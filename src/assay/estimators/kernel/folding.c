/* The folded view of texts. */
#include "text.h"

static PyMethodDef methods[] = {{NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "assay.estimators.kernel.folding",
    .m_doc = "The folded view of texts.",
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_folding(void) { return PyModuleDef_Init(&module); }
