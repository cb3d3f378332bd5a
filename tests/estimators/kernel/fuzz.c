/* Hands the fuzzer's bytes to checks.py, inside one process. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

static PyObject *check;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, getenv("FUZZ_PYTHON"));
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    PyObject *module = PyImport_ImportModule("tests.estimators.kernel.fuzz");
    PyObject *ready = module == NULL ? NULL : PyObject_CallMethod(module, "instrumented_check", NULL);
    if (ready == NULL) {
        PyErr_Print();
        exit(1);
    }
    check = ready;
    Py_DECREF(module);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PyObject *done = PyObject_CallFunction(check, "y#", (const char *)data, (Py_ssize_t)size);
    if (done == NULL) {
        PyErr_Print();
        abort();
    }
    Py_DECREF(done);
    return 0;
}
