/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Maps libvirt URIs to the agent's directories. Creates nothing. */
#include "wire/rundir.h"

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

/* Does the agent of this URI serve the whole host? */
static bool
is_system(const char *uri)
{
    if (uri == NULL || uri[0] == '\0')
        uri = getenv("LIBVIRT_DEFAULT_URI");
    if (uri != NULL && has_path(uri, "/session"))
        return false;
    if (uri != NULL && has_path(uri, "/system"))
        return true;
    return getuid() == 0;
}

int
rundir_for_uri(const char *uri, char *to, size_t size)
{
    char base[4096] = "/run";
    if (!is_system(uri) && rundir_of_user(base, sizeof(base)) < 0)
        return -1;
    int n = snprintf(to, size, "%s/memctxd", base);
    return n < 0 || (size_t)n >= size ? -1 : 0;
}

int
rundir_hooks_for_uri(const char *uri, char *to, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (is_system(uri))
        n = snprintf(to, size, "%s/memctxd/hooks.d", SYSCONFDIR);
    else if (config != NULL && config[0] != '\0')
        n = snprintf(to, size, "%s/memctxd/hooks.d", config);
    else if (home != NULL && home[0] != '\0')
        n = snprintf(to, size, "%s/.config/memctxd/hooks.d", home);
    return n < 0 || (size_t)n >= size ? -1 : 0;
}
