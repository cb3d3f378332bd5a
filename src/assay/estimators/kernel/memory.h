/* Arrays that grow. Nothing here needs the interpreter's lock. */
#ifndef ASSAY_MEMORY_H
#define ASSAY_MEMORY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Make room for `need` things of `size` bytes. Return where they are now, or NULL without memory: then the
 * old array stays. */
static inline void *with_room(void *array, size_t *room, size_t need, size_t size) {
    if (need <= *room && array != NULL)
        return array;
    size_t more = *room + *room / 2;
    if (more < need)
        more = need;
    if (more < 64)
        more = 64;
    if (more > PY_SSIZE_T_MAX / size)
        return NULL;
    void *grown = PyMem_RawRealloc(array, more * size);
    if (grown != NULL)
        *room = more;
    return grown;
}

/* Does as above to a pointer; -1 without memory. */
#define MAKE_ROOM(array, room, need)                                                                         \
    do {                                                                                                     \
        void *grown_ = with_room((array), &(room), (need), sizeof *(array));                                 \
        if (grown_ == NULL)                                                                                  \
            return -1;                                                                                       \
        (array) = grown_;                                                                                    \
    } while (0)

#endif
