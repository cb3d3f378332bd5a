/* Characters with their classes: what the passes of folding read and write instead of code points. */
#ifndef ASSAY_CELLS_H
#define ASSAY_CELLS_H

#include "text.h"
#include <stdint.h>
#include <string.h>

/* A code point in the lower 21 bits, and what it is above them. */
typedef uint32_t Cell;
#define POINT_MASK 0x1fffffu
#define ALNUM (1u << 21)     /* str.isalnum */
#define LETTER (1u << 22)    /* may be spelled out: Latin, Greek or Cyrillic, lower case */
#define PLAIN (1u << 23)     /* a-z */
#define DIGIT (1u << 24)     /* 0-9 */
#define LEET (1u << 25)      /* stands for a letter */
#define MASKING (1u << 26)   /* DIGIT or LEET */
#define SEPARATES (1u << 27) /* may stand between letters that are spelled out */
#define REPEATS (1u << 28)   /* a letter that may be drawn out: [^\W\d_] */
#define MARK (1u << 29)      /* ! */
#define INSIDE (1u << 30)    /* LETTER or LEET */

#define MAX_LEET 32
/* Empty cells on either side of a text, which no pass looks beyond. */
#define MARGIN 8

/* The classes of ASCII, and what stands for which letter. */
typedef struct {
    Cell ascii[128];
    Py_UCS4 leet[MAX_LEET], meant[MAX_LEET];
    int leets;
} Classes;

static inline Py_UCS4 point_of(Cell cell) { return cell & POINT_MASK; }

static inline int is_apostrophe(Cell cell) { return point_of(cell) == '\'' || point_of(cell) == 0x2019; }

static inline int in_word(Cell cell) { return (cell & ALNUM) != 0 || point_of(cell) == '_'; }

/* Signs that separate with a blank on either side or none; others that separate do so alone. */
static inline int is_stroke(Cell cell) {
    Py_UCS4 point = point_of(cell);
    return point == 0xb7 || point == 0x2022 || (point != 0 && point < 128 && strchr("._-*/\\|~", (int)point) != NULL);
}

static inline int is_blank(Cell cell) { return point_of(cell) == ' ' || point_of(cell) == '\t'; }

static inline int is_stop(Cell cell) { return cell & SEPARATES && !is_stroke(cell) && !is_blank(cell); }

static Cell class_of(const Classes *classes, Py_UCS4 point) {
    Cell cell = point;
    if (Py_UNICODE_ISALNUM(point))
        cell |= ALNUM | (Py_UNICODE_ISDECIMAL(point) ? 0 : REPEATS);
    if ((point >= 'a' && point <= 'z') || (point >= 0xdf && point <= 0x24f && point != 0xf7) ||
        (point >= 0x3ac && point <= 0x481) || (point >= 0x48b && point <= 0x52f))
        cell |= LETTER | INSIDE;
    cell |= point >= 'a' && point <= 'z' ? PLAIN : 0;
    cell |= point >= '0' && point <= '9' ? DIGIT | MASKING : 0;
    cell |= point == '!' ? MARK : 0;
    if (is_stroke(point) || is_blank(point) || (point != 0 && point < 128 && strchr(",:+=", (int)point) != NULL))
        cell |= SEPARATES;
    for (int at = 0; at < classes->leets; at++)
        if (classes->leet[at] == point)
            cell |= LEET | MASKING | INSIDE;
    return cell;
}

static inline Cell cell_of(const Classes *classes, Py_UCS4 point) {
    return point < 128 ? classes->ascii[point] : class_of(classes, point);
}

/* The letter that a digit or sign stands for. */
static Cell letter_of(const Classes *classes, Cell cell) {
    for (int at = 0; at < classes->leets; at++)
        if (classes->leet[at] == point_of(cell))
            return cell_of(classes, classes->meant[at]);
    return cell;
}

/* A growing row of cells; `first` has MARGIN cells before it, and after the last one once it is closed. */
typedef struct {
    Cell *first;
    Py_ssize_t length, capacity;
    Cell all; /* the bits that any of them has */
} Cells;

/* Needs no lock. Returns 0, or -1 without memory. */
static int cells_reserve(Cells *cells, Py_ssize_t capacity) {
    if (cells->first != NULL && capacity <= cells->capacity)
        return 0;
    if (cells->first != NULL && capacity < 2 * cells->capacity)
        capacity = 2 * cells->capacity;
    if (capacity > (PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(Cell)) - 2 * MARGIN)
        return -1;
    Cell *start = cells->first == NULL ? NULL : cells->first - MARGIN;
    Cell *moved = PyMem_RawRealloc(start, ((size_t)capacity + 2 * MARGIN) * sizeof(Cell));
    if (moved == NULL)
        return -1;
    if (start == NULL)
        memset(moved, 0, MARGIN * sizeof(Cell));
    cells->first = moved + MARGIN;
    cells->capacity = capacity;
    return 0;
}

static void cells_close(Cells *cells) { memset(cells->first + cells->length, 0, MARGIN * sizeof(Cell)); }

static void cells_free(Cells *cells) {
    if (cells->first != NULL)
        PyMem_RawFree(cells->first - MARGIN);
    cells->first = NULL;
}

static inline void cells_copy(Cells *to, const Cell *from, Py_ssize_t count) {
    memcpy(to->first + to->length, from, (size_t)count * sizeof(Cell));
    to->length += count;
}

/* Returns the text of some cells, or NULL with an exception. */
static PyObject *cells_text(const Cells *cells) {
    /* As large as the largest character in what its size takes. */
    Cell highest = point_of(cells->all);
    PyObject *text = PyUnicode_New(cells->length, highest > 0x10ffff ? 0x10ffff : highest);
    if (text == NULL)
        return NULL;
    void *data = PyUnicode_DATA(text);
    if (highest < 0x100)
        for (Py_ssize_t at = 0; at < cells->length; at++)
            ((Py_UCS1 *)data)[at] = (Py_UCS1)cells->first[at];
    else if (highest < 0x10000)
        for (Py_ssize_t at = 0; at < cells->length; at++)
            ((Py_UCS2 *)data)[at] = (Py_UCS2)cells->first[at];
    else
        for (Py_ssize_t at = 0; at < cells->length; at++)
            ((Py_UCS4 *)data)[at] = point_of(cells->first[at]);
    return text;
}

#endif
