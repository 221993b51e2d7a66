#include "CMappedFiles.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 1024 };

// A place is taken by `isTaken`, and the handler reads it while `start` is not null: it is written last and cleared first.
static struct {
    atomic_bool isTaken;
    _Atomic(const char *) start;
    size_t count;
    char *line;
} places[PLACES];

static int status_at_end;
static const char *prefix_at_end = "";
static struct sigaction before;

int mapped_files_add(const void *start, size_t count, const char *line) {
    for (int place = 0; place < PLACES; place++) {
        if (atomic_exchange(&places[place].isTaken, 1)) continue;
        places[place].count = count;
        places[place].line = strdup(line);
        if (places[place].line != NULL) {
            atomic_store(&places[place].start, start);
            return place;
        }
        atomic_store(&places[place].isTaken, 0);
        return -1;
    }
    return -1;
}

void mapped_files_remove(int place) {
    if (place < 0 || place >= PLACES) return;
    atomic_store(&places[place].start, NULL);
    free(places[place].line);
    places[place].line = NULL;
    atomic_store(&places[place].isTaken, 0);
}

/// Writes a text with nothing that a signal handler may not call.
static void say(const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, text, left);
        if (written <= 0) return;
        text += written;
        left -= (size_t)written;
    }
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    const char *address = info->si_addr;
    // A signal that another process has sent has no address.
    for (int place = 0; info->si_code > 0 && place < PLACES; place++) {
        const char *start = atomic_load(&places[place].start);
        if (start == NULL || address < start || address >= start + places[place].count) continue;
        // Of several threads, one speaks.
        static atomic_bool hasSpoken;
        if (!atomic_exchange(&hasSpoken, 1)) {
            say(prefix_at_end);
            say(places[place].line);
            _exit(status_at_end);
        }
        while (1) pause();
    }
    // The instruction is tried again, under what was there before; a signal that was sent is sent again.
    sigaction(SIGBUS, &before, NULL);
    if (info->si_code <= 0) raise(number);
}

void mapped_files_end_with(int status, const char *prefix) {
    status_at_end = status;
    prefix_at_end = prefix;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    struct sigaction old;
    if (sigaction(SIGBUS, &action, &old) == 0 && old.sa_sigaction != on_bus_error) before = old;
}
