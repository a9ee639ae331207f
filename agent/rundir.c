/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Maps libvirt URIs to the agent's directory. Creates nothing. */
#include "rundir.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
rundir_of_user(char *to, size_t size)
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    const char *home = getenv("HOME");
    int n = -1;
    if (run != NULL && run[0] != '\0')
        n = snprintf(to, size, "%s", run);
    else if (home != NULL && home[0] != '\0')
        n = snprintf(to, size, "%s/.cache", home);
    return n < 0 || (size_t)n >= size ? -1 : 0;
}

/* The path of scheme://host/path?query is "/system" or "/session". */
static bool
has_path(const char *uri, const char *path)
{
    const char *at = strstr(uri, "://");
    if (at == NULL)
        return false;
    at = strchr(at + 3, '/');
    size_t len = strlen(path);
    return at != NULL && strncmp(at, path, len) == 0 &&
           (at[len] == '\0' || at[len] == '?');
}

int
rundir_for_uri(const char *uri, char *to, size_t size)
{
    if (uri == NULL || uri[0] == '\0')
        uri = getenv("LIBVIRT_DEFAULT_URI");
    bool system = getuid() == 0;
    if (uri != NULL && has_path(uri, "/session"))
        system = false;
    else if (uri != NULL && has_path(uri, "/system"))
        system = true;
    char base[4096];
    if (!system && rundir_of_user(base, sizeof(base)) < 0)
        return -1;
    int n = system ? snprintf(to, size, "/run/memctxd")
                   : snprintf(to, size, "%s/memctxd", base);
    return n < 0 || (size_t)n >= size ? -1 : 0;
}
