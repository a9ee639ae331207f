/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Maps libvirt URIs to the agent's directories. Creates nothing. */
#include "wire/rundir.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/uri.h"

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

static bool
is_system(const struct uri *uri)
{
    if (uri->scope == URI_SYSTEM || uri->scope == URI_SESSION)
        return uri->scope == URI_SYSTEM;
    return getuid() == 0;
}

static int
fail(struct memctx_error *err)
{
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "no agent's directory: XDG_RUNTIME_DIR and HOME "
                            "are not set, or too long");
}

int
rundir_for_uri(const char *text, char *to, size_t size,
               struct memctx_error *err)
{
    char base[4096] = "/run";
    struct uri uri;
    if (uri_parse(text, &uri, err) < 0)
        return -1;
    if (!is_system(&uri) && rundir_of_user(base, sizeof(base)) < 0)
        return fail(err);
    int n = snprintf(to, size, "%s/memctxd", base);
    return n < 0 || (size_t)n >= size ? fail(err) : 0;
}

int
rundir_hooks_for_uri(const char *text, char *to, size_t size,
                     struct memctx_error *err)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    struct uri uri;
    int n = -1;
    if (uri_parse(text, &uri, err) < 0)
        return -1;
    if (is_system(&uri))
        n = snprintf(to, size, "%s/memctxd/hooks.d", SYSCONFDIR);
    else if (config != NULL && config[0] != '\0')
        n = snprintf(to, size, "%s/memctxd/hooks.d", config);
    else if (home != NULL && home[0] != '\0')
        n = snprintf(to, size, "%s/.config/memctxd/hooks.d", home);
    if (n >= 0 && (size_t)n < size)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "no directory of hooks: XDG_CONFIG_HOME and HOME "
                            "are not set, or too long");
}

int
rundir_boots_for_uri(const char *text, const char *runtime_dir, char *to,
                     size_t size, struct memctx_error *err)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    struct uri uri;
    int n = -1;
    if (uri_parse(text, &uri, err) < 0)
        return -1;
    if (runtime_dir != NULL && runtime_dir[0] != '\0')
        n = snprintf(to, size, "%s/boots", runtime_dir);
    else if (is_system(&uri))
        n = snprintf(to, size, "/var/lib/memctxd/boots");
    else if (state != NULL && state[0] != '\0')
        n = snprintf(to, size, "%s/memctxd/boots", state);
    else if (home != NULL && home[0] != '\0')
        n = snprintf(to, size, "%s/.local/state/memctxd/boots", home);
    if (n >= 0 && (size_t)n < size)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT,
                            "no directory for kept logs: XDG_STATE_HOME and "
                            "HOME are not set, or too long");
}
