/* A disk whose flushes fail as long as the file AUDIT_TEST_FLUSH_FAULT is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int flush(const char *name, int fd) {
    const char *trigger = getenv("AUDIT_TEST_FLUSH_FAULT");
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (next == NULL || (trigger != NULL && access(trigger, F_OK) == 0)) {
        errno = EIO;
        return -1;
    }
    return next(fd);
}

int fsync(int fd) { return flush("fsync", fd); }

int fdatasync(int fd) { return flush("fdatasync", fd); }
