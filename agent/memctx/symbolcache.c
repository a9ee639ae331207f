/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A file for each domain below the user's directory of caches. */
#include "memctx/symbolcache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "base/uuid.h"
#include "text/text.h"

#define FILE_MAX (64 * MEMCTX_MIB)

void
symbolcache_deinit(struct symbolcache *cache)
{
    if (cache->made != NULL)
        unlink(cache->made);
    memctx_close_fd(&cache->fd);
    free(cache->made);
    free(cache->path);
    free(cache->text);
    *cache = (struct symbolcache)SYMBOLCACHE_INIT;
}

/* ---- which file ---------------------------------------------------------- */

/* The directory, which is made; NULL: there is none. The caller frees it. */
static char *
make_directory(void)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char *ret = NULL;
    if (cache != NULL && cache[0] == '/')
        memctx_text_add(&text, "%s", cache);
    else if (home != NULL && home[0] == '/')
        memctx_text_add(&text, "%s/.cache", home);
    else
        return NULL;
    if (!text.failed)
        mkdir(text.bytes, 0700);
    memctx_text_add(&text, "/memctxd");
    if (!text.failed)
        mkdir(text.bytes, 0700);
    memctx_text_take(&text, &ret, NULL);
    return ret;
}

/* The agent says which UUID it is; a file with RAM has none. */
static bool
is_uuid(const char *text)
{
    return text != NULL && strlen(text) == MEMCTX_UUID_TEXT_LEN &&
           strspn(text, "0123456789abcdef-") == MEMCTX_UUID_TEXT_LEN;
}

static char *
make_path(const char *uuid)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *dir = make_directory();
    char *ret = NULL;
    if (dir == NULL)
        return NULL;
    memctx_text_add(&text, "%s/%s.symbols", dir, uuid);
    memctx_text_take(&text, &ret, NULL);
    return ret;
}

/* ---- reading ------------------------------------------------------------- */

/* All of a file; less is an error. */
static bool
read_all(int fd, char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* A file that somebody else could have written is not ours. */
static bool
is_ours(int fd, size_t *size)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 022) != 0 || st.st_size < (off_t)SYMBOLCACHE_HEAD ||
        st.st_size > (off_t)(SYMBOLCACHE_HEAD + FILE_MAX))
        return false;
    *size = (size_t)st.st_size;
    return true;
}

static void
read_file(struct symbolcache *cache)
{
    char head[SYMBOLCACHE_HEAD];
    size_t size;
    MEMCTX_CLEANUP(memctx_cleanup_fd)
    int fd = open(cache->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || !is_ours(fd, &size) || !read_all(fd, head, sizeof(head)) ||
        memcmp(head, cache->head, sizeof(head)) != 0)
        return;
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = malloc(size);
    if (text == NULL || !read_all(fd, text, size - sizeof(head)))
        return;
    cache->text = memctx_steal_ptr(&text);
    cache->len_bytes = size - sizeof(head);
}

void
symbolcache_open(const struct subject *subject, struct symbolcache *ret)
{
    const struct memctx_kernel *kernel = &subject->datum.kernel;
    const char *uuid = subject->facts.uuid;
    if (kernel->identity[0] == '\0' || !is_uuid(uuid))
        return;
    snprintf(ret->head, sizeof(ret->head),
             "memctx symbols 2\n%s\n%s\n" MEMCTX_HEX "\n" MEMCTX_HEX "\n",
             kernel->identity, kernel->version, kernel->base_gva, kernel->kcr3);
    ret->path = make_path(uuid);
    if (ret->path != NULL)
        read_file(ret);
}

/* ---- writing ------------------------------------------------------------- */

bool
symbolcache_begin(struct symbolcache *cache)
{
    struct memctx_text text = MEMCTX_TEXT_INIT;
    if (cache->path == NULL)
        return false;
    memctx_text_add(&text, "%s.XXXXXX", cache->path);
    if (memctx_text_take(&text, &cache->made, NULL) < 0)
        return false;
    cache->fd = mkostemp(cache->made, O_CLOEXEC);
    if (cache->fd >= 0)
        return true;
    free(cache->made);
    cache->made = NULL;
    return false;
}

static int
write_at(int fd, const void *bytes, size_t len, uint64_t offset,
         struct memctx_error *err)
{
    const char *from = bytes;
    while (len > 0) {
        ssize_t n = pwrite(fd, from, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return memctx_error_set(err, MEMCTX_PERMANENT, "cannot write: %s",
                                    n < 0 ? strerror(errno) : "no progress");
        from += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

int
symbolcache_store(const struct symbolcache *cache, const char *text,
                  size_t len_bytes, struct memctx_error *err)
{
    return write_at(cache->fd, cache->head, sizeof(cache->head), 0, err) < 0
               ? -1
               : write_at(cache->fd, text, len_bytes, sizeof(cache->head), err);
}

void
symbolcache_keep(struct symbolcache *cache)
{
    if (rename(cache->made, cache->path) < 0)
        return;
    free(cache->made);
    cache->made = NULL;
}
