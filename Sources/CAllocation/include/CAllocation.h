// What a program does whose memory is at an end: it says so in one line, where the C library would leave every caller to
// find out, and Swift's runtime would trap. For executables only: a library does not end the process of others.
#ifndef OMNICACHE_CALLOCATION_H
#define OMNICACHE_CALLOCATION_H

/// From now on, an allocation that fails writes `line` to standard error and ends the process with `status`.
///
/// `line`, of at most 511 bytes, is copied.
void allocation_end_with(int status, const char *line);

/// From now on, threads share one pool of memory. Otherwise each sets 64 MiB of the address space aside for itself.
void allocation_spare_addresses(void);

#endif
