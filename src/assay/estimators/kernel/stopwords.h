/* Words that count as absent: a table of their hashes, the bytes compared. */
#ifndef ASSAY_STOPWORDS_H
#define ASSAY_STOPWORDS_H

#include "crc.h"
#include "text.h"

typedef struct {
    uint32_t hash, begin, size;
} StopWord;

typedef struct {
    StopWord *slots;
    uint8_t *bytes;
    size_t mask;
} StopWords;

static inline void stopwords_free(StopWords *words) {
    if (words != NULL) {
        PyMem_Free(words->slots);
        PyMem_Free(words->bytes);
        PyMem_Free(words);
    }
}

static inline int is_stopword(const StopWords *words, const uint8_t *token, size_t size) {
    uint32_t hash = crc_end(crc_on(CRC_START, token, size));
    for (size_t at = hash & words->mask;; at = (at + 1) & words->mask) {
        const StopWord *slot = words->slots + at;
        if (slot->size == 0)
            return 0;
        if (slot->hash == hash && slot->size == size && memcmp(words->bytes + slot->begin, token, size) == 0)
            return 1;
    }
}

/* Put the bytes of one word behind those of the others. An empty word stops nothing: no token is empty. */
static inline int stopwords_add(StopWords *words, size_t *used, PyObject *encoded) {
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(encoded, &data, &size) < 0)
        return -1;
    if (size == 0)
        return 0;
    if ((size_t)size > UINT32_MAX - *used - 8) {
        PyErr_SetString(PyExc_OverflowError, "the stop words are too long");
        return -1;
    }
    uint8_t *bytes = PyMem_Realloc(words->bytes, *used + (size_t)size + 8);
    if (bytes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    words->bytes = bytes;
    memcpy(bytes + *used, data, (size_t)size);
    memset(bytes + *used + size, 0, 8);
    uint32_t hash = crc_end(crc_on(CRC_START, bytes + *used, (size_t)size));
    size_t at = hash & words->mask;
    while (words->slots[at].size != 0)
        at = (at + 1) & words->mask;
    words->slots[at] = (StopWord){hash, (uint32_t)*used, (uint32_t)size};
    *used += (size_t)size;
    return 0;
}

/* Needs the lock. Return the words of a tuple of str, or NULL with an exception. */
static inline StopWords *stopwords_of(PyObject *tuple) {
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    size_t slots = 2, used = 0;
    while (slots < 2 * (size_t)count + 1)
        slots *= 2;
    StopWords *words = PyMem_Calloc(1, sizeof *words);
    if (words == NULL || (words->slots = PyMem_Calloc(slots, sizeof *words->slots)) == NULL) {
        stopwords_free(words);
        return (StopWords *)PyErr_NoMemory();
    }
    words->mask = slots - 1;
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *encoded = PyUnicode_AsEncodedString(PyTuple_GET_ITEM(tuple, at), "utf-8", "surrogatepass");
        int failed = encoded == NULL || stopwords_add(words, &used, encoded) < 0;
        Py_XDECREF(encoded);
        if (failed) {
            stopwords_free(words);
            return NULL;
        }
    }
    return words;
}

#endif
