/* Texts to logits in one pass. */
#include "text.h"

static PyMethodDef methods[] = {{NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "assay.estimators.kernel.scoring",
    .m_doc = "Texts to logits in one pass.",
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_scoring(void) { return PyModuleDef_Init(&module); }
