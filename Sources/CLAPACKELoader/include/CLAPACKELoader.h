// LAPACKE, opened at run time: only fits need it.
#ifndef OMNICACHE_CLAPACKELOADER_H
#define OMNICACHE_CLAPACKELOADER_H

#include <lapacke.h>

/// The functions that are used, with the types of their header.
struct lapacke_functions {
    __typeof__(&LAPACKE_dgelsd) dgelsd;
    __typeof__(&LAPACKE_dgesdd) dgesdd;
};

/// Opens the library of this name and looks its functions up.
///
/// Returns null, or a text that says why it cannot be used; it is the loader's, and good until the loader is next asked.
const char *lapacke_open(const char *name, struct lapacke_functions *functions);

#endif
