#include "CLAPACKELoader.h"

#include <dlfcn.h>
#include <string.h>

/// Stores the function of a name; false if the library has none.
static int look_up(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

const char *lapacke_open(const char *name, struct lapacke_functions *functions) {
    void *library = dlopen(name, RTLD_NOW);
    if (library == NULL) return dlerror();
    if (!look_up(library, "LAPACKE_dgelsd", &functions->dgelsd)
        || !look_up(library, "LAPACKE_dgesdd", &functions->dgesdd)) {
        return dlerror();
    }
    return NULL;
}
