/* A text as UTF-8, lower-cased where that is asked for, with what each byte belongs to. */
#ifndef ASSAY_LETTERS_H
#define ASSAY_LETTERS_H

#include <stdint.h>

#include "text.h"

/* What a byte's character is. OTHER marks a character's first byte alone; the bytes after it have 0. */
#define WORD 1
#define SPACE 2
#define OTHER 4

/* Bytes that may be read and written beyond the end, so that short copies need no loop. */
#define SLACK 64

static inline uint8_t ascii_lower(uint8_t byte) {
    return byte | (uint8_t)(((uint8_t)(byte - 'A') < 26) << 5);
}

/* White space is what `str.isspace` says: 9 to 13, 28 to 31, and 32. */
static inline uint8_t ascii_class(uint8_t byte) {
    uint8_t word = ((uint8_t)((byte | 32) - 'a') < 26) | ((uint8_t)(byte - '0') < 10) | (byte == '_');
    uint8_t space = ((uint8_t)(byte - 9) < 5) | ((uint8_t)(byte - 28) < 5);
    return (uint8_t)(word | space << 1 | (word | space ? 0 : OTHER));
}

static inline uint8_t class_of(Py_UCS4 point) {
    if (is_word(point))
        return WORD;
    return Py_UNICODE_ISSPACE(point) ? SPACE : OTHER;
}

/* How many bytes a character has, from its first. */
static inline size_t width_of(uint8_t first) {
    return (size_t)1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0);
}

/* A lone surrogate gets three bytes, which no vocabulary of valid text holds. */
static inline size_t encode_point(Py_UCS4 point, uint8_t *out) {
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t width = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t at = width - 1; at > 0; at--, point >>= 6)
        out[at] = (uint8_t)(0x80 | (point & 0x3F));
    out[0] = (uint8_t)(first[width] | point);
    return width;
}

/* Whether `str.lower` gives what `Py_UNICODE_TOLOWER` gives character by character: of all characters only
 * the capital I with a dot becomes two, and only the capital sigma looks at its neighbours. */
static inline int lowers_alone(const Text *text) {
    if (text->kind == PyUnicode_1BYTE_KIND)
        return 1;
    int found = 0;
    for (Py_ssize_t at = 0; at < text->length; at++) {
        Py_UCS4 point = code_point(text, at);
        found |= (point == 0x130) | (point == 0x3A3);
    }
    return !found;
}

/* How many bytes a text has at most in UTF-8; a character that takes two may take three lower-cased. */
static inline size_t most_bytes(const Text *text) {
    static const size_t widths[] = {0, 2, 3, 0, 4};
    return (size_t)text->length * (text->ascii ? 1 : widths[text->kind]);
}

static inline size_t read_ascii(const Text *text, uint8_t *bytes, uint8_t *classes) {
    const uint8_t *data = text->data;
    size_t size = (size_t)text->length;
    if (text->lower)
        for (size_t at = 0; at < size; at++)
            bytes[at] = ascii_lower(data[at]);
    else
        memcpy(bytes, data, size);
    for (size_t at = 0; at < size; at++)
        classes[at] = ascii_class(data[at]);
    return size;
}

static inline size_t read_any(const Text *text, uint8_t *bytes, uint8_t *classes) {
    size_t end = 0;
    for (Py_ssize_t at = 0; at < text->length; at++) {
        Py_UCS4 point = code_point(text, at);
        if (point < 0x80) {
            bytes[end] = text->lower ? ascii_lower((uint8_t)point) : (uint8_t)point;
            classes[end++] = ascii_class((uint8_t)point);
            continue;
        }
        if (text->lower)
            point = Py_UNICODE_TOLOWER(point);
        uint8_t class = class_of(point);
        size_t width = encode_point(point, bytes + end);
        classes[end] = class;
        for (size_t next = 1; next < width; next++)
            classes[end + next] = class & (WORD | SPACE);
        end += width;
    }
    return end;
}

/* Write a text's bytes and their classes, `most_bytes` of each at most; return how many. */
static inline size_t read_letters(const Text *text, uint8_t *bytes, uint8_t *classes) {
    return text->ascii ? read_ascii(text, bytes, classes) : read_any(text, bytes, classes);
}

#endif
