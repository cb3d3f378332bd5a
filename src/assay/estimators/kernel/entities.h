/* Where an HTML entity stands in a text, and the character that a number means. */
#ifndef ASSAY_ENTITIES_H
#define ASSAY_ENTITIES_H

#include "text.h"

/* What stands after the ampersand, the escapes of the ampersand itself left out. `number` is -1 for a name. */
typedef struct {
    Py_ssize_t first, end;
    long number;
} Entity;

static inline Py_UCS4 character_at(const Text *text, Py_ssize_t at) {
    return at < text->length ? code_point(text, at) : 0;
}

/* Returns the value of a digit, -1 for other characters. */
static inline int digit_of(Py_UCS4 point, int base) {
    if (point >= '0' && point <= '9')
        return (int)(point - '0');
    if (base == 16 && point >= 'a' && point <= 'f')
        return (int)(point - 'a') + 10;
    if (base == 16 && point >= 'A' && point <= 'F')
        return (int)(point - 'A') + 10;
    return -1;
}

static inline int is_ascii_letter(Py_UCS4 point) {
    return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
}

/* Reads a number of at most seven digits, or six in base 16, after any zeros. Returns whether there is one. */
static int read_number(const Text *text, Py_ssize_t at, int base, Entity *entity) {
    Py_ssize_t first = at, significant = 0;
    int digit;
    entity->number = 0;
    for (; (digit = digit_of(character_at(text, at), base)) >= 0; at++) {
        if (significant > 0 || digit > 0)
            significant++;
        if (significant <= 7)
            entity->number = entity->number * base + digit;
    }
    entity->end = character_at(text, at) == ';' ? at + 1 : at;
    return at > first && significant <= (base == 16 ? 6 : 7);
}

/* Reads `#102;`, `#x66` or `name;`. Returns whether one stands there. */
static int read_entity(const Text *text, Py_ssize_t at, Entity *entity) {
    entity->first = at;
    if (character_at(text, at) == '#') {
        int hexadecimal = (character_at(text, at + 1) | 0x20) == 'x';
        return read_number(text, at + 1 + hexadecimal, hexadecimal ? 16 : 10, entity);
    }
    entity->number = -1;
    if (!is_ascii_letter(character_at(text, at)))
        return 0;
    Py_ssize_t end = at + 1;
    while (end < at + 33 && (is_ascii_letter(character_at(text, end)) || digit_of(character_at(text, end), 10) >= 0))
        end++;
    entity->end = end + 1;
    return end - at >= 2 && end - at <= 32 && character_at(text, end) == ';';
}

/* Returns the length of `amp;`, `#38;` or `#x26;`, 0 for anything else. */
static Py_ssize_t escaped_ampersand(const Text *text, Py_ssize_t at) {
    static const char *const escapes[] = {"amp;", "#38;", "#x26;", "#X26;"};
    for (int which = 0; which < 4; which++) {
        const char *escape = escapes[which];
        Py_ssize_t length = 0;
        while (escape[length] != '\0' && character_at(text, at + length) == (Py_UCS4)escape[length])
            length++;
        if (escape[length] == '\0')
            return length;
    }
    return 0;
}

/* Finds the entity that begins with the ampersand at a place. Returns whether there is one. */
static int entity_at(const Text *text, Py_ssize_t at, Entity *entity) {
    Py_ssize_t last = ++at, length;
    while ((length = escaped_ampersand(text, at)) > 0) {
        last = at;
        at += length;
    }
    /* Where nothing follows that is one, the last escape is. */
    return read_entity(text, at, entity) || (at > last && read_entity(text, last, entity));
}

/* Whether a number means the character of that code point; HTML has others mean something else. */
static inline int means_itself(long number) {
    return number == '\t' || number == '\n' || (number >= 0x20 && number < 0x7f) ||
           (number >= 0xa0 && number < 0xd800);
}

#endif
