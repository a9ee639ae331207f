/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Puts what the agent says of a silent domain into a sentence. */
#include "memctx/silence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "domain/domain.h"
#include "reader/client.h"

bool
silence_is(json_object *domain)
{
    const char *state = client_text(domain, "state");
    return state != NULL &&
           strcmp(state, memctx_state_name(MEMCTX_STATE_SILENT)) == 0;
}

/* " since 2026-11-30T11:20:00Z"; "" when the agent does not tell. */
static void
print_since(json_object *domain, char *text, size_t size)
{
    uint64_t still_s;
    time_t now = time(NULL);
    struct tm tm;
    text[0] = '\0';
    if (!client_number(domain, "still", &still_s) || still_s > (uint64_t)now)
        return;
    time_t since = now - (time_t)still_s;
    if (gmtime_r(&since, &tm) == NULL ||
        strftime(text, size, " since %Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
}

void
silence_warn(json_object *domain, const char *tail)
{
    const char *name = client_text(domain, "name");
    const char *reason = client_text(domain, "reason");
    const char *live = client_text(domain, "live");
    char since[40];
    if (!silence_is(domain))
        return;
    print_since(domain, since, sizeof(since));
    if (live != NULL && strcmp(live, "no") == 0)
        fprintf(stderr,
                "warning: domain '%s' does not run: its kernel has stood "
                "still%s",
                name != NULL ? name : "", since);
    else
        fprintf(stderr,
                "warning: it is not known whether the kernel of domain '%s' "
                "runs",
                name != NULL ? name : "");
    fprintf(stderr, "%s%s%s%s\n", reason != NULL ? " (" : "",
            reason != NULL ? reason : "", reason != NULL ? ")" : "", tail);
}
