// Files that are mapped into memory, and what happens to a process when one of them is cut short under it.
#ifndef OMNICACHE_CMAPPEDFILES_H
#define OMNICACHE_CMAPPEDFILES_H

#include <stddef.h>

/// Takes note of a mapped file. `line`, which is copied, is what a process says that ends when the file's bytes are gone.
///
/// Returns a place to forget it by, or -1 where there is no room for another: then nobody speaks for the file.
int mapped_files_add(const void *start, size_t count, const char *line);

/// Forgets the file of a place; before it is unmapped.
void mapped_files_remove(int place);

/// From now on, a process that reads what is no longer there of a mapped file (SIGBUS) writes `prefix` and the file's
/// line to standard error and ends with `status`. Faults anywhere else do what they did before.
///
/// `prefix` is kept, not copied.
void mapped_files_end_with(int status, const char *prefix);

#endif
