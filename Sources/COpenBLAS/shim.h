#if __has_include(<cblas-openblas.h>)
// Debian's name for OpenBLAS's own header, whichever library has given it cblas.h.
#include <cblas-openblas.h>
#else
#include <cblas.h>
#endif
